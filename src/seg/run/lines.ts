/** @file Files with a JSON value per line, to which a run adds as it goes. */

import type { RunStore } from "./store.ts";

/** The values of a file, none if it is not there. A line that a crash cut short is left out. */
export async function readLines<T>(store: RunStore, file: string): Promise<T[]> {
  const bytes = await store.read(file);
  return new TextDecoder()
    .decode(bytes ?? new Uint8Array(0))
    .split("\n")
    .flatMap((line) => {
      try {
        return line ? [JSON.parse(line) as T] : [];
      } catch {
        return [];
      }
    });
}
