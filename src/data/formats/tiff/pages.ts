/** @file The directories of a TIFF file: what each page is, and where its strips or tiles lie. */

import type { Fail } from "../../../host/bytes/budget.ts";
import { type ReadRange, windowed } from "../byte_source.ts";
import type { StoredType } from "../voxel_block.ts";
import type { Described } from "./roles.ts";

/** A page, checked. */
export interface Page {
  readonly width: number;
  readonly height: number;
  readonly channels: number;
  readonly bits: number;
  readonly dtype: StoredType;
  readonly compression: number;
  readonly predictor: number;
  readonly photometric: number;
  readonly planar: boolean;
  readonly tiled: boolean;
  /** Size of a tile, or of a strip. */
  readonly tile: { readonly width: number; readonly height: number };
  readonly offsets: readonly number[];
  /** Bytes of each; none where nobody counted. */
  readonly counts: readonly number[];
  /** Whether the lowest bit of a byte comes first. */
  readonly lowFirst: boolean;
  /** Tables of all its JPEG streams; none of other pages. */
  readonly jpegTables: readonly number[];
}

/** Bytes of a value by type. */
const sizes: Readonly<Record<number, number>> = { 1: 1, 2: 1, 3: 2, 4: 4, 5: 4, 6: 1, 7: 1, 8: 2, 9: 4, 13: 4, 16: 8, 18: 8 };
/** Numbers of the fields of a directory (TIFF 6.0). */
export const tag = {
  subfile: 254, oldSubfile: 255, width: 256, height: 257, bits: 258, compression: 259, photometric: 262, fillOrder: 266, description: 270, stripOffsets: 273,
  orientation: 274, samples: 277, rowsPerStrip: 278,
  stripCounts: 279, xResolution: 282, yResolution: 283, planar: 284, predictor: 317, tileWidth: 322, tileHeight: 323, tileOffsets: 324, tileCounts: 325, extraSamples: 338,
  sampleFormat: 339, jpegTables: 347,
}; // oxfmt-ignore
const known: ReadonlySet<number> = new Set(Object.values(tag));
/** The photometric interpretation of colors that are to become red, green and blue. */
export const ycbcr = 6;
/** No file has more pages. */
export const mostPages = 1 << 16;

type Entries = ReadonlyMap<number, readonly number[]>;

/** A file whose directories may lie anywhere in it. */
export interface TiffFile {
  readonly size: number;
  /** The bytes of a range that lies in the file. */
  readonly read: ReadRange;
}

/** Reads a file by windows. */
export const tiffFile = (blob: Blob): TiffFile => ({
  size: blob.size,
  read: windowed(async (from, to) => new Uint8Array(await blob.slice(from, to).arrayBuffer()), blob.size),
});

/** What the directories of a file say. */
export interface TiffPages {
  /** Without those that are small copies of others. */
  readonly pages: readonly Page[];
  readonly littleEndian: boolean;
  readonly described: Described;
  /** How the first is to be turned when it is shown; 1: as it is. */
  readonly orientation: number;
}

/** The pages of a file. @throws FormatError (by `fail`) */
export async function readPages(file: TiffFile, fail: Fail): Promise<TiffPages> {
  if (file.size < 8) throw fail(`has ${file.size} bytes; a TIFF header has 8; the file is cut short`);
  const littleEndian = (await file.read(0, 1))[0] === 0x49;
  const view = async (from: number, length: number): Promise<DataView> => {
    if (!(from >= 0 && from + length <= file.size))
      throw fail("a directory lies behind the end of the file; it is cut short or damaged");
    const { buffer, byteOffset } = await file.read(from, from + length);
    return new DataView(buffer, byteOffset, length);
  };
  const number = (from: DataView, at: number, size: number): number => {
    if (size === 1) return from.getUint8(at);
    if (size === 2) return from.getUint16(at, littleEndian);
    return size === 4 ? from.getUint32(at, littleEndian) : Number(from.getBigUint64(at, littleEndian));
  };
  const version = number(await view(2, 2), 0, 2);
  if (version !== 42 && version !== 43) throw fail(`the version is ${version}; expected 42 (TIFF) or 43 (BigTIFF)`);
  const [word, countBytes, entryBytes] = version === 43 ? [8, 8, 20] : [4, 2, 12];
  const pages: Page[] = [];
  let head: Entries | undefined;
  let description = "";
  const seen = new Set<number>();
  let values = 0;
  for (let at = number(await view(word, word), 0, word); at !== 0;) {
    if (seen.has(at) || seen.size >= mostPages)
      throw fail("the directories go in a circle, or are too many; the file is damaged");
    seen.add(at);
    const count = number(await view(at, countBytes), 0, countBytes);
    if (count > 4096) throw fail(`a directory has ${count} entries; the file is damaged`);
    const directory = await view(at + countBytes, count * entryBytes + word);
    const entries = new Map<number, number[]>();
    for (let i = 0, e = 0; i < count; i++, e += entryBytes) {
      const id = number(directory, e, 2);
      const type = number(directory, e + 2, 2);
      const size = sizes[type];
      // A fraction is two numbers.
      const n = number(directory, e + 4, word) * (type === 5 ? 2 : 1);
      // What is damaged among the others harms nobody.
      if (size === undefined || !known.has(id)) continue;
      values += n;
      // All values of all pages are in the file, so there are no more of them than bytes.
      if (values > file.size) throw fail(`tag ${id} has ${n} values, more than the file has room for`);
      const inside = n * size <= word;
      const from = inside ? e + 4 + word : number(directory, e + 4 + word, word);
      if (id === tag.description) {
        // Of the first page alone, and only what is there.
        if (pages.length > 0 || from + n > file.size) continue;
        const { buffer, byteOffset } = inside ? directory : await view(from, n);
        const bytes = new Uint8Array(buffer, byteOffset + (inside ? from : 0), n);
        const end = bytes.indexOf(0);
        description = new TextDecoder().decode(end < 0 ? bytes : bytes.subarray(0, end));
        continue;
      }
      if (!inside && from + n * size > file.size)
        throw fail(`tag ${id} lies behind the end of the file; it is cut short or damaged`);
      const list = inside ? directory : await view(from, n * size);
      entries.set(
        id,
        Array.from({ length: n }, (_, k) => number(list, (inside ? from : 0) + k * size, size)),
      );
    }
    if (((entries.get(tag.subfile)?.[0] ?? 0) & 5) === 0 && entries.get(tag.oldSubfile)?.[0] !== 2) {
      head ??= entries;
      pages.push(pageOf(entries, fail));
    }
    at = number(directory, count * entryBytes, word);
  }
  if (!head) throw fail("has no picture; it is damaged");
  const perUnit = (id: number) => {
    const [numerator, denominator] = head.get(id) ?? [0, 1];
    return numerator / denominator;
  };
  const resolution = [perUnit(tag.xResolution), perUnit(tag.yResolution)] as const;
  return {
    pages,
    littleEndian,
    described: { description, resolution, samples: pages[0].channels },
    orientation: head.get(tag.orientation)?.[0] ?? 1,
  };
}

