/** @file Volumes as the viewer takes them: few enough voxels for a texture, 16 bits, a window that shows something. */

import { encodeNifti, makeVolume, type Volume } from "voxgrad/data";
import type { Picture3d } from "../protocol.ts";

// Three textures of four bytes per voxel are what a viewer takes on the device.
const mostVoxels = 320 ** 3;
const levels = 32767;

/** Every so many voxels along each axis. */
function stepsOf(shape: readonly number[]): number[] {
  const steps = shape.map(() => 1);
  const left = (): number => shape.reduce((n, s, a) => n * Math.ceil(s / steps[a]), 1);
  while (left() > mostVoxels) {
    const axis = shape.reduce((best, s, a) => (s / steps[a] > shape[best] / steps[best] ? a : best), 0);
    steps[axis]++;
  }
  return steps;
}

type Stored = Uint8Array | Int16Array;

/** Every so many voxels of a channel, through a table or a line. */
function thinned<A extends Stored>(
  volume: Volume,
  channel: number,
  make: (n: number) => A,
  value: (v: number) => number,
): Volume<A> {
  const size = volume.shape.slice(1);
  const steps = stepsOf(size);
  const [nx, ny, nz] = size.map((s, a) => Math.ceil(s / steps[a]));
  const out = make(nx * ny * nz);
  const { data } = volume;
  const base = channel * size[0] * size[1] * size[2];
  let to = 0;
  for (let x = 0; x < nx; x++) {
    for (let y = 0; y < ny; y++) {
      let from = base + (x * steps[0] * size[1] + y * steps[1]) * size[2];
      for (let z = 0; z < nz; z++, from += steps[2]) out[to++] = value(data[from]);
    }
  }
  const affine = volume.affine.map((row) => row.map((v, c) => (c < 3 ? v * steps[c] : v)));
  return makeVolume({ data: out, shape: [1, nx, ny, nz] }, affine);
}

const niftiOf = (volume: Volume): Blob => new Blob([encodeNifti(volume) as Uint8Array<ArrayBuffer>]);

interface Range {
  readonly low: number;
  readonly high: number;
  /** Whether all values are whole numbers. */
  readonly whole: boolean;
  readonly window: readonly [number, number];
}

/** Least and greatest of the finite values, and what half a percent of them lie below and above, of a sample. */
function rangeOf(data: Volume["data"], from: number, to: number): Range {
  const step = Math.max(1, Math.floor((to - from) / 200_000));
  const sample: number[] = [];
  let [low, high, whole] = [Infinity, -Infinity, true];
  for (let i = from; i < to; i++) {
    const v = data[i];
    if (v < low && v !== -Infinity) low = v;
    if (v > high && v !== Infinity) high = v;
    whole &&= v % 1 === 0;
    if ((i - from) % step === 0 && Number.isFinite(v)) sample.push(v);
  }
  if (low > high) [low, high] = [0, 1];
  const sorted = Float64Array.from(sample).sort();
  const at = (share: number): number => sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? 0;
  const [a, b] = [at(0.005), at(0.995)];
  return { low, high, whole, window: b > a ? [a, b] : [low, high > low ? high : low + 1] };
}

/** The first channel of an image. */
export function pictureOf(volume: Volume): Picture3d {
  const voxels = volume.data.length / volume.shape[0];
  const { low, high, whole, window } = rangeOf(volume.data, 0, voxels);
  // Whole numbers, as those of a CT, are shown as they are wherever they fit.
  const scale = (whole && high - low <= levels) || high === low ? 1 : (high - low) / levels;
  const stored = (v: number): number => Math.max(0, Math.min(levels, (v - low) / scale));
  const shown = thinned(
    volume,
    0,
    (n) => new Int16Array(n),
    (v) => Math.round(stored(v)),
  );
  const [to, from] = [shown.shape.slice(1), volume.shape.slice(1)];
  const reduced = to.join() === from.join() ? undefined : { to, from };
  return { nifti: niftiOf(shown), window: [stored(window[0]), stored(window[1])], scale, offset: low, reduced };
}

/** A label map whose values are counted through from 1, as the viewer's table of colors has them. */
function numbered(labels: Volume, values: readonly number[]): Volume {
  const index = new Map(values.map((v, i) => [v, i + 1]));
  return thinned(
    labels,
    0,
    (n) => new Uint8Array(n),
    (v) => index.get(v) ?? 0,
  );
}

/** Of a label map, as the viewer takes it. */
export const overlayOf = (labels: Volume, values: readonly number[]): Blob => niftiOf(numbered(labels, values));

/** Of that the voxels that touch another value, so that what lies below is seen. */
export function outlineOf(labels: Volume, values: readonly number[]): Blob {
  const map = numbered(labels, values);
  const [, nx, ny, nz] = map.shape;
  const { data } = map;
  const out = new Uint8Array(data.length);
  for (let x = 0, i = 0; x < nx; x++)
    for (let y = 0; y < ny; y++)
      for (let z = 0; z < nz; z++, i++) {
        const v = data[i];
        if (v === 0) continue;
        const inside =
          (x === 0 || data[i - ny * nz] === v) &&
          (x === nx - 1 || data[i + ny * nz] === v) &&
          (y === 0 || data[i - nz] === v) &&
          (y === ny - 1 || data[i + nz] === v) &&
          (z === 0 || data[i - 1] === v) &&
          (z === nz - 1 || data[i + 1] === v);
        if (!inside) out[i] = v;
      }
  return niftiOf(makeVolume({ data: out, shape: map.shape }, map.affine));
}
