/**
 * @file TIFF 6.0 and BigTIFF: strips and tiles, several pages, both byte orders, integers of 1 to 64 bits and floats, interleaved and planar channels.
 * Samples are as they are stored, a palette's pixels its indices.
 */

import type { Fail } from "../../../host/bytes/budget.ts";
import type { TypedArray } from "../../../host/array.ts";
import { elements } from "../../../host/elements.ts";
import { readBlock, type StoredType } from "../voxel_block.ts";
import { unpackJpeg } from "./jpeg.ts";
import { isWhole, mostPages, type Page, readPages, tiffFile } from "./pages.ts";
import { planesOfOnePage, type Roles, rolesOf } from "./roles.ts";
import { undoPredictor, unpack } from "./unpack.ts";

/** The pages of a file, as planes of one array `[channels, width, height, slices]`. */
export interface TiffStack extends Pick<Roles, "spacing" | "units" | "timeStep"> {
  readonly data: TypedArray;
  readonly shape: readonly [number, number, number, number];
  readonly dtype: StoredType;
  readonly notes: readonly string[];
}

/** Decodes a TIFF file. @throws FormatError (by `fail`), also for pages that differ in size or type */
export async function decodeTiff(blob: Blob, fail: Fail): Promise<TiffStack> {
  const { pages: found, littleEndian, described, orientation } = await readPages(tiffFile(blob), fail);
  const [first] = found;
  const { width, height, channels, dtype } = first;
  const other = found.findIndex(
    (p) => p.width !== width || p.height !== height || p.channels !== channels || p.dtype !== dtype || p.bits !== first.bits,
  );
  if (other >= 0)
    throw fail(`page ${other + 1} differs from the first in size, channels or type; save the pages as files of their own`);
  const pages = found.length === 1 ? withPlanes(first, planesOfOnePage(described), blob.size, fail) : found;
  const { order, slices, channels: colors, times, note, ...place } = rolesOf(described, pages.length, fail);
  const row = height * slices;
  const plane = width * row;
  const block = {
    dtype,
    littleEndian: true,
    sizes: [channels, width, height, slices, colors * times],
    strides: [plane, row, slices, 1, plane * channels],
  };
  const inOrder = order.map((page) => pages[page]);
  const data = await readBlock(samplesOfPages(inOrder, blob, littleEndian, fail), block, false, fail);
  const notes = [
    ...(first.photometric === 0 ? ["0 is white in this picture (PhotometricInterpretation); samples are kept as they are"] : []),
    ...(orientation > 1 && orientation <= 8
      ? [`this picture is to be turned before it is shown (Orientation ${orientation}); samples are kept as they lie`]
      : []),
    ...(note ? [note] : []),
  ];
  return { data, shape: [channels * colors * times, width, height, slices], dtype, notes, ...place };
}

/** A page and those planes behind it that have no directory: the page alone where they are not there. */
function withPlanes(page: Page, planes: number, fileSize: number, fail: Fail): readonly Page[] {
  const { width, height, channels, bits, offsets, counts } = page;
  const size = Math.ceil((width * channels * bits) / 8) * height;
  const [start] = offsets;
  const joined = offsets.every((at, i) => i === 0 || at === offsets[i - 1] + counts[i - 1]);
  const plain = page.compression === 1 && !page.tiled && !page.planar;
  if (planes === 1 || !plain || !joined || start + planes * size > fileSize) return [page];
  if (planes > mostPages) throw fail(`its description tells of ${planes} planes; at most ${mostPages} are read`);
  const tile = { width, height };
  return Array.from({ length: planes }, (_, i) => ({ ...page, tile, offsets: [start + i * size], counts: [size] }));
}

/** One page after the other, so that no more of the file is in memory than the volume takes. */
async function* samplesOfPages(
  pages: readonly Page[],
  blob: Blob,
  littleEndian: boolean,
  fail: Fail,
): AsyncGenerator<Uint8Array> {
  let left = blob.size;
  // What deflate could make of the file at best.
  let empty = 1032 * blob.size;
  const read = async (from: number, count: number, full: number): Promise<Uint8Array | undefined> => {
    if (from === 0 && count === 0) {
      empty -= full;
      if (empty < 0) throw fail("more of its strips or tiles are left out than such a small file should have");
      return undefined;
    }
    if (from + count > blob.size) throw fail("a strip or tile ends behind the end of the file; it is cut short");
    // A file is no larger than its parts, unless they are the same ones again and again.
    left -= count;
    if (left < 0) throw fail("its strips or tiles lie on one another; it is damaged");
    return new Uint8Array(await blob.slice(from, from + count).arrayBuffer());
  };
  for (const page of pages) yield* samplesOf(page, read, blob.size, littleEndian, fail);
}

/** The bytes of a strip or tile; undefined for one that was left out, of nothing but zeros. */
type Read = (from: number, count: number, full: number) => Promise<Uint8Array | undefined>;