function pageOf(entries: Entries, fail: Fail): Page {
  const one = (id: number, otherwise?: number): number => {
    const value = entries.get(id)?.[0] ?? otherwise;
    if (value === undefined) throw fail(`tag ${id} is missing`);
    return value;
  };
  const [width, height] = [one(tag.width), one(tag.height)];
  const channels = one(tag.samples, 1);
  if (!(width >= 1 && height >= 1 && channels >= 1 && Number.isSafeInteger(width * height * channels * 64))) {
    throw fail(`the size is ${width} × ${height} with ${channels} channels`);
  }
  const allBits = entries.get(tag.bits) ?? [1];
  const bits = allBits[0];
  const format = one(tag.sampleFormat, 1);
  const dtype = allBits.every((b) => b === bits) ? typeOf(bits, format) : undefined;
  if (!dtype)
    throw fail(
      `samples have ${allBits.slice(0, 4).join(", ")} bits in format ${format}; expected integers of 1 to 32 or 64 bits, or floats of 16, 32 or 64`,
    );
  // Old writers have the places of tiles where those of strips stand.
  const tiled = entries.has(tag.tileOffsets) || entries.has(tag.tileWidth);
  const tile = tiled
    ? { width: one(tag.tileWidth), height: one(tag.tileHeight) }
    : { width, height: Math.min(one(tag.rowsPerStrip, height), height) };
  if (!(tile.width >= 1 && tile.height >= 1) || tile.width * tile.height > 2 ** 32)
    throw fail(`tiles are ${tile.width} × ${tile.height}`);
  const photometric = one(tag.photometric, 1);
  const compression = one(tag.compression, 1);
  const planar = one(tag.planar, 1) === 2 && channels > 1;
  if (photometric === ycbcr && (compression !== 7 || channels !== 3 || planar))
    throw fail("the colors are YCbCr; save the picture with red, green and blue");
  // JPEG has its own, and a tag that another compression left says nothing.
  const predictor = compression === 7 ? 1 : one(tag.predictor, 1);
  const floats = dtype === "f32" || dtype === "f64" || dtype === "f16";
  if (!(predictor === 1 || (predictor === 2 && isWhole(bits)) || (predictor === 3 && floats)))
    throw fail(`predictor ${predictor} is not one for ${bits} bits`);
  return {
    width,
    height,
    channels,
    bits,
    dtype,
    predictor,
    photometric,
    tiled,
    tile,
    compression,
    planar,
    offsets: (tiled ? entries.get(tag.tileOffsets) : undefined) ?? entries.get(tag.stripOffsets) ?? [],
    counts: (tiled ? entries.get(tag.tileCounts) : undefined) ?? entries.get(tag.stripCounts) ?? [],
    lowFirst: one(tag.fillOrder, 1) === 2,
    jpegTables: entries.get(tag.jpegTables) ?? [],
  };
}

/** Whether samples take whole words of memory and are not packed bit by bit. */
export const isWhole = (bits: number): boolean => [8, 16, 32, 64].includes(bits);

function typeOf(bits: number, format: number): StoredType | undefined {
  if (!isWhole(bits)) return format === 1 && bits >= 1 && bits < 32 ? (bits < 8 ? "u8" : bits < 16 ? "u16" : "u32") : undefined;
  const name = `${{ 1: "u", 2: "i", 3: "f", 4: "u" }[format] ?? "x"}${bits}`;
  return (["u8", "u16", "u32", "u64", "i8", "i16", "i32", "i64", "f16", "f32", "f64"] as const).find((t) => t === name);
}
