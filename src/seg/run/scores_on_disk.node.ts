/** @file Scores of images with many classes in a file: 104 of 256³ voxels are 6.5 GiB. */

import { bytesOf } from "../../host/array.ts";
import { closeSync, mkdirSync, openSync, readSync, rmSync, writeSync } from "node:fs";
import { join } from "node:path";
import { OutOfMemoryError } from "../../host/errors.ts";
import { formatBytes } from "../../host/text.ts";
import { type KeepScores, keptInMemory, type KeptScores } from "../inference/kept_scores.ts";

let made = 0;

/**
 * Keeps scores in memory up to `memoryBytes`, else in a file in `folder`, which is gone when they are disposed, on most systems also if the process is killed.
 * Throws `OutOfMemoryError`, when they are written, where there is no room.
 */
export function scoresOnDisk(folder: string, memoryBytes = 2 ** 31): KeepScores {
  return (channels, voxels) =>
    4 * channels * voxels <= memoryBytes ? keptInMemory(channels, voxels) : keptInFile(folder, channels, voxels);
}

function keptInFile(folder: string, channels: number, voxels: number): KeptScores {
  const refuse = (cause: unknown): never => {
    throw new OutOfMemoryError(
      `the scores of ${channels} classes need ${formatBytes(4 * channels * voxels)} in ${folder}, which cannot take them (${(cause as Error).message}): ` +
        "make room there, or choose another folder",
      { cause },
    );
  };
  const path = join(folder, `.scores-${process.pid}-${made++}`);
  const remove = () => rmSync(path, { force: true });
  const file = opened(folder, path, refuse);
  try {
    remove();
  } catch {
    // Windows keeps files that are open; then it goes with the scores.
  }
  let open = true;
  return {
    write(at, values) {
      const bytes = bytesOf(values);
      try {
        for (let done = 0; done < bytes.length;) done += writeSync(file, bytes, done, bytes.length - done, 4 * at + done);
      } catch (cause) {
        refuse(cause);
      }
    },
    channel(index) {
      const bytes = new Uint8Array(4 * voxels);
      for (let done = 0; done < bytes.length;) {
        const read = readSync(file, bytes, done, bytes.length - done, 4 * index * voxels + done);
        // Behind what was written: zeros, as in an array.
        if (read === 0) break;
        done += read;
      }
      return new Float32Array(bytes.buffer);
    },
    dispose() {
      if (!open) return;
      open = false;
      closeSync(file);
      remove();
    },
  };
}

function opened(folder: string, path: string, refuse: (cause: unknown) => never): number {
  try {
    mkdirSync(folder, { recursive: true });
    return openSync(path, "wx+", 0o600);
  } catch (cause) {
    return refuse(cause);
  }
}
