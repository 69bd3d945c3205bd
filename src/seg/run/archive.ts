/** @file Files as one archive: how a page hands a run on, whose folder it cannot show. */

import { expectArguments } from "../../host/kinds.ts";
import { crc32 } from "../../host/bytes/crc32.ts";
import { zipRecords } from "../../host/bytes/zip_write.ts";
import { expectOptions } from "../../host/options.ts";
import type { AbortSignal, Blob } from "../../host/platform.ts";

/** Options of `zipFiles`. */
export interface ZipOptions {
  /** Told before each file how many are `done` of `total`. */
  readonly onProgress?: ((done: number, total: number) => void) | undefined;
  /** Ends it with the signal's reason. */
  readonly signal?: AbortSignal | undefined;
}

// Read at a time, since a checkpoint may be larger than memory has room for.
const piece = 2 ** 22;

async function checksumOf(file: Blob, signal: AbortSignal | undefined): Promise<number> {
  let crc = 0;
  for (let from = 0; from < file.size; from += piece) {
    signal?.throwIfAborted();
    crc = crc32(new Uint8Array(await file.slice(from, from + piece).arrayBuffer()), crc);
  }
  return crc;
}

/**
 * A ZIP archive of files as they are, not compressed (PKWARE APPNOTE 6.3); the same files give the same bytes. They are read once, in pieces, for their
 * checksums, and are parts of what comes back, so that no copy of them is in memory.
 *
 * @param files contents by their paths in the archive, with "/" between folders
 * @throws FormatError beyond 4 GiB or 65,535 files
 */
export async function zipFiles(files: ReadonlyMap<string, Blob>, options: ZipOptions = {}): Promise<Blob> {
  expectOptions("zipFiles", options, "onProgress signal");
  expectArguments("zipFiles", "map", { files });
  const { onProgress, signal } = options;
  const members: { readonly name: string; readonly size: number; readonly crc: number }[] = [];
  for (const [name, file] of files) {
    onProgress?.(members.length, files.size);
    members.push({ name, size: file.size, crc: await checksumOf(file, signal) });
  }
  const { headers, directory } = zipRecords(members);
  const parts = [...files.values()].flatMap((file, i) => [headers[i], file]);
  return new Blob([...parts, directory], { type: "application/zip" });
}
