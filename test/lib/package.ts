/** @file What npm would get: the packed library installed in an empty folder, without the sources and without the network. */

import { spawnSync } from "node:child_process";
import { readdirSync, writeFileSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import { delimiter, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { temporaryFolder } from "./tiny.ts";

/** The repository. */
export const root = fileURLToPath(new URL("../..", import.meta.url));

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
  /** What an ES module of the app prints. */
  runModule(source: string): string;
  remove(): void;
}

/** Packs and installs. Takes half a minute. */
export async function installPackage(): Promise<App> {
  const { folder, remove } = temporaryFolder();
  const app = join(folder, "app");
  await mkdir(app);
  runIn(root, "npm", ["pack", "--loglevel=error", "--pack-destination", folder]);
  const tarball = readdirSync(folder).find((file) => file.endsWith(".tgz"))!;
  writeFileSync(join(app, "package.json"), JSON.stringify({ name: "app", private: true, type: "module" }));
  // The dependencies are links into the repository, since nothing may be fetched.
  const links = ["nifti-reader-js", "webgpu"].map((dependency) => join(root, "node_modules", dependency));
  const quiet = ["--offline", "--no-audit", "--no-fund", "--loglevel=error"];
  runIn(app, "npm", ["install", ...quiet, join(folder, tarball), ...links]);
  const run = (command: string, args: readonly string[]) => runIn(app, command, args);
  const runModule = (source: string) => {
    writeFileSync(join(app, "main.js"), source);
    return run(process.execPath, ["main.js"]);
  };
  return { folder: app, env, run, runModule, remove };
}
