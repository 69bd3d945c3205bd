/**
 * @file Where a run is kept: a handful of named files. The runner knows no more of it, so a run lives in a folder (Node), in the origin's private
 * file system (a browser) or in memory (tests, a page that throws it away).
 */

import { expectFields, expectArguments } from "../../host/kinds.ts";
import { joinedBytes } from "../../host/bytes/words.ts";

/** Where a run is kept: files by name. */
export interface RunStore {
  /** What messages call it: a path, or a word. */
  readonly name: string;
  /** The bytes of a file; undefined if there is none. */
  read(file: string): Promise<Uint8Array | undefined>;
  /**
   * Replaces a file as a whole: after a crash it is the old one or the new one. `file` may have one folder, as in `overlays/case1.png`. `bytes` are its
   * content; text becomes UTF-8.
   */
  write(file: string, bytes: Uint8Array | string): Promise<void>;
  /** As `write`, of pieces as they come, each bytes of any length, so that a large file is never in memory. Absent where a store keeps its files there. */
  writePieces?(file: string, pieces: AsyncIterable<Uint8Array>): Promise<void>;
  /** Adds to the end of a file, which is made if need be. After a crash the last line may be cut short. `text` becomes UTF-8. */
  append(file: string, text: string): Promise<void>;
  /** Whether there is a `file` of this name. */
  has(file: string): Promise<boolean>;
  /**
   * Keeps other processes from writing to the run; resolves to what lets them again. Absent where there are none. Throws `ConfigError` while another
   * one holds it.
   */
  lock?(): Promise<() => Promise<void>>;
}

const encoder = new TextEncoder();
const bytesOf = (content: Uint8Array | string): Uint8Array => (typeof content === "string" ? encoder.encode(content) : content);

/**
 * A run that is gone when the program ends.
 * @param name what messages call it
 */
export function memoryStore(name = "a run in memory"): RunStore {
  expectArguments("memoryStore", "text", { name });
  const files = new Map<string, Uint8Array[]>();
  return {
    name,
    read: async (file) => (files.has(file) ? joinedBytes(files.get(file)!) : undefined),
    write: async (file, content) => void files.set(file, [bytesOf(content).slice()]),
    async append(file, text) {
      const parts = files.get(file);
      if (parts) parts.push(encoder.encode(text));
      else files.set(file, [encoder.encode(text)]);
    },
    has: async (file) => files.has(file),
  };
}

/** Writes pieces to a store, in one where it has no other way. */
export async function writePieces(store: RunStore, file: string, pieces: AsyncIterable<Uint8Array>): Promise<void> {
  if (store.writePieces) return store.writePieces(file, pieces);
  const all: Uint8Array[] = [];
  for await (const piece of pieces) all.push(piece);
  await store.write(file, joinedBytes(all));
}

/** The store. Throws `ConfigError` for what is none. */
export function expectStore(op: string, store: RunStore): RunStore {
  expectFields(op, "store", store, { name: "text", read: "function", write: "function", append: "function" });
  return store;
}
