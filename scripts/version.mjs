/**
 * What `npm version` leaves to do (npm runs this between the new number and the commit): the number that the sources tell, and the day in CHANGELOG.md, whose
 * first heading must be of this version. With --check, before the number is set, it looks at the heading and leaves all as it is.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const root = join(import.meta.dirname, "..");
const read = (file) => readFileSync(join(root, file), "utf8");
const checks = process.argv.includes("--check");
const version = checks ? process.env.npm_new_version : JSON.parse(read("package.json")).version;

const log = read("CHANGELOG.md");
const [heading, told] = log.match(/^## (\S+) \(unreleased\)$/m) ?? [];
if (told !== version)
  throw new Error(
    `CHANGELOG.md has ${told ? `what is new in ${told}` : "no unreleased part"}; the first heading must be "## ${version} (unreleased)"`,
  );
if (!checks) {
  writeFileSync(join(root, "CHANGELOG.md"), log.replace(heading, `## ${version} (${new Date().toISOString().slice(0, 10)})`));

  const source = read("src/host/version.ts");
  writeFileSync(join(root, "src/host/version.ts"), source.replace(/(version = ")[^"]*/, `$1${version}`));
}
