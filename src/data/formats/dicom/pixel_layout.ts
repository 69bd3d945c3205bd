/**
 * @file How the pixels of a file are stored (PS3.3 section C.7.6.3), and whether there are as many as it says: nothing is asked for that the file's size
 * does not warrant.
 */

import type { TypedArray } from "../../../host/array.ts";
import type { Fail } from "../../../host/bytes/budget.ts";
import { type DataSet, type Element, undefinedLength } from "./elements.ts";
import type { ByteSource } from "./source.ts";
import type { TransferSyntax } from "./transfer_syntax.ts";

/** How pixels are stored. */
export interface PixelLayout {
  readonly rows: number;
  readonly columns: number;
  readonly frames: number;
  readonly samples: number;
  readonly photometric: string;
  /** Whether the samples of a frame lie in planes of their own. */
  readonly planar: boolean;
  readonly kind: "int" | "f32" | "f64";
  readonly bitsAllocated: number;
  readonly bitsStored: number;
  readonly highBit: number;
  readonly signed: boolean;
}

/** Values of a frame, before scaling. */
export interface Plane {
  readonly data: TypedArray;
  /** Whether the samples of a pixel lie in planes and not side by side. */
  readonly planar: boolean;
}

/** Reads the frames of a file. */
export type FrameReader = (frame: number) => Promise<Plane>;

/** The layout that the header states. @throws FormatError (by `fail`) for what no image has */
export function pixelLayout(data: DataSet, fail: Fail): PixelLayout {
  const whole = (keyword: Parameters<DataSet["number"]>[0], least: number, most: number, absent?: number): number => {
    const value = data.number(keyword) ?? absent;
    if (value === undefined) throw fail(`${keyword} is missing; the file is no image or damaged`);
    if (!Number.isInteger(value) || value < least || value > most)
      throw fail(`${keyword} is ${value}; expected an integer from ${least} to ${most}`);
    return value;
  };
  const kind = data.find("pixelData") ? "int" : data.find("floatPixelData") ? "f32" : "f64";
  const allocated = kind === "int" ? whole("bitsAllocated", 1, 64) : kind === "f32" ? 32 : 64;
  if (kind === "int" && ![1, 8, 16, 32].includes(allocated)) throw fail(`bitsAllocated is ${allocated}; expected 1, 8, 16 or 32`);
  const stored = kind === "int" ? whole("bitsStored", 1, allocated, allocated) : allocated;
  const high = kind === "int" ? whole("highBit", 0, allocated - 1, stored - 1) : allocated - 1;
  const samples = whole("samplesPerPixel", 1, 4, 1);
  const photometric = data.text("photometricInterpretation")?.toUpperCase() ?? (samples === 1 ? "MONOCHROME2" : "RGB");
  return {
    rows: whole("rows", 1, 65535),
    columns: whole("columns", 1, 65535),
    frames: whole("numberOfFrames", 1, 2 ** 31, 1),
    samples,
    photometric,
    planar: samples > 1 && whole("planarConfiguration", 0, 1, 0) === 1,
    kind,
    bitsAllocated: allocated,
    bitsStored: stored,
    // A bit below the lowest one that fits is a writer's mistake: the values stand at the low end then.
    highBit: high < stored - 1 ? stored - 1 : high,
    signed: kind !== "int" || whole("pixelRepresentation", 0, 1, 0) === 1,
  };
}

/** Bytes of a plain frame; bits of masks run on from frame to frame. */
export function frameBytes({ rows, columns, samples, bitsAllocated, photometric }: PixelLayout): number {
  // Chroma of every other pixel only (PS3.3 section C.7.6.3.1.2).
  const perPixel = photometric === "YBR_FULL_422" && samples === 3 ? 2 : samples;
  return (rows * columns * perPixel * bitsAllocated) / 8;
}

/** Samples of a byte or more that a byte can become at most, so that a small file cannot ask for large memory. */
const mostPerByte = {
  rle: 64,
  deflate: 1032,
  jpeg: 256,
  jpegLossless: 256,
  jpegLs: 1 << 15,
  jpeg2000: 1 << 15,
  htj2k: 1 << 15,
} as const;

/** @throws FormatError (by `fail`) for pixels of which the file has not enough bytes */
export function checkSize(
  layout: PixelLayout,
  pixels: Element,
  source: ByteSource,
  { packing }: TransferSyntax,
  fail: Fail,
): void {
  const { rows, columns, frames, samples } = layout;
  const there = Math.min(pixels.length, source.size - pixels.at);
  const what = `${frames > 1 ? `${frames} frames of ` : ""}${columns}×${rows} pixels`;
  if (packing) {
    const bytes = (rows * columns * samples * frames * Math.min(8, layout.bitsAllocated)) / 8;
    if (frames * 8 > there || bytes / mostPerByte[packing] > there)
      throw fail(`promises ${what}, but only ${there} bytes of packed pixels are there; it is cut short or damaged`);
    return;
  }
  if (pixels.length === undefinedLength) throw fail("its plain pixels have no length; the file is damaged");
  const need = Math.ceil(frameBytes(layout) * frames);
  if (need <= there) return;
  throw fail(
    `promises ${what} of ${layout.bitsAllocated} bits (${need} bytes), but ${there} bytes of pixels are there; it is cut short or damaged`,
  );
}
