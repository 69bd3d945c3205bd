/** @file The compressions of TIFF 6.0 that are short: PackBits, LZW, deflate; and its predictors. Memory grows with what comes out, up to what is wanted. */

import { viewOf } from "../../../host/array.ts";
import type { Fail } from "../../../host/bytes/budget.ts";
import { GrowingBytes } from "../../../host/bytes/growing.ts";
import { piecesOf } from "../../../host/bytes/gunzip.ts";

/** Compressions that others write (libtiff's numbers). */
const unread: Readonly<Record<number, string>> = {
  2: "fax", 3: "fax", 4: "fax", 6: "JPEG, old style", 33003: "JPEG 2000", 33005: "JPEG 2000", 34712: "JPEG 2000", 34887: "LERC", 34925: "LZMA",
  50000: "zstd", 50001: "WebP", 50002: "JPEG XL", 52546: "JPEG XL",
}; // oxfmt-ignore

/** The bytes of a strip or tile, no more than `size`. @throws FormatError (by `fail`) for damaged data and unknown compressions */
export async function unpack(packed: Uint8Array, compression: number, size: number, fail: Fail): Promise<Uint8Array> {
  if (compression === 1) return packed.subarray(0, size);
  if (compression === 32773) return packBits(packed, size);
  if (compression === 5) return lzw(packed, size, fail);
  if (compression !== 8 && compression !== 32946) {
    const name = unread[compression];
    throw fail(
      `compression ${compression}${name ? ` (${name})` : ""} is not read; save the picture uncompressed, or with deflate, LZW or PackBits`,
    );
  }
  const out = new GrowingBytes(size);
  try {
    const stream = new Blob([packed as Uint8Array<ArrayBuffer>]).stream().pipeThrough(new DecompressionStream("deflate"));
    for await (const piece of piecesOf(stream)) {
      out.push(piece);
      if (out.full) break;
    }
  } catch (error) {
    if (!out.full) throw fail(`a strip cannot be inflated: ${(error as Error).message}`);
  }
  return out.done;
}

function packBits(packed: Uint8Array, size: number): Uint8Array {
  const out = new GrowingBytes(size);
  for (let at = 0; at < packed.length && !out.full;) {
    const n = packed[at++];
    if (n < 128) {
      out.push(packed.subarray(at, at + n + 1));
      at += n + 1;
    } else if (n > 128) {
      const count = out.room(257 - n);
      out.bytes.fill(packed[at++], out.length, out.length + count);
      out.length += count;
    }
  }
  return out.done;
}

const most = 4096;
/** A code of LZW stands for a part of what has come out, and the byte behind it: also while that is being written. */
const [starts, lengths] = [new Uint32Array(most), new Uint32Array(most)];

/** TIFF's LZW: codes of 9 to 12 bits, the highest bit first, that grow one code early. */
function lzw(packed: Uint8Array, size: number, fail: Fail): Uint8Array {
  const [clear, end] = [256, 257];
  const out = new GrowingBytes(size);
  let [bits, held, width, next] = [0, 0, 9, 258];
  let previous = { start: -1, length: 0 };
  for (let at = 0; !out.full;) {
    while (bits < width && at < packed.length) {
      held = ((held << 8) | packed[at++]) & 0xffffff;
      bits += 8;
    }
    if (bits < width) break;
    const code = (held >> (bits - width)) & ((1 << width) - 1);
    bits -= width;
    if (code === end) break;
    if (code === clear) {
      [width, next] = [9, 258];
      previous = { start: -1, length: 0 };
      continue;
    }
    if (previous.start >= 0 && next < most) {
      starts[next] = previous.start;
      lengths[next++] = previous.length + 1;
    }
    if (code >= next || (code > 255 && previous.start < 0)) throw fail("a strip has a wrong LZW code; it is damaged");
    const start = out.length;
    const length = out.room(code < 256 ? 1 : lengths[code]);
    if (code < 256) out.bytes[start] = code;
    else for (let i = 0, from = starts[code]; i < length; i++) out.bytes[start + i] = out.bytes[from + i];
    out.length += length;
    previous = { start, length };
    if (next >= (1 << width) - 1 && width < 12) width++;
  }
  return out.done;
}

/** Undoes predictor 2 (differences of samples) or 3 (of the bytes of floats, the highest first) in rows of native byte order. */
export function undoPredictor(rows: Uint8Array, predictor: number, rowBytes: number, channels: number, width: number): void {
  for (let start = 0; start + rowBytes <= rows.length; start += rowBytes) {
    const row = rows.subarray(start, start + rowBytes);
    if (predictor === 3) undoFloats(row, channels, width);
    else if (width === 1) for (let i = channels; i < row.length; i++) row[i] += row[i - channels];
    else undoWords(row, channels, width);
  }
}

function undoWords(row: Uint8Array, channels: number, width: number): void {
  const view = viewOf(row);
  for (let i = channels; i < row.length / width; i++) {
    const [at, before] = [i * width, (i - channels) * width];
    if (width === 2) view.setUint16(at, view.getUint16(at, true) + view.getUint16(before, true), true);
    else if (width === 4) view.setUint32(at, view.getUint32(at, true) + view.getUint32(before, true), true);
    else view.setBigUint64(at, view.getBigUint64(at, true) + view.getBigUint64(before, true), true);
  }
}

function undoFloats(row: Uint8Array, channels: number, width: number): void {
  for (let i = channels; i < row.length; i++) row[i] += row[i - channels];
  const planes = row.slice();
  const count = row.length / width;
  for (let i = 0; i < count; i++) for (let b = 0; b < width; b++) row[i * width + width - 1 - b] = planes[b * count + i];
}
