/** @file Linear filters of host arrays: along one axis, and n-dimensional ones. Sums are float64, results float32. */
import { edgeIndices, type EdgeMode } from "./edges.ts";
import { sizeOf } from "./array.ts";
import { filterInLanes } from "./simd/filter_planes.ts";
import { unfilledFloats } from "./unfilled.ts";

/** Elements that are summed at a time: they and their sums stay in the fastest cache. */
const chunk = 1024;

/**
 * Correlates along one axis: out[i] = Σ weights[k] · in[i + k − half], half = (weights − 1) / 2 rounded down, at unchanged size.
 * @param edge what stands beyond the ends; "constant" is zero
 */
export function filterAxis(
  data: Float32Array,
  shape: readonly number[],
  axis: number,
  weights: ArrayLike<number>,
  edge: EdgeMode = "constant",
): Float32Array {
  const size = shape[axis];
  const inner = sizeOf(shape.slice(axis + 1));
  const half = (weights.length - 1) >> 1;
  const source = edgeIndices(edge, -half, size + weights.length - 1, size);
  const out = unfilledFloats(data.length);
  if (inner === 1) filterLines(data, size, weights, source, out);
  else filterRows(data, size, inner, weights, source, out);
  return out;
}

/** Along the last axis: each line is laid out with its surroundings, so that a tap is a shift. */
function filterLines(data: Float32Array, size: number, weights: ArrayLike<number>, source: Int32Array, out: Float32Array): void {
  const line = new Float32Array(source.length);
  const sums = new Float64Array(size);
  const taps = new Taps(weights.length);
  for (let k = 0; k < weights.length; k++) taps.add(k, weights[k]);
  for (let start = 0; start < data.length; start += size) {
    for (let i = 0; i < line.length; i++) line[i] = source[i] < 0 ? 0 : data[start + source[i]];
    taps.sum(line, 0, sums, size);
    for (let i = 0; i < size; i++) out[start + i] = sums[i];
  }
}

/** Along another axis: a tap is a row at another place. */
function filterRows(
  data: Float32Array,
  size: number,
  inner: number,
  weights: ArrayLike<number>,
  source: Int32Array,
  out: Float32Array,
): void {
  const sums = new Float64Array(chunk);
  const taps = new Taps(weights.length);
  for (let block = 0; block < data.length; block += size * inner) {
    for (let from = 0; from < inner; from += chunk) {
      const count = Math.min(chunk, inner - from);
      for (let i = 0; i < size; i++) {
        taps.clear();
        for (let k = 0; k < weights.length; k++) if (source[i + k] >= 0) taps.add(source[i + k] * inner, weights[k]);
        taps.sum(data, block + from, sums, count);
        const to = block + i * inner + from;
        for (let j = 0; j < count; j++) out[to + j] = sums[j];
      }
    }
  }
}

/** Places and weights of the rows that are summed. */
class Taps {
  private readonly at: Int32Array;
  private readonly weight: Float64Array;
  private count = 0;

  constructor(most: number) {
    // Filled up with weights of 0 to a multiple of 4.
    this.at = new Int32Array(most + 3);
    this.weight = new Float64Array(most + 3);
  }

  clear(): void {
    this.count = 0;
  }

  /** Taps of weight 0 are left out, so that a NaN or infinity beside the sample does not leak in. */
  add(at: number, weight: number): void {
    if (weight === 0) return;
    this.at[this.count] = at;
    this.weight[this.count++] = weight;
  }

  /** sums[j] = Σ weight · data[start + at + j]. Four taps at a time: the sums are then loaded and stored a quarter as often. */
  sum(data: Float32Array, start: number, sums: Float64Array, length: number): void {
    const { at, weight, count } = this;
    sums.fill(0, 0, length);
    let k = 0;
    for (; k + 4 <= count; k += 4) {
      const [a, b, c, d] = [start + at[k], start + at[k + 1], start + at[k + 2], start + at[k + 3]];
      const [u, v, w, x] = [weight[k], weight[k + 1], weight[k + 2], weight[k + 3]];
      for (let j = 0; j < length; j++) sums[j] += u * data[a + j] + v * data[b + j] + w * data[c + j] + x * data[d + j];
    }
    for (; k < count; k++) {
      const a = start + at[k];
      const u = weight[k];
      for (let j = 0; j < length; j++) sums[j] += u * data[a + j];
    }
  }
}

/**
 * Correlates the last axes of an array with an n-dimensional kernel of odd sizes, zeros outside, at unchanged size.
 * @param shape of the array; its last axes are those of the kernel, all before are filtered one by one
 */
export function filterNd(
  data: Float32Array,
  shape: readonly number[],
  weights: ArrayLike<number>,
  kernelShape: readonly number[],
): Float32Array {
  const spatial = shape.slice(shape.length - kernelShape.length);
  const out = unfilledFloats(data.length);
  if (spatial.length <= 3 && filterInLanes(data, three(spatial), weights, three(kernelShape), out)) return out;
  const size = sizeOf(spatial);
  const width = spatial.at(-1)!;
  const kernelWidth = kernelShape.at(-1)!;
  const half = (kernelWidth - 1) >> 1;
  const padded = new Float32Array(width + kernelWidth - 1);
  const total = new Float64Array(width);
  for (let block = 0; block < data.length; block += size) {
    for (let row = 0; row < size; row += width) {
      total.fill(0);
      for (let k = 0; k < weights.length; k += kernelWidth) {
        const from = shiftedRow(row, k, spatial, kernelShape);
        if (from < 0) continue;
        padded.set(data.subarray(block + from, block + from + width), half);
        for (let t = 0; t < kernelWidth; t++) if (weights[k + t] !== 0) addTap(total, padded, t, weights[k + t]);
      }
      out.set(total, block + row);
    }
  }
  return out;
}

const three = (sizes: readonly number[]): readonly [number, number, number] => [
  sizes.at(-3) ?? 1,
  sizes.at(-2) ?? 1,
  sizes.at(-1)!,
];

function addTap(total: Float64Array, row: Float32Array, at: number, weight: number): void {
  for (let j = 0; j < total.length; j++) total[j] += weight * row[at + j];
}

/** Where the row is that a row of the kernel lies on, −1 outside. Rows are named by the flat index of their first element. */
function shiftedRow(row: number, kernelRow: number, spatial: readonly number[], kernelShape: readonly number[]): number {
  let at = Math.floor(row / spatial.at(-1)!);
  let k = Math.floor(kernelRow / kernelShape.at(-1)!);
  let from = 0;
  let stride = spatial.at(-1)!;
  for (let a = spatial.length - 2; a >= 0; a--) {
    const i = (at % spatial[a]) + (k % kernelShape[a]) - ((kernelShape[a] - 1) >> 1);
    if (i < 0 || i >= spatial[a]) return -1;
    from += i * stride;
    stride *= spatial[a];
    at = Math.floor(at / spatial[a]);
    k = Math.floor(k / kernelShape[a]);
  }
  return from;
}