/** The samples of a page, interleaved, little-endian: strip by strip, where they follow each other in strips, else as a whole. */
async function* samplesOf(
  page: Page,
  read: Read,
  fileSize: number,
  littleEndian: boolean,
  fail: Fail,
): AsyncGenerator<Uint8Array> {
  const { width, height, channels, bits, dtype, planar, tile } = page;
  const size = elements[dtype].bytes;
  const perPlane = planar ? 1 : channels;
  const across = Math.ceil(width / tile.width);
  const down = Math.ceil(height / tile.height);
  const wanted = across * down * (planar ? channels : 1);
  const { offsets, counts } = page;
  if (offsets.length < wanted || (counts.length < wanted && (counts.length > 0 || (page.compression !== 1 && wanted > 1))))
    throw fail(`a page has ${offsets.length} strips or tiles and the lengths of ${counts.length}; expected ${wanted}`);
  const rowBytes = Math.ceil((tile.width * perPlane * bits) / 8);
  const partOf = async (i: number): Promise<Uint8Array> => {
    const rows = page.tiled ? tile.height : Math.min(tile.height, height - (Math.floor(i / across) % down) * tile.height);
    const full = rows * rowBytes;
    const from = offsets[i];
    // Nobody need count what is not packed, and one packed strip at most ends with the file.
    const count =
      page.compression !== 1 ? (counts[i] ?? fileSize - from) : from > 0 ? Math.min(full, counts[i] || full) : (counts[i] ?? 0);
    const packed = await read(from, count, full);
    if (!packed) return new Uint8Array(full);
    if (page.lowFirst && page.compression !== 7) reverseBits(packed);
    const part =
      page.compression === 7
        ? await unpackJpeg(packed, page, rows, perPlane, fail)
        : await unpack(packed, page.compression, full, fail);
    if (part.length < full) throw fail(`a strip or tile has ${part.length} bytes; expected ${full}; it is cut short or damaged`);
    // The last strip of a JPEG may have rows that the picture has not.
    return part.subarray(0, full);
  };
  if (!page.tiled && !planar) {
    for (let i = 0; i < wanted; i++) yield widened(await partOf(i), page, rowBytes, perPlane, littleEndian);
    return;
  }
  // Before there is memory for the page, all of it has been read.
  const parts: Uint8Array[] = [];
  for (let i = 0; i < wanted; i++) parts.push(await partOf(i));
  const out = new Uint8Array(width * height * channels * size);
  for (let i = 0; i < wanted; i++) {
    const place = i % (across * down);
    const rows = widened(parts[i], page, rowBytes, perPlane, littleEndian);
    const plane = planar ? Math.floor(i / (across * down)) : 0;
    placeTile(rows, out, page, {
      x: (place % across) * tile.width,
      y: Math.floor(place / across) * tile.height,
      plane,
      perPlane,
      size,
    });
    parts[i] = rows.subarray(0, 0);
  }
  yield out;
}

/** The rows of a tile in whole bytes, little-endian, with the predictor undone: in their place where that fits. */
function widened(rows: Uint8Array, page: Page, rowBytes: number, perPlane: number, littleEndian: boolean): Uint8Array {
  const { bits, tile, predictor, dtype } = page;
  const size = elements[dtype].bytes;
  if (!isWhole(bits)) return unpackedBits(rows, bits, size, tile.width * perPlane, rowBytes);
  // The differences of floats are in one byte order, whatever the file's.
  if (!littleEndian && predictor !== 3) swapElements(rows, size);
  if (predictor > 1) undoPredictor(rows, predictor, rowBytes, perPlane, size);
  return rows;
}

/** Samples that are packed bit by bit, the highest first, in rows that begin with a byte. */
function unpackedBits(part: Uint8Array, bits: number, size: number, perRow: number, rowBytes: number): Uint8Array {
  const rows = Math.floor(part.length / rowBytes);
  const out = new Uint8Array(rows * perRow * size);
  for (let row = 0, to = 0; row < rows; row++) {
    for (let i = 0, bit = row * rowBytes * 8; i < perRow; i++, to += size) {
      let value = 0;
      for (let left = bits; left > 0;) {
        const here = Math.min(left, 8 - (bit & 7));
        value = value * 2 ** here + ((part[bit >> 3] >> (8 - here - (bit & 7))) & ((1 << here) - 1));
        bit += here;
        left -= here;
      }
      for (let b = 0; b < size; b++) out[to + b] = value >>> (8 * b);
    }
  }
  return out;
}

/** Turns the bits of each byte around, in place. */
function reverseBits(bytes: Uint8Array): void {
  for (let i = 0; i < bytes.length; i++) {
    let b = bytes[i];
    b = ((b & 0x0f) << 4) | (b >> 4);
    b = ((b & 0x33) << 2) | ((b >> 2) & 0x33);
    bytes[i] = ((b & 0x55) << 1) | ((b >> 1) & 0x55);
  }
}

function swapElements(bytes: Uint8Array, size: number): void {
  if (size === 1) return;
  for (let at = 0; at + size <= bytes.length; at += size) bytes.subarray(at, at + size).reverse();
}

interface Place {
  readonly x: number;
  readonly y: number;
  readonly plane: number;
  readonly perPlane: number;
  readonly size: number;
}

function placeTile(
  rows: Uint8Array,
  out: Uint8Array,
  { width, height, channels, tile }: Page,
  { x, y, plane, perPlane, size }: Place,
): void {
  const count = Math.min(tile.width, width - x);
  const rowSize = tile.width * perPlane * size;
  for (let r = 0; r < tile.height && y + r < height; r++) {
    const from = r * rowSize;
    const to = ((y + r) * width + x) * channels * size;
    if (perPlane === channels) out.set(rows.subarray(from, from + count * channels * size), to);
    else {
      for (let i = 0; i < count; i++) {
        for (let b = 0; b < size; b++) out[to + (i * channels + plane) * size + b] = rows[from + i * size + b];
      }
    }
  }
}
