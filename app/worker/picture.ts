/** @file A channel of an image, or its colors, as the viewer takes them: values that are told exactly, a window that shows something, and marks where there is no number. */

import { encodeNifti, type Volume } from "voxgrad/data";
import { notFinite, type Picture3d } from "../protocol.ts";
import { isFlat, niftiOf, thinned } from "./display.ts";

/** What 16 bits tell apart. */
const levels = 65535;
/** The least of 16 bits with a sign, which converters write where a scanner saw nothing. */
const padding = -32768;

interface Range {
  readonly low: number;
  readonly high: number;
  /** The least that is no padding. */
  readonly least: number;
  /** Whether all values are whole numbers. */
  readonly whole: boolean;
  /** Whether all of them are finite. */
  readonly finite: boolean;
  readonly window: readonly [number, number];
  /** Of some of the values, ascending. */
  readonly sorted: Float64Array;
}

/** Least and greatest of the finite values, and what half a percent of them lie below and above, of a sample without padding. */
function rangeOf(data: Volume["data"], from: number, to: number): Range {
  const step = Math.max(1, Math.floor((to - from) / 200_000));
  const sample: number[] = [];
  let [low, high, least, whole, finite] = [Infinity, -Infinity, Infinity, true, true];
  for (let i = from; i < to; i++) {
    const v = data[i];
    if (v < low && v !== -Infinity) low = v;
    if (v < least && v !== -Infinity && v !== padding) least = v;
    if (v > high && v !== Infinity) high = v;
    whole &&= v % 1 === 0;
    finite &&= v - v === 0;
    if ((i - from) % step === 0 && Number.isFinite(v) && v !== padding) sample.push(v);
  }
  if (low > high) [low, high] = [0, 1];
  const sorted = Float64Array.from(sample).sort();
  const at = (share: number): number => sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? 0;
  const [a, b] = [at(0.005), at(0.995)];
  return { low, high, least, whole, finite, sorted, window: b > a ? [a, b] : [low, high > low ? high : low + 1] };
}

/** Share of the sorted values from `low` to `high`. */
function shareOf(sorted: Float64Array, low: number, high: number): number {
  const [from, to] = [sorted.findIndex((v) => v >= low), sorted.findLastIndex((v) => v <= high)];
  return from < 0 ? 0 : Math.max(0, to - from + 1) / sorted.length;
}

/** Values of a file that does not say so are taken for Hounsfield units where there is air, −1000, and tissue, and nothing far below the air but padding. */
const looksHounsfield = ({ least, sorted }: Range): boolean =>
  least >= -5000 && shareOf(sorted, -1050, -850) > 0.02 && shareOf(sorted, -150, 250) > 0.05;

/** Three or four channels of what a screen shows. */
function hasColors(volume: Volume): boolean {
  const { data, shape, meta } = volume;
  return (shape[0] === 3 || shape[0] === 4) && (data instanceof Uint8Array || (isFlat(volume) && meta.dtype === "u16"));
}

export interface PictureOptions {
  /** Default: colors if it has them, else the first. */
  readonly channel?: number | "color" | undefined;
  /** Of a DICOM series. */
  readonly modality?: string | undefined;
}

/** A channel of an image, or its colors. */
export function pictureOf(volume: Volume, { channel, modality }: PictureOptions = {}): Picture3d {
  const colors = hasColors(volume);
  const shown = channel ?? (colors ? "color" : 0);
  const about = {
    channel: shown,
    channels: volume.shape[0],
    colors,
    placed: volume.meta.unplaced !== true,
    flat: isFlat(volume),
  };
  return shown === "color" ? inColor(volume, about) : inGray(volume, shown, about, modality);
}

/** Whole numbers, as those of a CT, in 16 bits wherever they fit, others as floats: in steps of the range a single voxel that is far off would leave all others one gray. */
function storing({ low, high, whole }: Range) {
  if (whole && high - low <= levels) return { scale: 1, offset: low, make: (n: number) => new Uint16Array(n) };
  // Floats are exact around zero; what lies close together far from it is told from its least.
  const far = high - low < Math.max(Math.abs(low), Math.abs(high)) / 1000;
  const scale = high > low ? Math.min(high - low, Number.MAX_VALUE) : 1;
  return { scale, offset: far ? low : 0, make: (n: number) => new Float32Array(n) };
}

type About = Pick<Picture3d, "channel" | "channels" | "colors" | "placed" | "flat">;

function inGray(volume: Volume, channel: number, about: About, modality?: string): Picture3d {
  const voxels = volume.data.length / volume.shape[0];
  const range = rangeOf(volume.data, channel * voxels, (channel + 1) * voxels);
  const { low, high, finite, window } = range;
  const { scale, offset, make } = storing(range);
  const stored = (v: number): number => (v - offset) / scale;
  const finiteOf = (v: number): number => (Number.isNaN(v) ? low : Math.max(low, Math.min(high, v)));
  const shown = thinned<Uint16Array | Float32Array>(volume, channel, make, (v) => stored(finiteOf(v)));
  return {
    ...about,
    nifti: niftiOf(shown),
    window: [stored(window[0]), stored(window[1])],
    scale,
    offset,
    hounsfield: modality ? modality === "CT" : looksHounsfield(range),
    marks: finite ? undefined : marksOf(volume, channel),
    reduced: reducedOf(volume, shown),
  };
}

function reducedOf(volume: Volume, shown: Volume): Picture3d["reduced"] {
  const [to, from] = [shown.shape.slice(1), volume.shape.slice(1)];
  return to.join() === from.join() ? undefined : { to, from };
}

/** Where an image has no numbers, or infinite ones. */
function marksOf(volume: Volume, channel: number): Blob {
  const marks = thinned(
    volume,
    channel,
    (n) => new Uint8Array(n),
    (v) => (v - v === 0 ? 0 : notFinite.findIndex((special) => Object.is(special, v)) + 1),
  );
  return niftiOf(marks);
}

// Of the NIfTI-1 header.
const [datatypeAt, bitsAt, headerBytes, rgb24] = [70, 72, 352, 128];

/** The first three channels as the colors of a NIfTI file. */
function inColor(volume: Volume, about: About): Picture3d {
  const divisor = volume.data instanceof Uint8Array ? 1 : 257;
  const planes = [0, 1, 2].map((c) =>
    thinned(
      volume,
      c,
      (n) => new Uint8Array(n),
      (v) => Math.round(v / divisor),
    ),
  );
  const files = planes.map((plane) => encodeNifti(plane));
  const out = new Uint8Array(headerBytes + 3 * (files[0].length - headerBytes));
  out.set(files[0].subarray(0, headerBytes));
  const header = new DataView(out.buffer);
  header.setInt16(datatypeAt, rgb24, true);
  header.setInt16(bitsAt, 24, true);
  for (const [c, file] of files.entries())
    for (let i = headerBytes, to = headerBytes + c; i < file.length; i++, to += 3) out[to] = file[i];
  return {
    ...about,
    nifti: new Blob([out]),
    window: [0, 255],
    scale: 1,
    offset: 0,
    hounsfield: false,
    reduced: reducedOf(volume, planes[0]),
  };
}

/** The values of a label map, all of them black. */
export const blackOf = (labels: Volume): Picture3d => ({
  ...pictureOf(labels, { channel: 0 }),
  channels: 1,
  colors: false,
  hounsfield: false,
  window: null,
});
