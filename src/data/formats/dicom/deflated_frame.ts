/** @file Deflated Image Frame Compression (PS3.5 annex A.4): each frame is a stream of deflate. */

import type { Fail } from "../../../host/bytes/budget.ts";
import { piecesOf } from "../../../host/bytes/gunzip.ts";
import { joinedBytes } from "../../../host/bytes/words.ts";

/** The first `size` bytes of a frame; memory is asked for as they arrive. @throws FormatError (by `fail`) for a stream that is damaged or too short */
export async function inflateFrame(packed: Uint8Array, size: number, fail: Fail): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  let have = 0;
  try {
    const stream = new Blob([packed as Uint8Array<ArrayBuffer>]).stream().pipeThrough(new DecompressionStream("deflate-raw"));
    for await (const piece of piecesOf(stream)) {
      parts.push(piece);
      have += piece.length;
      if (have >= size) break;
    }
  } catch (cause) {
    // A byte of padding makes the length of a frame even, and some platforms refuse it.
    if (have < size) throw Object.assign(fail(`a deflated frame is damaged: ${(cause as Error).message}`), { cause });
  }
  if (have < size) throw fail(`a deflated frame has ${have} bytes; expected ${size}; the file is cut short or damaged`);
  return joinedBytes(parts).subarray(0, size);
}
