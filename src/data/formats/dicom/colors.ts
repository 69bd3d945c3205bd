/** @file Color frames as RGB: YBR_FULL, whole and with the chroma of every other pixel (PS3.3 section C.7.6.3.1.2). */

import type { TypedArray } from "../../../host/array.ts";
import type { ArrayType } from "../../../host/elements.ts";
import type { PixelLayout } from "./pixel_layout.ts";

/** The values of a frame, YBR turned into RGB; all else is left as it is. */
export function toRgb(layout: PixelLayout, data: TypedArray): { readonly data: TypedArray; readonly planar: boolean } {
  const { photometric, samples, planar, rows, columns } = layout;
  const half = photometric === "YBR_FULL_422";
  if (samples !== 3 || (!half && photometric !== "YBR_FULL")) return { data, planar };
  const pixels = rows * columns;
  // Unpacked frames have all of their chroma.
  const full = half && data.length < 3 * pixels ? withAllChroma(data, rows, columns) : data;
  const interleaved = !planar || full !== data;
  convert(full, pixels, interleaved ? 3 : 1, interleaved ? 1 : pixels, 2 ** layout.bitsStored);
  return { data: full, planar: !interleaved };
}

/** Y Y B R for each two pixels of a row, as Y B R each. */
function withAllChroma(data: TypedArray, rows: number, columns: number): TypedArray {
  const out = new (data.constructor as ArrayType)(3 * rows * columns);
  for (let p = 0; p < rows * columns; p++) {
    const pair = 4 * (p >> 1);
    out[3 * p] = data[pair + (p & 1)];
    out[3 * p + 1] = data[pair + 2];
    out[3 * p + 2] = data[pair + 3];
  }
  return out;
}

/** ITU-R BT.601's matrix, rounded to nearest and clipped, in place. */
function convert(data: TypedArray, pixels: number, pixelStep: number, sampleStep: number, range: number): void {
  const middle = range / 2;
  const clip = (v: number) => Math.min(range - 1, Math.max(0, Math.floor(v + 0.5)));
  for (let p = 0, at = 0; p < pixels; p++, at += pixelStep) {
    const y = data[at];
    const b = data[at + sampleStep] - middle;
    const r = data[at + 2 * sampleStep] - middle;
    data[at] = clip(y + 1.402 * r);
    data[at + sampleStep] = clip(y - ((0.114 * 1.772) / 0.587) * b - ((0.299 * 1.402) / 0.587) * r);
    data[at + 2 * sampleStep] = clip(y + 1.772 * b);
  }
}
