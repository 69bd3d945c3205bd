/**
 * What CHANGELOG.md says of a version: `node scripts/release_notes.ts [v]X.Y.Z` prints it for the release of a tag, and fails where the version is not that of
 * package.json, is not told of, or is still called unreleased.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";

const read = (file: string): string => readFileSync(join(import.meta.dirname, "..", file), "utf8");

/** The versions of CHANGELOG.md, the newest first: `day` is that of the release, or "unreleased". */
export function versions(): { readonly version: string; readonly day: string; readonly text: string }[] {
  return read("CHANGELOG.md")
    .split(/^## /m)
    .slice(1)
    .map((part) => {
      const [, version, day] = /^(\d+\.\d+\.\d+) \((unreleased|\d{4}-\d\d-\d\d)\)\n/.exec(part) ?? [];
      if (!version) throw new Error(`CHANGELOG.md: "## ${part.split("\n")[0]}" is no heading such as "## 1.2.3 (unreleased)"`);
      return { version, day, text: part.slice(part.indexOf("\n")).trim() };
    });
}

/** The version of package.json. */
export const { version: current }: { readonly version: string } = JSON.parse(read("package.json"));

if (process.argv[1] === import.meta.filename) {
  const tag = process.argv[2]?.replace(/^v/, "");
  const found = versions().find(({ version }) => version === tag);
  const wrong =
    tag !== current
      ? `the tag is of ${tag}, package.json has ${current}`
      : !found
        ? `CHANGELOG.md does not tell of ${tag}`
        : found.day === "unreleased" && `CHANGELOG.md calls ${tag} unreleased; tag it with npm run release`;
  if (wrong) {
    console.error(wrong);
    process.exit(1);
  }
  console.log(found?.text);
}
