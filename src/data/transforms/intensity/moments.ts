/** @file Mean and standard deviation of images: sums in float64, in the same order with and without the vectors of WebAssembly. */
import { inBlocks } from "../../../host/blocks.ts";
import { lanesOf } from "../../../host/simd/chunks.ts";
import { squares, sumInLanes, total as totalKernel } from "../../../host/simd/sums.ts";
import type { Floats } from "./arithmetic.ts";

const lanesFor = /* @__PURE__ */ lanesOf({ squares, total: totalKernel });

/** Mean, and standard deviation over n − ddof, in two passes; with `nonzero` only of elements that are not 0. */
export function meanAndStd(data: Floats, ddof: number, nonzero = false): { mean: number; std: number; count: number } {
  const { mean, count } = meanOf(data, nonzero);
  // Zeros that do not count are taken out again at the end.
  const squares = squaresAround(data, mean) - (data.length - count) * mean * mean;
  return { mean, std: Math.sqrt(Math.max(squares, 0) / (count - ddof)), count };
}

/** Σ (x − mean)². */
function squaresAround(data: Floats, mean: number): number {
  const lanes = data instanceof Float32Array ? lanesFor(data.length) : undefined;
  const some = (start: number, end: number) => squaresOf(data, start, end, mean);
  if (lanes) return sumInLanes(lanes, data as Float32Array, (from, to) => lanes.kernels.squares(from, to, mean), some);
  let sum = 0;
  inBlocks(data.length, (start, end) => (sum += some(start, end)));
  return sum;
}

/** Four sums, so that an addition need not wait for the one before. */
function squaresOf(data: Floats, start: number, end: number, mean: number): number {
  let a = 0;
  let b = 0;
  let c = 0;
  let d = 0;
  let i = start;
  for (; i + 3 < end; i += 4) {
    const p = data[i] - mean;
    const q = data[i + 1] - mean;
    const r = data[i + 2] - mean;
    const s = data[i + 3] - mean;
    a += p * p;
    b += q * q;
    c += r * r;
    d += s * s;
  }
  for (; i < end; i++) a += (data[i] - mean) * (data[i] - mean);
  return a + b + (c + d);
}

/** Mean and number of the elements; with `nonzero` only of those that are not 0. */
export function meanOf(data: Floats, nonzero = false): { mean: number; count: number } {
  let count = data.length;
  if (nonzero) inBlocks(data.length, (start, end) => (count -= zerosIn(data, start, end)));
  return { mean: total(data) / count, count };
}

function total(data: Floats): number {
  const lanes = data instanceof Float32Array ? lanesFor(data.length) : undefined;
  const some = (start: number, end: number) => sumOf(data, start, end);
  if (lanes) return sumInLanes(lanes, data as Float32Array, lanes.kernels.total, some);
  let sum = 0;
  inBlocks(data.length, (start, end) => (sum += some(start, end)));
  return sum;
}

function sumOf(data: Floats, start: number, end: number): number {
  let a = 0;
  let b = 0;
  let c = 0;
  let d = 0;
  let i = start;
  for (; i + 3 < end; i += 4) {
    a += data[i];
    b += data[i + 1];
    c += data[i + 2];
    d += data[i + 3];
  }
  for (; i < end; i++) a += data[i];
  return a + b + (c + d);
}

function zerosIn(data: Floats, start: number, end: number): number {
  let count = 0;
  for (let i = start; i < end; i++) count += Number(data[i] === 0);
  return count;
}
