/**
 * @file PNG files (ISO/IEC 15948) of all color types and depths, interlaced too. Samples are as they are stored: nothing is stretched to 255, no gamma and
 * no transparency is applied, and a palette's pixels are its indices, as in label maps.
 */

import { viewOf } from "../../../host/array.ts";
import type { Fail } from "../../../host/bytes/budget.ts";
import { crc32 } from "../../../host/bytes/crc32.ts";
import { inflate } from "../../../host/bytes/inflate.ts";
import type { Raster } from "../picture.ts";

/** Samples of a pixel by color type. */
const channelsOf: Readonly<Record<number, number>> = { 0: 1, 2: 3, 3: 1, 4: 2, 6: 4 };
const depthsOf: Readonly<Record<number, readonly number[]>> = {
  0: [1, 2, 4, 8, 16],
  2: [8, 16],
  3: [1, 2, 4, 8],
  4: [8, 16],
  6: [8, 16],
};

interface Header {
  readonly width: number;
  readonly height: number;
  readonly depth: number;
  readonly color: number;
  readonly interlaced: boolean;
}

/** A decoded picture, and its palette of red, green, blue where it has one. */
export interface PngPicture extends Raster {
  readonly palette?: Uint8Array;
}

/** Decodes a PNG file. @throws FormatError (by `fail`) */
export async function decodePng(bytes: Uint8Array, fail: Fail): Promise<PngPicture> {
  const { header, packed, palette } = chunksOf(bytes, fail);
  const { width, height, depth, color, interlaced } = header;
  const channels = channelsOf[color];
  const passes = interlaced ? adam7(width, height) : [{ x: 0, y: 0, dx: 1, dy: 1, width, height }];
  const rowBytes = (w: number) => Math.ceil((w * channels * depth) / 8);
  const size = passes.reduce((n, p) => n + (p.width > 0 ? p.height * (rowBytes(p.width) + 1) : 0), 0);
  // Deflate packs to a thousandth at best, so that a header cannot ask for more.
  if (size > 1032 * packed.length + 1024)
    throw fail(`IHDR promises ${width} × ${height} pixels, but the file has ${packed.length} bytes of them; it is damaged`);
  const lines = await inflate(packed, size, "deflate", (problem) => fail(`the pixels ${problem}`));
  const data = depth === 16 ? new Uint16Array(width * height * channels) : new Uint8Array(width * height * channels);
  let at = 0;
  for (const pass of passes) {
    if (pass.width === 0) continue;
    const row = rowBytes(pass.width);
    unfilter(lines.subarray(at, at + pass.height * (row + 1)), row, Math.max(1, (channels * depth) >> 3), fail);
    for (let y = 0; y < pass.height; y++) {
      const line = lines.subarray(at + y * (row + 1) + 1, at + (y + 1) * (row + 1));
      const first = ((pass.y + y * pass.dy) * width + pass.x) * channels;
      placeRow(line, data, first, pass.width, pass.dx, channels, depth);
    }
    at += pass.height * (row + 1);
  }
  return { width, height, channels, data, ...(palette && { palette }) };
}

function placeRow(
  line: Uint8Array,
  data: Uint8Array | Uint16Array,
  first: number,
  width: number,
  dx: number,
  channels: number,
  depth: number,
): void {
  const step = dx * channels;
  const mask = (1 << depth) - 1;
  for (let x = 0; x < width; x++) {
    for (let c = 0; c < channels; c++) {
      const i = x * channels + c;
      let v: number;
      if (depth === 8) v = line[i];
      else if (depth === 16) v = line[2 * i] * 256 + line[2 * i + 1];
      else v = (line[(i * depth) >> 3] >> (8 - depth - ((i * depth) & 7))) & mask;
      data[first + x * step + c] = v;
    }
  }
}

