/** @file What npm would get: the packed library installed in an empty folder, without the sources. */

import { execFile, spawnSync } from "node:child_process";
import { mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { delimiter, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { once } from "./once.ts";
import { temporaryFolder } from "./tiny.ts";

/** The repository. */
export const root = fileURLToPath(new URL("../..", import.meta.url));

const { name, exports } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));

/** What can be imported, without package.json. */
export const entryPoints: readonly string[] = Object.keys(exports)
  .filter((key) => !key.endsWith(".json"))
  .map((key) => name + key.slice(1));

// What npm tells its scripts would lead the npm started here back to the repository.
const env = {
  ...Object.fromEntries(Object.entries(process.env).filter(([key]) => !/^npm_/i.test(key))),
  PATH: dirname(process.execPath) + delimiter + process.env.PATH,
};

/** What a command in a folder prints. Throws all of it if the command fails. */
function runIn(cwd: string, command: string, args: readonly string[]): string {
  const { status, error, stdout, stderr } = spawnSync(command, args, { cwd, env, encoding: "utf8" });
  if (status !== 0) throw new Error(`${command} ${args.join(" ")}: exit code ${status} ${error ?? ""}\n${stdout}\n${stderr}`);
  return stdout;
}

export interface App {
  /** Folder of a package that depends on the packed library. */
  readonly folder: string;
  readonly env: NodeJS.ProcessEnv;
  /** What a command in the folder prints. Throws all of it if the command fails. */
  run(command: string, args: readonly string[]): string;
  /** The same for a command that takes long. */
  runLong(command: string, args: readonly string[], env?: NodeJS.ProcessEnv): Promise<string>;
  /** What an ES module of the app prints. */
  runModule(source: string): string;
  remove(): void;
}

/** Type-checks files of the app as strictly as there is. Throws what is wrong. */
export function checkTypes(app: App, files: readonly string[]): void {
  const compiler = join(root, "node_modules/typescript/bin/tsc");
  const types = ["--typeRoots", join(root, "node_modules/@types"), "--types", "node"];
  const stricter = ["--noUncheckedIndexedAccess", "--exactOptionalPropertyTypes"];
  const lib = ["--lib", "ES2024,ESNext.Disposable,DOM,DOM.AsyncIterable"];
  const options = ["--noEmit", "--strict", ...stricter, "--module", "NodeNext", "--target", "ES2024", ...lib];
  app.run(process.execPath, [compiler, ...options, ...types, ...files]);
}

/** The tarball that npm would publish; packing builds `dist`. */
export async function tarball(): Promise<string> {
  const folder = await once("packed", (to) => runIn(root, "npm", ["pack", "--loglevel=error", "--pack-destination", to]));
  return join(
    folder,
    readdirSync(folder).find((file) => file.endsWith(".tgz"))!,
  );
}

const quiet = ["--no-audit", "--no-fund", "--no-update-notifier", "--loglevel=error"];

/** An app with the packed library, which is installed without the network, once for all of them. */
export async function installPackage(): Promise<App> {
  const packed = await tarball();
  const installed = await once("installed", (to) => {
    writeFileSync(join(to, "package.json"), JSON.stringify({ name: "installed", private: true }));
    // WebGPU for Node is a link into the repository, since nothing may be fetched.
    runIn(to, "npm", ["install", "--offline", ...quiet, packed, join(root, "node_modules", "webgpu")]);
  });
  const app = emptyApp();
  symlinkSync(join(installed, "node_modules"), join(app.folder, "node_modules"));
  return app;
}

/** Whether npm's registry answers. */
export const registryAnswers = (): boolean =>
  spawnSync("npm", ["view", "webgpu", "version", "--fetch-retries=0", "--fetch-timeout=20000"], { env }).status === 0;

/** Installs the packed library and packages from the registry. */
export async function installWith(packages: readonly string[]): Promise<App> {
  const app = emptyApp();
  await app.runLong("npm", ["install", "--prefer-offline", ...quiet, await tarball(), ...packages]);
  return app;
}

/** An app without packages. */
export function emptyApp(): App {
  const { folder, remove } = temporaryFolder();
  const app = join(folder, "app");
  mkdirSync(app);
  // These bring their binaries by a script.
  const allowScripts = { bun: true, deno: true, node20: true, node22: true };
  writeFileSync(join(app, "package.json"), JSON.stringify({ name: "app", private: true, type: "module", allowScripts }));
  const run = (command: string, args: readonly string[]) => runIn(app, command, args);
  const runLong = async (command: string, args: readonly string[], more: NodeJS.ProcessEnv = {}) => {
    const options = { cwd: app, env: { ...env, ...more }, encoding: "utf8", maxBuffer: 2 ** 26 } as const;
    try {
      return (await promisify(execFile)(command, args, options)).stdout;
    } catch (error) {
      const { message, stdout } = error as Error & { stdout?: string };
      throw new Error(`${message}\n${stdout}`, { cause: error });
    }
  };
  const runModule = (source: string) => {
    writeFileSync(join(app, "main.js"), source);
    return run(process.execPath, ["main.js"]);
  };
  return { folder: app, env, run, runLong, runModule, remove };
}
