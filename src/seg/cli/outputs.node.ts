/** @file Where a command may write: over nothing that is there unless it is asked to, and only where it can. To be checked before the work, which may take hours. */

import { accessSync, constants, existsSync, realpathSync, statSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { ConfigError } from "../../host/errors.ts";

/** Files that a command writes. */
export interface Outputs {
  /** Paths; those that were not asked for are undefined. */
  readonly outputs: readonly (string | undefined)[];
  readonly overwrite: boolean | undefined;
  /** What the command reads, and never replaces. */
  readonly input?: string | undefined;
}

/** Throws `ConfigError` if a file would replace the input, or without `overwrite` any file, and where nothing can be written. */
export function expectFree({ outputs, overwrite = false, input }: Outputs): void {
  for (const path of outputs) {
    if (path === undefined) continue;
    if (existsSync(path)) {
      if (input !== undefined && existsSync(input) && realpathSync(path) === realpathSync(input))
        throw new ConfigError(`${path} is the input; choose another name`);
      if (!overwrite) throw new ConfigError(`${path} exists; choose another name, or replace it with --overwrite`);
    }
    expectFolder(dirname(resolve(path)));
  }
}

/** Throws `ConfigError` unless `folder` is one that files can be written into, or can be made. */
export function expectFolder(folder: string): void {
  let there = resolve(folder);
  while (!existsSync(there) && dirname(there) !== there) there = dirname(there);
  if (!statSync(there).isDirectory())
    throw new ConfigError(`cannot write into ${folder}: ${there} is a file; choose another folder`);
  try {
    accessSync(there, constants.W_OK | constants.X_OK);
  } catch (cause) {
    throw new ConfigError(`cannot write into ${folder}: ${(cause as Error).message}`, { cause });
  }
}
