/**
 * Builds `dist/`. Two things the compiler leaves to do. It renames the .ts files of imports but not those of `new URL("./x.ts", import.meta.url)`, which
 * stand written out because bundlers look for them in that form. And it wraps an import of a computed address in a helper, for names that are
 * relative, which ours never are: the helper has a `this` that modules do not have, of which Rollup warns, so it is taken out again. Lines
 * stay where source maps say.
 */
import { spawnSync } from "node:child_process";
import { globSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const root = join(import.meta.dirname, "..");
const helper = "__rewriteRelativeImportExtension";
const definition = new RegExp(`^var ${helper} = [^]*?\\n};\\n`, "m");
const use = new RegExp(`\\bimport\\(${helper}\\(([^()]*)\\)\\)`, "g");
const url = /(\bnew URL\("\.{1,2}\/[^"]*)\.ts(", import\.meta\.url\))/g;

rmSync(join(root, "dist"), { recursive: true, force: true });
const tsc = join(root, "node_modules", "typescript", "bin", "tsc");
const { status } = spawnSync(process.execPath, [tsc, "-p", "tsconfig.build.json"], { cwd: root, stdio: "inherit" });
if (status !== 0) process.exit(status ?? 1);
for (const name of globSync("dist/**/*.js", { cwd: root })) {
  const file = join(root, name);
  const text = readFileSync(file, "utf8");
  const built = text
    .replace(definition, (lines) => "\n".repeat(lines.split("\n").length - 1))
    .replace(use, "import($1)")
    .replace(url, "$1.js$2");
  if (built.includes(helper)) throw new Error(`${name} still needs ${helper}`);
  if (built !== text) writeFileSync(file, built);
}
