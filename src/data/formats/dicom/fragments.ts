/** @file Encapsulated pixels (PS3.5 annex A.4): the packed bytes of each frame from fragments, by whatever tells where frames begin. */

import { ByteReader } from "../../../host/bytes/reader.ts";
import type { Fail } from "../../../host/bytes/budget.ts";
import type { Packing } from "./transfer_syntax.ts";

interface Fragment {
  /** Where its item begins, counted from the first one, as offset tables do. */
  readonly offset: number;
  readonly bytes: Uint8Array;
}

/** Extended offset table (PS3.3 section C.7.6.3.1.8), which is empty in most files. */
export interface ExtendedTable {
  readonly offsets: readonly number[];
  readonly lengths: readonly number[];
}

/**
 * The packed bytes of each frame.
 * @param bytes the value of the pixel data, from its first item on
 * @throws FormatError if the fragments cannot be told apart into so many frames
 */
export function packedFrames(
  bytes: Uint8Array,
  frames: number,
  packing: Packing,
  table: ExtendedTable,
  fail: Fail,
): Uint8Array[] {
  const { basic, fragments } = readFragments(bytes, fail);
  if (fragments.length < frames && !(frames > 1 && table.offsets.length === frames))
    throw fail(`has ${frames} frames, but ${fragments.length} fragments of packed pixels; it is cut short or damaged`);
  if (fragments.length === frames) return fragments.map(({ bytes: b }) => b);
  if (frames === 1) return [joined(fragments)];
  if (table.offsets.length === frames) return byOffsets(fragments, table.offsets, fail, table.lengths);
  if (basic.length === frames) return byOffsets(fragments, basic, fail);
  return byMarks(fragments, frames, packing, fail);
}

function readFragments(bytes: Uint8Array, fail: Fail): { basic: number[]; fragments: Fragment[] } {
  const reader = new ByteReader(bytes, fail);
  const next = (): Uint8Array | undefined => {
    const [group, element, length] = [reader.u16(), reader.u16(), reader.u32()];
    if (group !== 0xfffe || (element !== 0xe000 && element !== 0xe0dd))
      throw fail(`an item of packed pixels begins with (${group.toString(16)},${element.toString(16)}); the file is damaged`);
    return element === 0xe0dd ? undefined : reader.part(length);
  };
  const offsets = next();
  const view = offsets && new DataView(offsets.buffer, offsets.byteOffset, offsets.byteLength);
  const basic = view ? Array.from({ length: Math.floor(view.byteLength / 4) }, (_, i) => view.getUint32(4 * i, true)) : [];
  const fragments: Fragment[] = [];
  const base = reader.at;
  // Some writers leave the delimiter out.
  for (let part = offsets; part && reader.left >= 8;) {
    const offset = reader.at - base;
    part = next();
    if (part) fragments.push({ offset, bytes: part });
  }
  return { basic, fragments };
}

function byOffsets(
  fragments: readonly Fragment[],
  starts: readonly number[],
  fail: Fail,
  lengths?: readonly number[],
): Uint8Array[] {
  const first = new Map(fragments.map(({ offset }, i) => [offset, i]));
  const at = starts.map((start, frame) => {
    const index = first.get(start);
    if (index === undefined || (frame === 0 && index !== 0))
      throw fail(`the offset of frame ${frame}, ${start}, is that of no fragment`);
    return index;
  });
  return at.map((from, frame) => {
    const to = at[frame + 1] ?? fragments.length;
    if (to <= from) throw fail(`the offsets of frames ${frame} and ${frame + 1} do not ascend`);
    const all = joined(fragments.slice(from, to));
    return lengths?.[frame] === undefined ? all : all.subarray(0, lengths[frame]);
  });
}

/** Frames that begin where a codec's stream does. */
function byMarks(fragments: readonly Fragment[], frames: number, packing: Packing, fail: Fail): Uint8Array[] {
  const wavelet = packing === "jpeg2000" || packing === "htj2k";
  const begins = ({ bytes: b }: Fragment): boolean => b[0] === 0xff && (wavelet ? b[1] === 0x4f && b[2] === 0xff : b[1] === 0xd8);
  const starts = packing === "rle" ? [] : fragments.flatMap((f, i) => (begins(f) ? [i] : []));
  if (starts.length !== frames || starts[0] !== 0)
    throw fail(`has ${frames} frames in ${fragments.length} fragments, and nothing tells where each frame begins`);
  return starts.map((from, i) => joined(fragments.slice(from, starts[i + 1] ?? fragments.length)));
}

function joined(fragments: readonly Fragment[]): Uint8Array {
  if (fragments.length === 1) return fragments[0].bytes;
  const out = new Uint8Array(fragments.reduce((sum, f) => sum + f.bytes.length, 0));
  let at = 0;
  for (const { bytes } of fragments) {
    out.set(bytes, at);
    at += bytes.length;
  }
  return out;
}
