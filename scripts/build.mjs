/**
 * Builds `dist/`. The compiler wraps each import of a computed address in a helper that renames relative TypeScript files, and puts the helper, with a
 * `this` that modules do not have, into the file: Rollup warns of it, and bundlers no longer see the comments that tell them to leave the
 * import alone. Such addresses are given by users and never renamed, so the helper is taken out again; lines stay where source maps say.
 */
import { spawnSync } from "node:child_process";
import { globSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const root = join(import.meta.dirname, "..");
const helper = "__rewriteRelativeImportExtension";
const definition = new RegExp(`^var ${helper} = [^]*?\\n};\\n`, "m");
const use = new RegExp(`\\bimport\\(${helper}\\(([^()]*)\\)\\)`, "g");

rmSync(join(root, "dist"), { recursive: true, force: true });
const tsc = join(root, "node_modules", "typescript", "bin", "tsc");
const { status } = spawnSync(process.execPath, [tsc, "-p", "tsconfig.build.json"], { cwd: root, stdio: "inherit" });
if (status !== 0) process.exit(status ?? 1);
for (const name of globSync("dist/**/*.js", { cwd: root })) {
  const file = join(root, name);
  const text = readFileSync(file, "utf8");
  if (!text.includes(helper)) continue;
  const plain = text.replace(definition, (lines) => "\n".repeat(lines.split("\n").length - 1)).replace(use, "import($1)");
  if (plain.includes(helper)) throw new Error(`${name} still needs ${helper}`);
  writeFileSync(file, plain);
}