function chunksOf(bytes: Uint8Array, fail: Fail): { header: Header; packed: Uint8Array; palette?: Uint8Array } {
  const view = viewOf(bytes);
  const parts: Uint8Array[] = [];
  let [header, palette]: [Header?, Uint8Array?] = [];
  for (let at = 8; at + 12 <= bytes.length;) {
    const length = view.getUint32(at);
    const type = String.fromCharCode(...bytes.subarray(at + 4, at + 8));
    if (length > bytes.length - at - 12)
      throw fail(`chunk ${JSON.stringify(type)} ends behind the end of the file; it is cut short`);
    const body = bytes.subarray(at + 8, at + 8 + length);
    const critical = (bytes[at + 4] & 0x20) === 0;
    if (critical && crc32(bytes.subarray(at + 4, at + 8 + length)) !== view.getUint32(at + 8 + length))
      throw fail(`chunk ${JSON.stringify(type)} is damaged: its checksum differs`);
    if (type === "IHDR") header = headerOf(body, fail);
    else if (type === "PLTE") palette = body.slice();
    else if (type === "IDAT") parts.push(body);
    else if (type === "IEND") break;
    else if (critical) throw fail(`chunk ${JSON.stringify(type)} is none of PNG's`);
    at += 12 + length;
  }
  if (!header) throw fail("has no IHDR chunk; it is cut short or damaged");
  const packed = new Uint8Array(parts.reduce((n, p) => n + p.length, 0));
  let at = 0;
  for (const part of parts) {
    packed.set(part, at);
    at += part.length;
  }
  return { header, packed, ...(palette && { palette }) };
}

function headerOf(body: Uint8Array, fail: Fail): Header {
  if (body.length !== 13) throw fail(`IHDR has ${body.length} bytes; expected 13`);
  const view = new DataView(body.buffer, body.byteOffset, 13);
  const [width, height] = [view.getUint32(0), view.getUint32(4)];
  const [depth, color, compression, filter, interlace] = body.subarray(8);
  if (width === 0 || height === 0 || width > 0x7fffffff || height > 0x7fffffff)
    throw fail(`IHDR has the size ${width} × ${height}`);
  if (!depthsOf[color]?.includes(depth)) throw fail(`IHDR has color type ${color} with ${depth} bits, which PNG does not have`);
  if (compression !== 0 || filter !== 0 || interlace > 1)
    throw fail("IHDR has a compression, filter or interlace method that PNG does not have");
  return { width, height, depth, color, interlaced: interlace === 1 };
}

/** The seven passes of Adam7: every dx-th pixel of every dy-th row, from x, y. */
function adam7(width: number, height: number) {
  const table = [
    [0, 0, 8, 8],
    [4, 0, 8, 8],
    [0, 4, 4, 8],
    [2, 0, 4, 4],
    [0, 2, 2, 4],
    [1, 0, 2, 2],
    [0, 1, 1, 2],
  ];
  return table.map(([x, y, dx, dy]) => ({
    x,
    y,
    dx,
    dy,
    width: Math.ceil(Math.max(0, width - x) / dx),
    height: Math.ceil(Math.max(0, height - y) / dy),
  }));
}

/** Undoes the filters of lines in place: each begins with the number of its filter. `bpp`: bytes to the pixel on the left. */
function unfilter(lines: Uint8Array, row: number, bpp: number, fail: Fail): void {
  for (let start = 0; start < lines.length; start += row + 1) {
    const filter = lines[start];
    if (filter > 4) throw fail(`a line has filter ${filter}; PNG has 0 to 4`);
    const above = start - row - 1;
    for (let i = 1; i <= row; i++) {
      const left = i > bpp ? lines[start + i - bpp] : 0;
      const up = above >= 0 ? lines[above + i] : 0;
      if (filter === 1) lines[start + i] += left;
      else if (filter === 2) lines[start + i] += up;
      else if (filter === 3) lines[start + i] += (left + up) >> 1;
      else if (filter === 4) {
        const corner = above >= 0 && i > bpp ? lines[above + i - bpp] : 0;
        const p = left + up - corner;
        const [a, b, c] = [Math.abs(p - left), Math.abs(p - up), Math.abs(p - corner)];
        lines[start + i] += a <= b && a <= c ? left : b <= c ? up : corner;
      }
    }
  }
}
