/**
 * @file Separable resampling. Every mode is a small table per axis, "output i is this weighted sum of inputs", and resizing applies
 * the tables axis by axis. Coordinates follow torch.nn.functional.interpolate.
 */
import type { HostArray, TypedArray } from "../../../host/array.ts";
import { emptyLike } from "../../../host/strided.ts";
import { areaWindow, cornerPosition, cubicTaps, linearTaps, nearestIndex, type Tap } from "../../../host/taps.ts";

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
  const tail = Math.floor(Math.max(sigma * truncated, 0.5) + 0.5);
  const edge = (x: number): number => (sigma === 0 ? Math.sign(x) : erf((Math.SQRT1_2 / sigma) * x));
  const kernel = Array.from({ length: 2 * tail + 1 }, (_, k) => Math.max(0.5 * (edge(k - tail + 0.5) - edge(k - tail - 0.5)), 0));
  return tapTable(size, (i) => kernel.map((w, k) => [i + k - tail, w] as const).filter(([j]) => j >= 0 && j < size));
}

/** Applies the tables of the spatial axes (undefined = axis unchanged); sums in float64, stores float32 after each axis. */
export function resampleAxes(x: HostArray, tables: readonly (Taps | undefined)[]): HostArray<Float32Array> {
  let out: HostArray<Float32Array> = {
    data: x.data instanceof Float32Array ? x.data : Float32Array.from(x.data),
    shape: [...x.shape],
  };
  // What shrinks most goes first, so that the others have less to do.
  const growth = (i: number) => (tables[i]!.first.length - 1) / Math.max(1, x.shape[i + 1]);
  const order = tables.flatMap((t, i) => (t ? [i] : [])).sort((a, b) => growth(a) - growth(b) || a - b);
  for (const i of order) out = resampleAxis(out, i + 1, tables[i]!);
  return out;
}

function resampleAxis(x: HostArray<Float32Array>, axis: number, taps: Taps): HostArray<Float32Array> {
  const size = x.shape[axis];
  const outSize = taps.first.length - 1;
  const inner = x.shape.slice(axis + 1).reduce((a, b) => a * b, 1);
  const outer = x.shape.slice(0, axis).reduce((a, b) => a * b, 1);
  const out = new Float32Array(outer * outSize * inner);
  if (inner === 1) resampleRows(x.data, out, outer, size, taps);
  else mixRows(x.data, out, [outer, size, inner], taps);
  return { data: out, shape: x.shape.map((s, a) => (a === axis ? outSize : s)) };
}

/** The last axis: each output is a sum of neighbors. */
function resampleRows(data: Float32Array, out: Float32Array, rows: number, size: number, { first, index, weight }: Taps): void {
  const outSize = first.length - 1;
  const pair = onlyPairs(first);
  for (let row = 0, from = 0, to = 0; row < rows; row++, from += size) {
    if (pair) {
      for (let t = 0; t < 2 * outSize; t += 2, to++) {
        out[to] = weight[t] * data[from + index[t]] + weight[t + 1] * data[from + index[t + 1]];
      }
      continue;
    }
    for (let i = 0; i < outSize; i++, to++) {
      let sum = 0;
      for (let t = first[i]; t < first[i + 1]; t++) sum += weight[t] * data[from + index[t]];
      out[to] = sum;
    }
  }
}

const onlyPairs = (first: Int32Array): boolean => first.every((f, i) => f === 2 * i);

/** Another axis: each output is a sum of whole rows. */
function mixRows(
  data: Float32Array,
  out: Float32Array,
  [outer, size, inner]: readonly [number, number, number],
  { first, index, weight }: Taps,
): void {
  const outSize = first.length - 1;
  const sums = new Float64Array(inner);
  for (let o = 0, to = 0; o < outer; o++) {
    const block = o * size * inner;
    for (let i = 0; i < outSize; i++, to += inner) {
      const t = first[i];
      const count = first[i + 1] - t;
      const a = block + index[t] * inner;
      if (count === 1 && weight[t] === 1) out.set(data.subarray(a, a + inner), to);
      else if (count === 2) addPair(data, out, inner, to, a, weight[t], block + index[t + 1] * inner, weight[t + 1]);
      else if (count > 0) {
        sums.fill(0);
        for (let k = t; k < t + count; k++) addRow(sums, data, block + index[k] * inner, weight[k]);
        out.set(sums, to);
      }
    }
  }
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

function addRow(sums: Float64Array, data: Float32Array, from: number, weight: number): void {
  for (let j = 0; j < sums.length; j++) sums[j] += weight * data[from + j];
}

/** Output voxel o takes over the voxel `index[a][o_a]` of the spatial axes a, or zero for −1; the element type stays. */
export function takeAxes<A extends TypedArray>(x: HostArray<A>, index: readonly Int32Array[]): HostArray<A> {
  const last = index.at(-1)!;
  const lines = x.shape.slice(0, -1);
  const rows = [x.shape[0], ...index.slice(0, -1).map((i) => i.length)];
  const count = rows.reduce((a, b) => a * b, 1);
  const out = emptyLike(x.data, count * last.length);
  const length = x.shape.at(-1)!;
  for (let row = 0; row < count; row++) {
    let from = 0;
    for (let a = rows.length - 1, rest = row, step = 1; a >= 0; a--) {
      const at = rest % rows[a];
      rest = (rest - at) / rows[a];
      const source = a === 0 ? at : index[a - 1][at];
      from = source < 0 || from < 0 ? -1 : from + source * step;
      step *= lines[a];
    }
    if (from < 0) continue;
    const base = from * length;
    const to = row * last.length;
    for (let k = 0; k < last.length; k++) if (last[k] >= 0) out[to + k] = x.data[base + last[k]];
  }
  return { data: out, shape: [x.shape[0], ...index.map((i) => i.length)] };
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
