/**
 * @file Separable resampling. Every mode is a small table per axis, "output i is this weighted sum of inputs", and resizing applies
 * the tables axis by axis. Coordinates follow torch.nn.functional.interpolate.
 */
import type { HostArray } from "../../../host/array.ts";
import { areaWindow, cornerPosition, cubicTaps, linearTaps, nearestIndex, type Tap } from "../../../host/taps.ts";

/** Output i is the sum of weight[t] · input[index[t]] over t = first[i] … first[i + 1] − 1. */
export interface Taps {
  readonly first: Int32Array;
  readonly index: Int32Array;
  readonly weight: Float64Array;
}

/** Adaptive average. */
export const areaTable = (from: number, to: number): Taps =>
  table(to, (o) => {
    const { start, count } = areaWindow(o, from, to);
    return Array.from({ length: count }, (_, k): Tap => [start + k, 1 / count]);
  });

/** The nearest element, with `exact` of the output's center and else of its beginning. */
export const nearestTable = (from: number, to: number, exact: boolean): Taps =>
  table(to, (o) => [[nearestIndex(o, from, from / to, exact), 1]]);

/** Two neighbors. Half-pixel centers, or with `alignCorners` the corner voxels onto each other. */
export const linearTable = (from: number, to: number, alignCorners: boolean): Taps =>
  table(to, (o) => linearTaps(position(o, from, to, alignCorners), from));

/** Four neighbors; beyond the border its voxels are repeated. */
export const cubicTable = (from: number, to: number, alignCorners: boolean): Taps =>
  table(to, (o) => cubicTaps(position(o, from, to, alignCorners), from));

/** Gaussian smoothing at unchanged size, zeros outside: differences of erf over each voxel, cut at 4 sigma (MONAI's "erf" kernel). */
export function gaussianTable(size: number, sigma: number): Taps {
  const tail = Math.floor(Math.max(sigma * 4, 0.5) + 0.5);
  const edge = (x: number): number => (sigma === 0 ? Math.sign(x) : erf((Math.SQRT1_2 / sigma) * x));
  const kernel = Array.from({ length: 2 * tail + 1 }, (_, k) => Math.max(0.5 * (edge(k - tail + 0.5) - edge(k - tail - 0.5)), 0));
  return table(size, (i) => kernel.map((w, k) => [i + k - tail, w] as const).filter(([j]) => j >= 0 && j < size));
}

/** Applies the tables of the spatial axes (undefined = axis unchanged); sums in float64, stores float32. */
export function resampleAxes(x: HostArray, tables: readonly (Taps | undefined)[]): HostArray<Float32Array> {
  let out: HostArray<Float32Array> = { data: new Float32Array(x.data as ArrayLike<number>), shape: x.shape };
  tables.forEach((table, i) => {
    if (table) out = resampleAxis(out, i + 1, table);
  });
  return out;
}

function resampleAxis(x: HostArray<Float32Array>, axis: number, { first, index, weight }: Taps): HostArray<Float32Array> {
  const size = x.shape[axis];
  const outSize = first.length - 1;
  const inner = x.shape.slice(axis + 1).reduce((a, b) => a * b, 1);
  const outer = x.shape.slice(0, axis).reduce((a, b) => a * b, 1);
  const out = new Float32Array(outer * outSize * inner);
  const { data } = x;
  for (let o = 0, to = 0; o < outer; o++) {
    for (let i = 0; i < outSize; i++) {
      for (let j = o * size * inner; j < (o * size + 1) * inner; j++, to++) {
        let sum = 0;
        for (let t = first[i]; t < first[i + 1]; t++) sum += weight[t] * data[index[t] * inner + j];
        out[to] = sum;
      }
    }
  }
  return { data: out, shape: x.shape.map((s, a) => (a === axis ? outSize : s)) };
}

const position = (o: number, from: number, to: number, alignCorners: boolean): number =>
  alignCorners ? cornerPosition(o, from, to) : ((o + 0.5) * from) / to - 0.5;

/** Terms of weight 0 are left out, so that a NaN or infinity beside the sample does not leak in. */
function table(outSize: number, at: (o: number) => readonly Tap[]): Taps {
  const first = [0];
  const index: number[] = [];
  const weight: number[] = [];
  for (let o = 0; o < outSize; o++) {
    for (const [j, w] of at(o)) {
      if (w === 0) continue;
      index.push(j);
      weight.push(w);
    }
    first.push(index.length);
  }
  return { first: Int32Array.from(first), index: Int32Array.from(index), weight: Float64Array.from(weight) };
}

/** Error function by its power series; beyond 5 it is 1 to float64's last digit but four, more than a kernel weight needs. */
function erf(x: number): number {
  if (Math.abs(x) > 5) return Math.sign(x);
  let term = x;
  let sum = x;
  for (let n = 1; Math.abs(term) > 1e-17 * Math.abs(sum); n++) {
    term *= -(x * x) / n;
    sum += term / (2 * n + 1);
  }
  return (2 / Math.sqrt(Math.PI)) * sum;
}
