/**
 * @file Damage behind what would give it away: inside of what is packed, with the checksums of what it became, in the fields of directories. Plain damage of
 * such files is mostly found by the first checksum, and what comes behind is never tried.
 */

import { gunzipSync, gzipSync } from "node:zlib";
import { crc32 } from "../../../src/host/bytes/crc32.ts";

/** Plain damage. */
type Damage = (bytes: Uint8Array) => Uint8Array;
/** A whole number from 0 to below n. */
type Below = (n: number) => number;

/** A damaged copy of a file whose outside is sound; undefined for a file of which nothing is known. */
export function innerDamage(bytes: Uint8Array, damaged: Damage, below: Below): Uint8Array | undefined {
  const text = String.fromCharCode(...bytes.subarray(0, 4));
  if (text.startsWith("\x1f\x8b")) return gzipSync(damaged(gunzipSync(bytes)));
  if (text === "\x89PNG") return png(bytes, damaged, below);
  if (text === "PK\x03\x04") return zip(bytes, below);
  if (/^(II|MM)/.test(text)) return tiff(bytes, below);
  if (text.startsWith("\xff\xd8\xff")) return jpeg(bytes, below);
  return undefined;
}

const viewOf = (bytes: Uint8Array) => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);

/** Chunks changed, left out or doubled, each with its length and checksum. */
function png(bytes: Uint8Array, damaged: Damage, below: Below): Uint8Array {
  const chunks: { type: Uint8Array; data: Uint8Array }[] = [];
  for (let at = 8; at + 12 <= bytes.length;) {
    const length = viewOf(bytes).getUint32(at);
    chunks.push({ type: bytes.subarray(at + 4, at + 8), data: bytes.subarray(at + 8, at + 8 + length) });
    at += 12 + length;
  }
  const hit = below(chunks.length);
  const kind = below(6);
  const parts = chunks.flatMap(({ type, data }, i) => {
    if (i !== hit || kind > 2) return [chunk(type, i === hit ? damaged(data) : data)];
    const one = chunk(type, data);
    return kind === 0 ? [] : kind === 1 ? [one, one] : [chunk(type, new Uint8Array(0))];
  });
  return new Uint8Array(Buffer.concat([bytes.subarray(0, 8), ...parts]));
}

function chunk(type: Uint8Array, data: Uint8Array): Uint8Array {
  const out = new Uint8Array(12 + data.length);
  viewOf(out).setUint32(0, data.length);
  out.set(type, 4);
  out.set(data, 8);
  viewOf(out).setUint32(8 + data.length, crc32(out.subarray(4, 8 + data.length)));
  return out;
}

/** Numbers that break things. */
const nasty = [0, 1, 2, 3, 255, 65535, 65536, 2 ** 31 - 1, 2 ** 31, 2 ** 32 - 1];

/** A field of a header or of the directory made large, small or another. */
function zip(bytes: Uint8Array, below: Below): Uint8Array {
  const out = bytes.slice();
  const marks = ["PK\x03\x04", "PK\x01\x02", "PK\x05\x06"].flatMap((mark) => {
    const at = Buffer.from(out).lastIndexOf(Buffer.from(mark, "latin1"));
    return at < 0 ? [] : [at];
  });
  const at = Math.min(marks[below(marks.length)] + 4 + below(42), out.length - 4);
  viewOf(out).setUint32(at, nasty[below(nasty.length)], true);
  return out;
}

/** An entry of a directory with another tag, type, count or value. */
function tiff(bytes: Uint8Array, below: Below): Uint8Array {
  const out = bytes.slice();
  const view = viewOf(out);
  const little = out[0] === 0x49;
  const big = view.getUint16(2, little) === 43;
  const start = big ? Number(view.getBigUint64(8, little)) : view.getUint32(4, little);
  const count = view.getUint16(start + (big ? 6 * Number(!little) : 0), little);
  for (let changes = 1 + below(2); changes > 0; changes--) {
    const entry = start + (big ? 8 : 2) + below(count + 1) * (big ? 20 : 12);
    const field = below(4);
    const at = entry + [0, 2, 4, big ? 12 : 8][field];
    if (at + 4 > out.length) continue;
    if (field < 2) view.setUint16(at, field === 0 ? 254 + below(90) : below(20), little);
    else view.setUint32(at, below(2) === 0 ? nasty[below(nasty.length)] : below(2 * out.length), little);
  }
  return out;
}

/** A segment with another length or content. */
function jpeg(bytes: Uint8Array, below: Below): Uint8Array {
  const out = bytes.slice();
  const view = viewOf(out);
  const starts: number[] = [];
  for (let at = 2; at + 4 <= out.length && out[at] === 0xff && out[at + 1] !== 0xda;) {
    starts.push(at);
    at += 2 + view.getUint16(at + 2);
  }
  const at = starts[below(starts.length)];
  const length = view.getUint16(at + 2);
  if (below(3) === 0) view.setUint16(at + 2, nasty[below(6)]);
  else out[at + 4 + below(Math.max(1, length - 2))] = [0, 1, 255, below(256)][below(4)];
  return out;
}
