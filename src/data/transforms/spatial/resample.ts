/**
 * @file Separable resampling. Every mode is a small table per axis, "output i is this weighted sum of inputs", and resizing applies
 * the tables axis by axis. Coordinates follow torch.nn.functional.interpolate.
 */
import type { HostArray } from "../../../host/array.ts";
import { gaussianWeights } from "../../../host/gaussian.ts";
import { areaWindow, cornerPosition, cubicTaps, linearTaps, nearestIndex, type Tap } from "../../../host/taps.ts";
import { unfilledFloats } from "../../../host/unfilled.ts";
import { type Pairs, resampleInLanes } from "../../../host/simd/resample.ts";

/** Output i is the sum of weight[t] · input[index[t]] over t = first[i] … first[i + 1] − 1. */
export interface Taps {
  readonly first: Int32Array;
  readonly index: Int32Array;
  readonly weight: Float64Array;
}

/** Adaptive average. */
export const areaTable = (from: number, to: number): Taps =>
  tapTable(to, (o) => {
    const { start, count } = areaWindow(o, from, to);
    return Array.from({ length: count }, (_, k): Tap => [start + k, 1 / count]);
  });

/** The nearest element, with `exact` of the output's center and else of its beginning. */
export const nearestTable = (from: number, to: number, exact: boolean): Taps =>
  tapTable(to, (o) => [[nearestIndex(o, from, from / to, exact), 1]]);

/** Two neighbors. Half-pixel centers, or with `alignCorners` the corner voxels onto each other. */
export const linearTable = (from: number, to: number, alignCorners: boolean): Taps =>
  tapTable(to, (o) => linearTaps(position(o, from, to, alignCorners), from));

/** Four neighbors; beyond the border its voxels are repeated. */
export const cubicTable = (from: number, to: number, alignCorners: boolean): Taps =>
  tapTable(to, (o) => cubicTaps(position(o, from, to, alignCorners), from));

/** `cubicTable` to ⌊size · factor⌋, by the sizes' ratio as PyTorch's recompute_scale_factor has it. */
export const cubicScaleTable = (from: number, factor: number): Taps => cubicTable(from, Math.floor(from * factor), false);

/** Gaussian smoothing at unchanged size, zeros outside: differences of erf over each voxel, cut at 4 sigma (MONAI's "erf" kernel). */
export function gaussianTable(size: number, sigma: number, truncated = 4): Taps {
  const kernel = gaussianWeights("gaussianTable", sigma, "erf", truncated);
  const tail = (kernel.length - 1) / 2;
  return tapTable(size, (i) => Array.from(kernel, (w, k): Tap => [i + k - tail, w]).filter(([j]) => j >= 0 && j < size));
}

/** The table of `count` outputs from `start` on. */
export function tapsOf({ first, index, weight }: Taps, start: number, count: number): Taps {
  const [from, to] = [first[start], first[start + count]];
  return {
    first: first.slice(start, start + count + 1).map((t) => t - from),
    index: index.subarray(from, to),
    weight: weight.subarray(from, to),
  };
}

/** Applies the tables of the spatial axes (undefined = axis unchanged); sums in float64, stores float32 after each axis. */
export function resampleAxes(x: HostArray, tables: readonly (Taps | undefined)[]): HostArray<Float32Array> {
  const data = x.data instanceof Float32Array ? x.data : new Float32Array(x.data as ArrayLike<number>);
  if (tables.length === 3 && tables[0] && (tables[1] || tables[2])) return resampleVolume(data, x.shape, tables);
  let out: HostArray<Float32Array> = { data, shape: [...x.shape] };
  // What shrinks most goes first, so that the others have less to do.
  const growth = (i: number) => (tables[i]!.first.length - 1) / Math.max(1, x.shape[i + 1]);
  const order = tables.flatMap((t, i) => (t ? [i] : [])).sort((a, b) => growth(a) - growth(b) || a - b);
  for (const i of order) out = resampleAxis(out, i + 1, tables[i]!);
  return out;
}

/** Three axes plane by plane, so that what lies between them stays in the cache. */
function resampleVolume(
  data: Float32Array,
  [channels, sx, sy, sz]: readonly number[],
  [tx, ty, tz]: readonly (Taps | undefined)[],
): HostArray<Float32Array> {
  const [nx, ny, nz] = [tx!, ty, tz].map((t, a) => (t ? t.first.length - 1 : [sx, sy, sz][a]));
  const out = unfilledFloats(channels * nx * ny * nz);
  const shape = [channels, nx, ny, nz];
  const all = [tx, ty, tz].map((t) => t && pairsOf(t));
  if (resampleInLanes(data, [channels, sx, sy, sz], all, out)) return { data: out, shape };
  const plane = new Float32Array(sy * sz);
  const mixed = ty && tz ? new Float32Array(ny * sz) : undefined;
  const pairs = all[2];
  for (let c = 0; c < channels; c++) {
    for (let i = 0; i < nx; i++) {
      const to = (c * nx + i) * ny * nz;
      mixRow(data, c * sx * sy * sz, sy * sz, tx!, i, plane, 0);
      const rows = ty ? (mixed ?? out) : plane;
      if (ty) for (let j = 0; j < ny; j++) mixRow(plane, 0, sz, ty, j, rows, (mixed ? 0 : to) + j * sz);
      if (tz) resampleRows(rows, out, to, ny, sz, tz, pairs);
    }
  }
  return { data: out, shape };
}

