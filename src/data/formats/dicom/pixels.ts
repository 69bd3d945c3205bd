/** @file The stored values of a frame (PS3.5 section 8, PS3.3 section C.7.6.3): words cut to their bits, colors as RGB. */

import type { TypedArray } from "../../../host/array.ts";
import type { Fail } from "../../../host/bytes/budget.ts";
import { elements, type NativeName } from "../../../host/elements.ts";
import { toRgb } from "./colors.ts";
import { unpackFrame } from "./codecs.ts";
import { packedFrames } from "./fragments.ts";
import type { DicomHeader } from "./header.ts";
import { tileReader } from "./mosaic.ts";
import { frameBytes, type FrameReader, type PixelLayout, type Plane } from "./pixel_layout.ts";
import { inflateFrame } from "./deflated_frame.ts";
import { unpackRle } from "./rle.ts";

/** The element type that holds the stored values. */
export function storedType({ kind, bitsAllocated, signed }: PixelLayout): NativeName {
  if (kind !== "int") return kind;
  const bits = Math.max(8, bitsAllocated);
  return `${signed && bitsAllocated > 1 ? "i" : "u"}${bits}` as NativeName;
}

/**
 * Opens the pixels of a file, whose frames are read one by one.
 * @throws FormatError (also from the reader) for damaged pixels
 */
export async function openFrames(header: DicomHeader): Promise<FrameReader> {
  const { mosaic } = header;
  return mosaic ? tileReader(mosaic, await openPictures({ ...header, layout: mosaic.picture })) : openPictures(header);
}

async function openPictures(header: DicomHeader): Promise<FrameReader> {
  const { layout, pixels, source, syntax, fail } = header;
  const { packing } = syntax;
  if (!packing) {
    const read = (from: number, length: number) => source.range(pixels.at + from, length);
    return async (frame) => plainFrame(header, frame, read);
  }
  const table = { offsets: header.extendedOffsets, lengths: header.extendedLengths };
  const size = Math.min(pixels.length, source.size - pixels.at);
  const read = (from: number, to: number) => source.range(pixels.at + from, to - from);
  const packed = await packedFrames({ size, read }, layout.frames, packing, table, fail);
  return async (frame) => {
    if (packing === "rle" || packing === "deflate")
      return whole(header, await unpackBytes(await packed(frame), packing, layout, fail));
    const { bytes: unpacked, bits, planar, photometric } = await unpackFrame(await packed(frame), packing, layout, fail);
    // The sign is the highest bit that is stored, where a stream has room for more.
    const kept = layout.signed ? Math.min(bits, layout.bitsStored) : bits;
    const stored = { ...layout, planar, bitsAllocated: bits > 8 ? 16 : 8, bitsStored: kept, highBit: kept - 1 };
    const values = widened(valuesOf(unpacked, stored, true), layout);
    return toRgb({ ...layout, planar, photometric, bitsStored: bits }, values);
  };
}

/** The bytes of a frame that was packed as such. */
async function unpackBytes(packed: Uint8Array, packing: "rle" | "deflate", layout: PixelLayout, fail: Fail): Promise<Uint8Array> {
  const { rows, columns, samples, bitsAllocated: bits } = layout;
  if (packing === "deflate") return inflateFrame(packed, Math.ceil(frameBytes(layout)), fail);
  // Eight masks of one bit stand in a byte.
  const pixels = bits === 1 ? Math.ceil((rows * columns) / 8) : rows * columns;
  return unpackRle(packed, pixels, samples, Math.ceil(bits / 8), fail);
}

/** A frame whose bytes are all there; each begins with a byte of its own. */
function whole({ layout, syntax }: DicomHeader, bytes: Uint8Array): Plane {
  const planar = syntax.packing === "deflate" && layout.planar;
  if (layout.bitsAllocated === 1) return { data: unpackBits(bytes, 0, layout), planar };
  return toRgb({ ...layout, planar }, valuesOf(bytes, layout, true));
}

/** Codecs give bytes where the header has words of few bits. */
function widened(values: TypedArray, layout: PixelLayout): TypedArray {
  const { array } = elements[storedType(layout)];
  return values instanceof array ? values : new array(values);
}

async function plainFrame(
  { layout, pixels, syntax }: DicomHeader,
  frame: number,
  read: (from: number, length: number) => Promise<Uint8Array>,
): Promise<Plane> {
  const length = frameBytes(layout);
  // Bytes of words stand in the words' order (PS3.5 section 8.1.1).
  const swapped = !syntax.littleEndian && layout.bitsAllocated <= 8 && pixels.vr === "OW";
  const from = Math.floor(frame * length);
  const to = Math.ceil((frame + 1) * length);
  const start = swapped ? from & ~1 : from;
  const end = swapped ? Math.min(to + (to & 1), pixels.length) : to;
  let bytes = await read(start, end - start);
  if (swapped) bytes = swapPairs(bytes);
  if (layout.bitsAllocated === 1)
    return { data: unpackBits(bytes, frame * length * 8 - start * 8, layout), planar: layout.planar };
  const data = valuesOf(bytes.subarray(from - start, to - start), layout, syntax.littleEndian);
  return toRgb(layout, data);
}

function swapPairs(bytes: Uint8Array): Uint8Array {
  const out = Uint8Array.from(bytes);
  for (let i = 0; i + 1 < out.length; i += 2) [out[i], out[i + 1]] = [out[i + 1], out[i]];
  return out;
}

function unpackBits(bytes: Uint8Array, first: number, { rows, columns, samples }: PixelLayout): Uint8Array {
  const out = new Uint8Array(rows * columns * samples);
  for (let i = 0, bit = first; i < out.length; i++, bit++) out[i] = (bytes[bit >> 3] >> (bit & 7)) & 1;
  return out;
}

const hostLittleEndian = new Uint8Array(new Uint16Array([1]).buffer)[0] === 1;

/** Words as numbers: of the bits that are stored, with their sign. */
function valuesOf(bytes: Uint8Array, layout: PixelLayout, littleEndian: boolean): TypedArray {
  const { array, bytes: width } = elements[storedType(layout)];
  const count = Math.floor(bytes.length / width);
  let data: TypedArray;
  if (littleEndian === hostLittleEndian || width === 1) {
    const aligned = bytes.byteOffset % width === 0 ? bytes : Uint8Array.from(bytes);
    data = new array(aligned.buffer as ArrayBuffer, aligned.byteOffset, count);
  } else {
    const turned = new Uint8Array(count * width);
    for (let i = 0; i < turned.length; i += width) for (let b = 0; b < width; b++) turned[i + b] = bytes[i + width - 1 - b];
    data = new array(turned.buffer, 0, count);
  }
  const { kind, bitsAllocated, bitsStored, highBit, signed } = layout;
  if (kind !== "int" || bitsStored === bitsAllocated) return data;
  // The stored bits go to the top of a word of 32, which drops what lies above, and come down with their sign.
  const [up, down] = [31 - highBit, 32 - bitsStored];
  const out = new array(count);
  if (signed) for (let i = 0; i < count; i++) out[i] = (data[i] << up) >> down;
  else for (let i = 0; i < count; i++) out[i] = (data[i] << up) >>> down;
  return out;
}
