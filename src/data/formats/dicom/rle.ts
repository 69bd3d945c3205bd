/** @file RLE Lossless (PS3.5 annex G): the bytes of the samples of a frame in planes, each packed as PackBits does. */

import type { Fail } from "../../../host/bytes/budget.ts";

/**
 * Unpacks a frame.
 * @param samples values per pixel
 * @param width bytes per value
 * @returns the values, little-endian, those of a pixel side by side
 */
export function unpackRle(packed: Uint8Array, pixels: number, samples: number, width: number, fail: Fail): Uint8Array {
  const view = new DataView(packed.buffer, packed.byteOffset, packed.byteLength);
  if (packed.length < 64) throw fail(`an RLE frame has ${packed.length} bytes; its header alone has 64`);
  const planes = view.getUint32(0, true);
  if (planes !== samples * width)
    throw fail(`an RLE frame has ${planes} planes; ${samples} samples of ${width} bytes have ${samples * width}`);
  const out = new Uint8Array(pixels * samples * width);
  for (let plane = 0; plane < planes; plane++) {
    const from = view.getUint32(4 + 4 * plane, true);
    const to = plane + 1 < planes ? view.getUint32(8 + 4 * plane, true) : packed.length;
    if (from < 64 || to < from || to > packed.length)
      throw fail(`plane ${plane} of an RLE frame lies at bytes ${from} to ${to} of ${packed.length}`);
    // The most significant byte comes first.
    const [sample, byte] = [Math.floor(plane / width), width - 1 - (plane % width)];
    const count = unpackBits(packed, from, to, out, sample * width + byte, samples * width);
    if (count < pixels)
      throw fail(`plane ${plane} of an RLE frame has ${count} of ${pixels} bytes; the file is cut short or damaged`);
  }
  return out;
}

/** Unpacks into every `step`-th byte from a place on; what is more than fits is padding. Gives the number of bytes. */
function unpackBits(packed: Uint8Array, from: number, to: number, out: Uint8Array, start: number, step: number): number {
  let write = start;
  const end = out.length;
  for (let at = from; at < to && write < end;) {
    const control = packed[at++];
    if (control < 128) {
      for (let left = Math.min(control + 1, to - at); left > 0 && write < end; left--, write += step) out[write] = packed[at++];
    } else if (control > 128 && at < to) {
      const value = packed[at++];
      for (let left = 257 - control; left > 0 && write < end; left--, write += step) out[write] = value;
    }
  }
  return Math.ceil((write - start) / step);
}
