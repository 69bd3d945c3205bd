/** @file What headers of text have in common: finding their end, numbers, geometry of ITK's kind, voxels as text. */

import type { Fail } from "../../host/bytes/budget.ts";
import type { TypedArray } from "../../host/array.ts";
import { elements, integerRange } from "../../host/elements.ts";
import { affineProblem, type Affine, type SpaceUnit } from "../volume.ts";
import type { ByteSource } from "./byte_source.ts";
import { moveElements, bitsOf } from "./strided_move.ts";
import { stridesOf } from "../../host/shape.ts";
import type { VoxelBlock } from "./voxel_block.ts";

/** No header of text is longer: lists of thousands of files are in there. */
const longestHeader = 1 << 24;

/**
 * The text of a header, and where it ends: at the latest with the file, which may be the header alone.
 * @param endOf where the header ends in these bytes, undefined if that is further on
 */
export async function headerText(
  source: ByteSource,
  endOf: (bytes: Uint8Array) => number | undefined,
): Promise<{ readonly text: string; readonly end: number } | undefined> {
  for (let size = 1 << 12; ; size *= 8) {
    const head = await source.head(Math.min(size, longestHeader));
    const end = endOf(head) ?? (head.length < size ? head.length : undefined);
    if (end !== undefined) return { text: new TextDecoder("latin1").decode(head.subarray(0, end)), end };
    if (size >= longestHeader) return undefined;
  }
}

/** Numbers apart by spaces or commas. @throws FormatError (by `fail`) for other text, and for another number of them */
export function numbersIn(text: string, field: string, fail: Fail, count?: number): number[] {
  const words = text
    .trim()
    .split(/[\s,]+/)
    .filter((w) => w !== "");
  const numbers = words.map((w) =>
    /^[-+]?nan$/i.test(w) ? NaN : /^[-+]?inf(inity)?$/i.test(w) ? (w.startsWith("-") ? -Infinity : Infinity) : Number(w),
  );
  const wrong = words.find((w, i) => Number.isNaN(numbers[i]) && !/nan$/i.test(w));
  if (wrong !== undefined) throw fail(`${field} has ${JSON.stringify(wrong.slice(0, 40))}, which is no number`);
  if (count !== undefined && numbers.length !== count) throw fail(`${field} has ${numbers.length} numbers; expected ${count}`);
  return numbers;
}

/** Sizes of axes. @throws FormatError (by `fail`) */
export function sizesIn(text: string, field: string, fail: Fail, count: number): number[] {
  const sizes = numbersIn(text, field, fail, count);
  const wrong = sizes.find((n) => !(Number.isSafeInteger(n) && n >= 1));
  if (wrong !== undefined) throw fail(`${field} has ${wrong}; expected sizes of 1 or more`);
  if (!Number.isSafeInteger(sizes.reduce((n, s) => n * s, 16)))
    throw fail(`${field} is [${sizes}]; no file holds so many voxels`);
  return sizes;
}

/** A unit of lengths as files name it: that of volumes it becomes, and how many of those it is. */
export interface LengthUnit {
  readonly unit: SpaceUnit;
  readonly scale: number;
}

// A micro sign and a mu, and both as they look where UTF-8 is read byte by byte.
const micro = "(?:u|µ|μ|\u00c2\u00b5|\u00ce\u00bc)";
const lengthUnits: readonly (readonly [name: RegExp, LengthUnit])[] = [
  [/^(mm|millimet(er|re)s?)$/i, { unit: "mm", scale: 1 }],
  [new RegExp(`^(${micro}m|microns?|micromet(er|re)s?)$`, "i"), { unit: "um", scale: 1 }],
  [/^(m|met(er|re)s?)$/i, { unit: "m", scale: 1 }],
  [/^(cm|centimet(er|re)s?)$/i, { unit: "mm", scale: 10 }],
  [/^inch(es)?$/i, { unit: "mm", scale: 25.4 }],
  [/^(nm|nanomet(er|re)s?)$/i, { unit: "um", scale: 1e-3 }],
];

/** What a file's word for a unit of lengths stands for; "unknown" for others and for none. */
export const lengthUnit = (word = ""): LengthUnit =>
  lengthUnits.find(([name]) => name.test(word))?.[1] ?? { unit: "unknown", scale: 1 };

