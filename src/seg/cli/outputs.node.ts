/** @file Where a command may write: over nothing that is there unless it is asked to, and only where it can. To be checked before the work, which may take hours. */

import { existsSync, realpathSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { ConfigError } from "../../host/errors.ts";
import { expectFolder, makeFolder, writeFilesTogether } from "../../host/files.node.ts";

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

/** Writes a file that was found free, and makes its folder where that is new. */
export const writeOutput = (path: string, content: Uint8Array | string): Promise<void> =>
  writeOutputs([{ name: path, bytes: content }]);

/** As `writeOutput`, of files that belong together: all of them or none. */
export async function writeOutputs(
  files: readonly { readonly name: string; readonly bytes: Uint8Array | string }[],
): Promise<void> {
  const resolved = files.map(({ name, bytes }) => ({ name: resolve(name), bytes }));
  for (const { name } of resolved) await makeFolder(dirname(name));
  await writeFilesTogether(resolved);
}
