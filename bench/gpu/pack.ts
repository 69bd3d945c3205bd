/**
 * @file Packs the bench for a lent machine: one bundle with all modules, op rows, shaders and Python files in it, and beside it Node, Dawn and the Vulkan
 * loader, by the project's shared script (VOXGRAD_GPU_BUNDLE names another one). What it makes, `.gpu/`, is for `bash .gpu/run.sh ARGS`.
 */

import { execFileSync, spawnSync } from "node:child_process";
import { appendFileSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { build, type Plugin } from "esbuild";
import { commit, text } from "./tree.ts";

const root = join(import.meta.dirname, "../..");
const list = (folder: string, ending: string) =>
  readdirSync(join(root, folder))
    .filter((name) => name.endsWith(ending))
    .sort()
    .map((name) => `${folder}/${name}`);

/** tree.ts of the packed form: the same exports, nothing read. */
export function packedTree(): string {
  const rows = list("test/ops/rows", ".ts");
  const texts = [...list("bench", ".wgsl"), ...list("bench/gpu", ".py")].map((path) => [path, text(path)]);
  return [
    ...rows.map((path, i) => `import { rows as rows${i} } from ${JSON.stringify(join(root, path))};`),
    `const texts = new Map(${JSON.stringify(texts)});`,
    `export const text = (path) => texts.get(path);`,
    `export const opRows = async () => [${rows.map((_, i) => `rows${i}`).join(", ")}].flat();`,
    `export const commit = () => ${JSON.stringify(commit())};`,
  ].join("\n");
}

const packed: Plugin = {
  name: "packed tree",
  setup(build) {
    build.onLoad({ filter: /[\\/]bench[\\/]gpu[\\/]tree\.ts$/ }, () => ({
      contents: packedTree(),
      loader: "js",
      resolveDir: root,
    }));
  },
};

/** The bundle of a program of the bench, run when it is loaded. */
export async function bundle(program: string): Promise<string> {
  const made = await build({
    stdin: { contents: program, resolveDir: join(root, "bench"), loader: "ts" },
    bundle: true,
    platform: "node",
    format: "esm",
    target: "node20",
    conditions: ["voxgrad-source"],
    external: ["webgpu"],
    plugins: [packed],
    write: false,
    logLevel: "warning",
  });
  return made.outputFiles[0].text;
}

/** Keeps `.gpu/` out of the repository without a word in it. */
function exclude(): void {
  const git = (...args: string[]) => execFileSync("git", args, { cwd: root, encoding: "utf8" }).trim();
  const file = resolve(root, git("rev-parse", "--git-path", "info/exclude"));
  const known = existsSync(file) ? readFileSync(file, "utf8") : "";
  if (known.split("\n").includes("/.gpu/")) return;
  mkdirSync(dirname(file), { recursive: true });
  appendFileSync(file, `${known === "" || known.endsWith("\n") ? "" : "\n"}/.gpu/\n`);
}

export async function pack(): Promise<void> {
  const script = resolve(process.env.VOXGRAD_GPU_BUNDLE ?? join(root, "../shared/tools/gpu-bundle.sh"));
  if (!existsSync(script)) {
    console.error(`there is no ${script}, which packs Node, Dawn and the Vulkan loader: set VOXGRAD_GPU_BUNDLE to its path`);
    process.exit(1);
  }
  exclude();
  const entry = join(root, ".voxgrad", "bench_gpu.mjs");
  mkdirSync(dirname(entry), { recursive: true });
  writeFileSync(entry, await bundle(`import { main } from "./gpu/main.ts"; await main();`));
  const { status } = spawnSync("bash", [script, entry], { cwd: root, stdio: "inherit" });
  if (status !== 0) process.exit(status ?? 1);
  console.log("on the lent machine, with .gpu carried:  bash .gpu/run.sh --out $OUT");
}
