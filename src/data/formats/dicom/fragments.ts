/** @file Encapsulated pixels (PS3.5 annex A.4): the packed bytes of each frame from fragments, by whatever tells where frames begin. */

import type { Fail } from "../../../host/bytes/budget.ts";
import { joinedBytes } from "../../../host/bytes/words.ts";
import { type ReadRange, windowed } from "../byte_source.ts";
import type { Packing } from "./transfer_syntax.ts";

interface Fragment {
  /** Where its item begins, counted from the first one, as offset tables do. */
  readonly offset: number;
  /** Where its bytes are. */
  readonly at: number;
  readonly length: number;
  /** Its first bytes, of which a codec's stream is known. */
  readonly begin: Uint8Array;
}

/** Extended offset table (PS3.3 section C.7.6.3.1.8), which is empty in most files. */
export interface ExtendedTable {
  readonly offsets: readonly number[];
  readonly lengths: readonly number[];
}

/** The value of pixel data, from its first item on. */
export interface PackedPixels {
  readonly size: number;
  readonly read: ReadRange;
}

/**
 * The packed bytes of each frame, read where they are wanted.
 * @throws FormatError if the fragments cannot be told apart into so many frames
 */
export async function packedFrames(
  pixels: PackedPixels,
  frames: number,
  packing: Packing,
  table: ExtendedTable,
  fail: Fail,
): Promise<(frame: number) => Promise<Uint8Array>> {
  const { basic, fragments } = await readFragments(pixels, fail);
  if (fragments.length < frames && !(frames > 1 && table.offsets.length === frames))
    throw fail(`has ${frames} frames, but ${fragments.length} fragments of packed pixels; it is cut short or damaged`);
  const starts = startsOf(fragments, basic, frames, packing, table, fail);
  const lengths = fragments.length > frames && frames > 1 && table.offsets.length === frames ? table.lengths : [];
  return async (frame) => {
    const parts = fragments.slice(starts[frame], starts[frame + 1] ?? fragments.length);
    const all = joinedBytes(await Promise.all(parts.map(({ at, length }) => pixels.read(at, at + length))));
    return lengths[frame] === undefined ? all : all.subarray(0, lengths[frame]);
  };
}

/** The number of the first fragment of each frame. */
function startsOf(
  fragments: readonly Fragment[],
  basic: readonly number[],
  frames: number,
  packing: Packing,
  table: ExtendedTable,
  fail: Fail,
): readonly number[] {
  if (fragments.length === frames) return fragments.map((_, i) => i);
  if (frames === 1) return [0];
  if (table.offsets.length === frames) return byOffsets(fragments, table.offsets, fail);
  if (basic.length === frames) return byOffsets(fragments, basic, fail);
  return byMarks(fragments, frames, packing, fail);
}

async function readFragments(pixels: PackedPixels, fail: Fail): Promise<{ basic: number[]; fragments: Fragment[] }> {
  const { size } = pixels;
  const read = windowed(pixels.read, size);
  const cursor = { at: 0 };
  const cutShort = (wanted: number) =>
    fail(`${wanted} bytes are wanted, ${size - cursor.at} are left; the file is damaged or cut short`);
  const next = async (): Promise<Omit<Fragment, "offset"> | undefined> => {
    if (cursor.at + 8 > size) throw cutShort(8);
    const bytes = await read(cursor.at, Math.min(size, cursor.at + 11));
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    const [group, element, length] = [view.getUint16(0, true), view.getUint16(2, true), view.getUint32(4, true)];
    if (group !== 0xfffe || (element !== 0xe000 && element !== 0xe0dd))
      throw fail(`an item of packed pixels begins with (${group.toString(16)},${element.toString(16)}); the file is damaged`);
    cursor.at += 8;
    if (element === 0xe0dd) return undefined;
    if (length > size - cursor.at) throw cutShort(length);
    cursor.at += length;
    return { at: cursor.at - length, length, begin: bytes.slice(8, 8 + length) };
  };
  const offsets = await next();
  const list = offsets && (await pixels.read(offsets.at, offsets.at + offsets.length));
  const view = list && new DataView(list.buffer, list.byteOffset, list.byteLength);
  const basic = view ? Array.from({ length: Math.floor(view.byteLength / 4) }, (_, i) => view.getUint32(4 * i, true)) : [];
  const fragments: Fragment[] = [];
  const base = cursor.at;
  // Some writers leave the delimiter out.
  for (let part = offsets; part && size - cursor.at >= 8;) {
    const offset = cursor.at - base;
    part = await next();
    if (part) fragments.push({ ...part, offset });
  }
  return { basic, fragments };
}

function byOffsets(fragments: readonly Fragment[], offsets: readonly number[], fail: Fail): number[] {
  const first = new Map(fragments.map(({ offset }, i) => [offset, i]));
  const starts = offsets.map((offset, frame) => {
    const index = first.get(offset);
    if (index === undefined || (frame === 0 && index !== 0))
      throw fail(`the offset of frame ${frame}, ${offset}, is that of no fragment`);
    return index;
  });
  const wrong = starts.findIndex((start, frame) => (starts[frame + 1] ?? fragments.length) <= start);
  if (wrong >= 0) throw fail(`the offsets of frames ${wrong} and ${wrong + 1} do not ascend`);
  return starts;
}

/** Frames that begin where a codec's stream does. */
function byMarks(fragments: readonly Fragment[], frames: number, packing: Packing, fail: Fail): number[] {
  const wavelet = packing === "jpeg2000" || packing === "htj2k";
  const begins = ({ begin: b }: Fragment): boolean => b[0] === 0xff && (wavelet ? b[1] === 0x4f && b[2] === 0xff : b[1] === 0xd8);
  const starts = packing === "rle" ? [] : fragments.flatMap((f, i) => (begins(f) ? [i] : []));
  if (starts.length !== frames || starts[0] !== 0)
    throw fail(`has ${frames} frames in ${fragments.length} fragments, and nothing tells where each frame begins`);
  return starts;
}