/** Signs of a space's axes in RAS. */
export type SpaceSigns = readonly [number, number, number];

/** Left, posterior, superior: the space of ITK, DICOM and MetaImage. */
export const lps: SpaceSigns = [-1, -1, 1];

/**
 * The RAS affine of axes with a direction each, of which fewer than three are filled up with steps of 1 at right angles.
 * @param columns for each spatial axis of the array its step, in the file's space; components that are missing are 0
 * @throws FormatError (by `fail`) if that is no geometry
 */
export function rasAffine(
  columns: readonly (readonly number[])[],
  origin: readonly number[],
  signs: SpaceSigns,
  field: string,
  fail: Fail,
): Affine {
  const full = columns.slice(0, 3).map((c) => [0, 1, 2].map((r) => c[r] ?? 0));
  while (full.length < 3) full.push(freeDirection(full));
  const affine = [0, 1, 2].map((r) => [
    ...full.map((c) => (c[r] === 0 ? 0 : signs[r] * c[r])),
    (origin[r] ?? 0) === 0 ? 0 : signs[r] * origin[r],
  ]);
  affine.push([0, 0, 0, 1]);
  const problem = affineProblem(affine);
  if (problem) throw fail(`${field} gives a voxel-to-space matrix that ${problem}`);
  return affine;
}

/** A step of 1 at right angles to one or two others: along z for what lies in its plane. */
function freeDirection(columns: readonly (readonly number[])[]): number[] {
  if (columns.length === 2) {
    const [a, b] = columns;
    const cross = [a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]];
    const length = Math.hypot(...cross);
    // A picture whose y points the other way keeps its z.
    if (length > 0) return cross[0] === 0 && cross[1] === 0 ? [0, 0, 1] : cross.map((v) => v / length);
  }
  const axis = columns.length === 0 ? 0 : columns.length;
  return [0, 1, 2].map((r) => (r === axis ? 1 : 0));
}

/**
 * Voxels written as numbers. There are at least two bytes to each, so the file bounds what is asked for.
 * @throws FormatError (by `fail`)
 */
export async function readText(
  pieces: AsyncIterable<Uint8Array>,
  block: VoxelBlock,
  limit: number,
  fail: Fail,
): Promise<TypedArray> {
  const count = block.sizes.reduce((n, s) => n * s, 1);
  if (count > (limit + 1) / 2) throw fail(`${count} voxels are promised, but the file has room for fewer`);
  const { array } = elements[block.dtype];
  const range = integerRange(block.dtype);
  const values = new array(count);
  let [have, rest] = [0, ""];
  const take = (text: string): void => {
    for (const v of numbersIn(text, "the text of the voxels", fail)) {
      if (have === count) return;
      if (Math.abs(v) > Number.MAX_SAFE_INTEGER && (block.dtype === "i64" || block.dtype === "u64"))
        throw fail(`voxel ${have} is about ${v}; 64-bit integers beyond 2^53 cannot be kept exactly`);
      if (range && !(Number.isInteger(v) && v >= range[0] && v <= range[1]))
        throw fail(`voxel ${have} is ${v}, which is no ${block.dtype}`);
      values[have++] = v;
    }
  };
  const decoder = new TextDecoder("latin1");
  for await (const piece of pieces) {
    const text = rest + decoder.decode(piece);
    const cut = Math.max(text.lastIndexOf(" "), text.lastIndexOf("\n"), text.lastIndexOf("\t"), text.lastIndexOf(","));
    rest = text.slice(cut + 1);
    if (rest.length > 400) throw fail(`the text of the voxels has a word of more than 400 letters`);
    take(text.slice(0, cut + 1));
    if (have === count) break;
  }
  if (have < count) take(rest);
  if (have < count)
    throw fail(`${count} voxels are promised, but the file ends after ${have}; it is cut short or its header is damaged`);
  const out = new array(count);
  const inFile = stridesOf([...block.sizes].reverse()).reverse();
  const axes = block.sizes.map((size, a) => ({ size, from: inFile[a], to: block.strides[a] }));
  const width = values.BYTES_PER_ELEMENT;
  moveElements(bitsOf(new Uint8Array(values.buffer), width), bitsOf(new Uint8Array(out.buffer), width), axes, { from: 0, to: 0 });
  return out;
}
