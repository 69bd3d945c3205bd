/**
 * @file Separable resampling. Every mode is a small table per axis, "output i is this weighted sum of inputs", and resizing applies
 * the tables axis by axis. Coordinates follow torch.nn.functional.interpolate.
 */
import type { HostArray } from "../../../host/array.ts";

/** Output i is the sum of weight[t] · input[index[t]] over t = first[i] … first[i + 1] − 1. */
export interface Taps {
  readonly first: Int32Array;
  readonly index: Int32Array;
  readonly weight: Float64Array;
}

/** Adaptive average: output i is the mean of inputs floor(i·n/m) … ceil((i+1)·n/m) − 1. */
export function areaTaps(inSize: number, outSize: number): Taps {
  return taps(outSize, (i) => {
    const start = Math.floor((i * inSize) / outSize);
    const stop = Math.ceil(((i + 1) * inSize) / outSize);
    return Array.from({ length: stop - start }, (_, k) => [start + k, 1 / (stop - start)] as const);
  });
}

/** floor(i·n/m), or with `exact` floor((i+½)·n/m); in float32, as torch does, so that ties fall the same way. */
export function nearestTaps(inSize: number, outSize: number, exact: boolean): Taps {
  const scale = Math.fround(inSize / outSize);
  return taps(outSize, (i) => [[Math.min(Math.floor(Math.fround((i + (exact ? 0.5 : 0)) * scale)), inSize - 1), 1]]);
}

/** Two neighbours. Half-pixel centres, or with `alignCorners` the corner voxels onto each other. */
export function linearTaps(inSize: number, outSize: number, alignCorners: boolean): Taps {
  return taps(outSize, (i) => {
    const at = Math.max(sourcePosition(i, inSize, outSize, alignCorners), 0);
    const low = Math.min(Math.floor(at), inSize - 1);
    const t = at - low;
    return [
      [low, 1 - t],
      [Math.min(low + 1, inSize - 1), t],
    ];
  });
}

/** Four neighbours, cubic convolution with a = −0.75 (Keys, 1981); indices outside are clamped to the border. */
export function cubicTaps(inSize: number, outSize: number, alignCorners: boolean): Taps {
  const a = -0.75;
  const near = (d: number): number => ((a + 2) * d - (a + 3)) * d * d + 1;
  const far = (d: number): number => ((a * d - 5 * a) * d + 8 * a) * d - 4 * a;
  return taps(outSize, (i) => {
    const at = sourcePosition(i, inSize, outSize, alignCorners);
    const low = Math.floor(at);
    const t = at - low;
    return [far(t + 1), near(t), near(1 - t), far(2 - t)].map(
      (w, k) => [Math.min(Math.max(low - 1 + k, 0), inSize - 1), w] as const,
    );
  });
}

/** Gaussian smoothing at unchanged size, zeros outside: differences of erf over each voxel, cut at 4 sigma (MONAI's "erf" kernel). */
export function gaussianTaps(size: number, sigma: number): Taps {
  const tail = Math.floor(Math.max(sigma * 4, 0.5) + 0.5);
  const edge = (x: number): number => (sigma === 0 ? Math.sign(x) : erf((Math.SQRT1_2 / sigma) * x));
  const kernel = Array.from({ length: 2 * tail + 1 }, (_, k) => Math.max(0.5 * (edge(k - tail + 0.5) - edge(k - tail - 0.5)), 0));
  return taps(size, (i) => kernel.map((w, k) => [i + k - tail, w] as const).filter(([j]) => j >= 0 && j < size));
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

function sourcePosition(i: number, inSize: number, outSize: number, alignCorners: boolean): number {
  if (alignCorners) return outSize > 1 ? (i * (inSize - 1)) / (outSize - 1) : 0;
  return ((i + 0.5) * inSize) / outSize - 0.5;
}

/** Terms of weight 0 are left out, so that a NaN or infinity beside the sample does not leak in. */
function taps(outSize: number, at: (i: number) => (readonly [number, number])[]): Taps {
  const first = [0];
  const index: number[] = [];
  const weight: number[] = [];
  for (let i = 0; i < outSize; i++) {
    for (const [j, w] of at(i)) {
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
