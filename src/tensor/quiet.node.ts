/**
 * @file Dawn prints two warnings whenever it meets a driver with generous limits: "maxDynamic…PerPipelineLayout artificially reduced". It writes them
 * straight to file descriptor 2, in the call that asks for an adapter, and has no switch. So during that call the descriptor is a temporary
 * file, and all other lines are printed behind it. Only where the descriptor can be had back, which is a terminal or a named or
 * unnamed pipe on Linux: a file or a socket opened again would not be the same. Elsewhere, and in Deno, whose descriptors are its own numbers, the
 * warnings are shown.
 */

import { closeSync, fstatSync, mkdtempSync, openSync, readFileSync, rmSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { isatty } from "node:tty";
import { isMainThread } from "node:worker_threads";

const noise = /^Warning: maxDynamic\w+PerPipelineLayout artificially reduced from .*\n/gm;
const stderr = 2;

// Another thread that opens a file could be given the descriptor in the moment when it is closed.
const alone = (): boolean =>
  isMainThread && !process.getActiveResourcesInfo().some((name) => /^FS|Worker|MessagePort/.test(name));

const recoverable = (): boolean => isatty(stderr) || fstatSync(stderr).isFIFO();

// Opens `path` as standard error. Descriptors are given lowest first, so the one just closed comes back.
function replaceStderr(path: string): void {
  closeSync(stderr);
  openSync(path, "a");
}

/** Runs `fn` without those warnings. */
export function quietly<T>(fn: () => T): T {
  let kept: number;
  let folder: string;
  try {
    if (process.platform !== "linux" || process.versions["deno"] || !alone() || !recoverable()) return fn();
    folder = mkdtempSync(join(tmpdir(), "voxgrad-"));
    closeSync(openSync(join(folder, "stderr"), "a")); // it can be made
    kept = openSync(`/proc/self/fd/${stderr}`, "a");
  } catch {
    return fn(); // no such file system, no room
  }
  const file = join(folder, "stderr");
  try {
    replaceStderr(file);
    return fn();
  } finally {
    replaceStderr(`/proc/self/fd/${kept}`);
    closeSync(kept);
    const rest = readFileSync(file, "utf8").replace(noise, "");
    rmSync(folder, { recursive: true });
    if (rest) writeSync(stderr, rest);
  }
}
