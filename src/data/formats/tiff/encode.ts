/**
 * @file Writes TIFF 6.0: a page per slice, in one strip, packed by zlib as nnU-Net's and ImageJ's are; three and four channels of whole numbers up to 16 bits
 * are colors.
 */

import { joinedBytes, type Word, words } from "../../../host/bytes/words.ts";
import { deflate } from "../../../host/bytes/inflate.ts";
import type { TypedArray } from "../../../host/array.ts";
import { DataError } from "../../../host/errors.ts";
import { elements, type NativeName, nativeOf } from "../../../host/elements.ts";
import { encodeBlock } from "../voxel_block.ts";
import { tag } from "./pages.ts";

/** A field of a directory: type and count of its values, and the numbers of 16 or 32 bits that they consist of. */
interface Field {
  readonly id: number;
  readonly type: 2 | 3 | 4 | 5;
  readonly count: number;
  readonly bytes: 2 | 4;
  readonly values: readonly number[];
}

const short = (id: number, ...values: number[]): Field => ({ id, type: 3, count: values.length, bytes: 2, values });
const long = (id: number, ...values: number[]): Field => ({ id, type: 4, count: values.length, bytes: 4, values });

function text(id: number, value: string): Field {
  const letters = new TextEncoder().encode(`${value}\0`);
  const values = Array.from(
    { length: Math.ceil(letters.length / 2) },
    (_, i) => letters[2 * i] | ((letters[2 * i + 1] ?? 0) << 8),
  );
  return { id, type: 2, count: letters.length, bytes: 2, values };
}

/** The nearest fraction p / q of numbers of 32 bits, by its continued one. */
function ratio(x: number): [p: number, q: number] {
  let before: readonly [number, number] = [0, 1];
  let last: readonly [number, number] = [1, 0];
  for (let rest = x; ;) {
    const whole = Math.floor(rest);
    const next = [whole * last[0] + before[0], whole * last[1] + before[1]] as const;
    if (next[0] >= 2 ** 32 || next[1] >= 2 ** 32) break;
    [before, last] = [last, next];
    if (rest === whole || Math.abs(next[0] / next[1] - x) < 1e-15 * x) break;
    rest = 1 / (rest - whole);
  }
  return [last[0], last[1]];
}

/** Pixels to a unit where one has this side. */
function perUnit(id: number, side: number): Field {
  const [p, q] = ratio(side);
  return { id, type: 5, count: 1, bytes: 4, values: [q, p] };
}

const deflated = 8;
const [gray, rgb] = [1, 2];
const [unsigned, signed, float] = [1, 2, 3];

/** What all pages have in common. */
function fieldsOf(channels: number, width: number, height: number, dtype: NativeName): Field[] {
  const { bytes, kind } = elements[dtype];
  const colors = dtype === "u8" || dtype === "u16" ? (channels === 3 || channels === 4 ? 3 : 1) : 1;
  const format = kind === "float" ? float : dtype.startsWith("u") ? unsigned : signed;
  const each = (value: number) => Array.from({ length: channels }, () => value);
  const extra = channels - colors;
  return [
    long(tag.width, width),
    long(tag.height, height),
    short(tag.bits, ...each(8 * bytes)),
    short(tag.photometric, colors === 3 ? rgb : gray),
    short(tag.samples, channels),
    long(tag.rowsPerStrip, height),
    ...(extra > 0 ? [short(tag.extraSamples, ...each(0).slice(0, extra))] : []),
    short(tag.sampleFormat, ...each(format)),
  ];
}

/** The directory that stands at `at`, and behind it the values that it has no room for. The next one follows, unless this is the last. */
function directory(at: number, fields: readonly Field[], last: boolean): Uint8Array {
  const sorted = fields.toSorted((a, b) => a.id - b.id);
  const behind: Word[] = [];
  let end = at + 2 + 12 * sorted.length + 4;
  const entries = sorted.flatMap(({ id, type, count, bytes, values }): Word[] => {
    const own = values.map((v): Word => [v, bytes]);
    const size = bytes * values.length;
    if (size === 2) own.push([0, 2]);
    if (size <= 4) return [[id, 2], [type, 2], [count, 4], ...own];
    const place = end;
    behind.push(...own);
    end += size;
    return [
      [id, 2],
      [type, 2],
      [count, 4],
      [place, 4],
    ];
  });
  return words([sorted.length, 2], ...entries, [last ? 0 : end, 4], ...behind);
}

const resolutionUnit = 296;

/** Lengths of a voxel's sides. */
export interface VoxelSize {
  readonly sides: readonly [number, number, number];
  readonly units: "mm" | "um" | "m";
}

/** The size of voxels as ImageJ has it: pixels to a unit, and lines of a description. Others read nothing of the third side. */
function sizeFields({ sides, units }: VoxelSize, slices: number, first: boolean): Field[] {
  // Sides that no such fraction comes near are left out.
  const fit = sides.slice(0, 2).every((side) => {
    const [p, q] = ratio(side);
    return Math.abs(p / q - side) < 1e-6 * side;
  });
  if (!fit) return [];
  const pixels = [perUnit(tag.xResolution, sides[0]), perUnit(tag.yResolution, sides[1]), short(resolutionUnit, 1)];
  const unit = units === "um" ? "\\u00B5m" : units;
  const lines = [
    "ImageJ=1.54f",
    `images=${slices}`,
    ...(slices > 1 ? [`slices=${slices}`] : []),
    `unit=${unit}`,
    `spacing=${sides[2]}`,
  ];
  return first ? [...pixels, text(tag.description, `${lines.join("\n")}\n`)] : pixels;
}

/**
 * A TIFF file of `[C, width, height, slices]`, little-endian.
 * @param voxel what a voxel measures, if that is known
 * @throws DataError for more than the 4 GiB that such a file can have
 */
export async function encodeTiff(
  shape: readonly number[],
  data: TypedArray,
  compress: boolean,
  voxel?: VoxelSize,
): Promise<Uint8Array<ArrayBuffer>> {
  const [channels, width, height, slices] = shape;
  const strides = [width * height * slices, height * slices, slices, 1];
  const samples = encodeBlock(data, { sizes: [channels, width, height, slices], strides });
  const common = fieldsOf(channels, width, height, nativeOf(data)!);
  const size = samples.length / slices;
  const strips: Uint8Array[] = [];
  for (let i = 0; i < slices; i++) {
    const strip = samples.subarray(i * size, (i + 1) * size);
    strips.push(compress ? await deflate(strip, "deflate") : strip);
  }
  const first = strips.reduce((n, { length }) => n + even(length), 8);
  const parts: Uint8Array[] = [words([0x4949, 2], [42, 2], [first, 4])];
  const directories: Uint8Array[] = [];
  let [from, at] = [8, first];
  for (const [i, strip] of strips.entries()) {
    const place = [
      short(tag.compression, compress ? deflated : 1),
      long(tag.stripOffsets, from),
      long(tag.stripCounts, strip.length),
    ];
    const measures = voxel ? sizeFields(voxel, slices, i === 0) : [];
    const fields = directory(at, [...common, ...place, ...measures], i === slices - 1);
    if (at + fields.length >= 2 ** 32)
      throw new DataError(
        `writeImage: a TIFF has at most 4 GiB, these are ${slices} slices of ${size} bytes; write NIfTI or NRRD`,
      );
    parts.push(strip, new Uint8Array(even(strip.length) - strip.length));
    directories.push(fields);
    from += even(strip.length);
    at += fields.length;
  }
  return joinedBytes([...parts, ...directories]);
}

/** Whatever offsets point to begins at even ones. */
const even = (length: number): number => length + (length % 2);