function resampleAxis(x: HostArray<Float32Array>, axis: number, taps: Taps): HostArray<Float32Array> {
  const size = x.shape[axis];
  const outSize = taps.first.length - 1;
  const inner = x.shape.slice(axis + 1).reduce((a, b) => a * b, 1);
  const outer = x.shape.slice(0, axis).reduce((a, b) => a * b, 1);
  const out = unfilledFloats(outer * outSize * inner);
  if (inner === 1) resampleRows(x.data, out, 0, outer, size, taps, pairsOf(taps));
  else {
    for (let o = 0; o < outer; o++)
      for (let i = 0; i < outSize; i++) mixRow(x.data, o * size * inner, inner, taps, i, out, (o * outSize + i) * inner);
  }
  return { data: out, shape: x.shape.map((s, a) => (a === axis ? outSize : s)) };
}

function pairsOf({ first, index, weight }: Taps): Pairs | undefined {
  const count = first.length - 1;
  const low = new Int32Array(count);
  const high = new Int32Array(count);
  const lowWeight = new Float64Array(count);
  const highWeight = new Float64Array(count);
  for (let i = 0; i < count; i++) {
    const taps = first[i + 1] - first[i];
    if (taps < 1 || taps > 2) return undefined;
    low[i] = index[first[i]];
    high[i] = index[first[i] + taps - 1];
    lowWeight[i] = weight[first[i]] / (taps === 2 ? 1 : 2);
    highWeight[i] = taps === 2 ? weight[first[i] + 1] : lowWeight[i];
  }
  return { low, high, lowWeight, highWeight };
}

/** The last axis: each output is a sum of neighbors. */
function resampleRows(
  data: Float32Array,
  out: Float32Array,
  start: number,
  rows: number,
  size: number,
  { first, index, weight }: Taps,
  pairs: Pairs | undefined,
): void {
  const outSize = first.length - 1;
  for (let row = 0, from = 0, to = start; row < rows; row++, from += size, to += outSize) {
    if (pairs) {
      const { low, high, lowWeight, highWeight } = pairs;
      for (let i = 0; i < outSize; i++) out[to + i] = lowWeight[i] * data[from + low[i]] + highWeight[i] * data[from + high[i]];
      continue;
    }
    for (let i = 0; i < outSize; i++) {
      let sum = 0;
      for (let t = first[i]; t < first[i + 1]; t++) sum += weight[t] * data[from + index[t]];
      out[to + i] = sum;
    }
  }
}

/** Another axis: output i is a sum of whole rows of `inner` elements, the first one at `from`; it is written to `to`. */
function mixRow(
  data: Float32Array,
  from: number,
  inner: number,
  { first, index, weight }: Taps,
  i: number,
  out: Float32Array,
  to: number,
): void {
  let t = first[i];
  const end = first[i + 1];
  const row = (k: number) => from + index[k] * inner;
  if (end - t <= 2) {
    if (end - t === 1 && weight[t] === 1) out.set(data.subarray(row(t), row(t) + inner), to);
    else if (end > t) addPair(data, out, inner, to, row(t), weight[t], row(end - 1), end - t === 2 ? weight[t + 1] : 0);
    else out.fill(0, to, to + inner);
    return;
  }
  const sums = new Float64Array(inner);
  // Four rows at a time: sums are read and written less often.
  for (; t + 3 < end; t += 4) {
    const [a, b, c, d] = [row(t), row(t + 1), row(t + 2), row(t + 3)];
    const [wa, wb, wc, wd] = [weight[t], weight[t + 1], weight[t + 2], weight[t + 3]];
    for (let j = 0; j < inner; j++) sums[j] += wa * data[a + j] + wb * data[b + j] + wc * data[c + j] + wd * data[d + j];
  }
  for (; t < end; t++) {
    const a = row(t);
    const w = weight[t];
    for (let j = 0; j < inner; j++) sums[j] += w * data[a + j];
  }
  out.set(sums, to);
}

function addPair(
  data: Float32Array,
  out: Float32Array,
  count: number,
  to: number,
  a: number,
  wa: number,
  b: number,
  wb: number,
): void {
  for (let j = 0; j < count; j++) out[to + j] = wa * data[a + j] + wb * data[b + j];
}

const position = (o: number, from: number, to: number, alignCorners: boolean): number =>
  alignCorners ? cornerPosition(o, from, to) : ((o + 0.5) * from) / to - 0.5;

/** Terms of weight 0 are left out, so that a NaN or infinity beside the sample does not leak in. */
export function tapTable(outSize: number, at: (o: number) => readonly Tap[]): Taps {
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
