/**
 * @file What B-splines need of one axis: where the coefficients of a position are and how they are weighted, by scipy's boundary modes; and lines of elements
 * turned into coefficients by the recursive prefilter (Unser, Aldroubi and Eden 1991).
 */

import { expectWord } from "./words.ts";
import type { TypedArray } from "./array.ts";
import { expectIntegers } from "./integers.ts";

/** What lies beyond the ends, by scipy's names; "grid-mirror" is another name of "reflect". */
export type SplineMode = "constant" | "nearest" | "mirror" | "reflect" | "grid-mirror" | "wrap" | "grid-wrap" | "grid-constant";

/** How values between voxels are made. */
export interface SplineOptions {
  /** 0 (nearest) to 5; default 3. */
  readonly order?: number;
  /** Default "constant". */
  readonly mode?: SplineMode;
  /** What "constant" and "grid-constant" show outside; default 0. */
  readonly cval?: number;
  /** Whether the input still has to be turned into spline coefficients; default true. */
  readonly prefilter?: boolean;
}

/** `SplineOptions`, checked. */
export interface Plan {
  readonly order: number;
  readonly mode: Exclude<SplineMode, "grid-mirror">;
  readonly cval: number;
  readonly filter: boolean;
  /** Elements put before and behind each axis, for modes whose prefilter has no closed boundary. */
  readonly margin: number;
}

const modes: readonly SplineMode[] = [
  "constant",
  "nearest",
  "mirror",
  "reflect",
  "grid-mirror",
  "wrap",
  "grid-wrap",
  "grid-constant",
];

/** @throws ConfigError for an order or mode that does not exist */
export function planOf(op: string, { order = 3, mode = "constant", cval = 0, prefilter = true }: SplineOptions): Plan {
  expectIntegers(op, { order }, 0, 5);
  expectWord(op, "mode", mode, modes);
  const filter = prefilter && order > 1;
  const padded = filter && (mode === "nearest" || mode === "grid-constant");
  return { order, mode: mode === "grid-mirror" ? "reflect" : mode, cval, filter, margin: padded ? 12 : 0 };
}

/** Poles of the prefilter's recursion, by order. */
const polesOf: readonly (readonly number[])[] = [
  [],
  [],
  [Math.sqrt(8) - 3],
  [Math.sqrt(3) - 2],
  [Math.sqrt(664 - Math.sqrt(438976)) + Math.sqrt(304) - 19, Math.sqrt(664 + Math.sqrt(438976)) - Math.sqrt(304) - 19],
  [Math.sqrt(67.5 - Math.sqrt(4436.25)) + Math.sqrt(26.25) - 6.5, Math.sqrt(67.5 + Math.sqrt(4436.25)) - Math.sqrt(26.25) - 6.5],
];

/** Positions that are no farther outside than this are at the border: what is there is lost or another thing, and rounding must not decide on it. */
const hair = 1e-9;

/** Position `x` of an axis of `n` elements brought inside by the mode; −1 for what is outside. "grid-constant" leaves it as it is. */
function inside(x: number, n: number, mode: Plan["mode"]): number {
  if ((x >= 0 && x <= n - 1) || mode === "grid-constant") return x;
  if ((mode === "constant" || mode === "wrap") && x > -hair && x < n - 1 + hair) return x < 0 ? 0 : n - 1;
  if (mode === "constant") return -1;
  if (n <= 1) return 0;
  switch (mode) {
    case "nearest":
      return x < 0 ? 0 : n - 1;
    case "mirror": {
      const period = 2 * n - 2;
      const at = x < 0 ? -x % period : x % period;
      return at > n - 1 ? period - at : at;
    }
    case "reflect": {
      const period = 2 * n;
      if (x < 0) {
        const at = x < -period ? period * Math.trunc(-x / period) + x : x;
        // A hair before 0 must not come out as −1.
        return at < -n ? at + period : (at > -1e-15 ? 1e-15 : -at) - 1;
      }
      const at = x - period * Math.trunc(x / period);
      return at >= n ? period - at - 1 : at;
    }
    case "wrap": {
      const period = n - 1;
      return x < 0 ? x + period * (Math.trunc(-x / period) + 1) : x - period * Math.trunc(x / period);
    }
    case "grid-wrap":
      return x < 0 ? x + n * (Math.trunc((-1 - x) / n) + 1) : x - n * Math.trunc(x / n);
  }
}

/** Writes the order + 1 weights of position `x` to `out` from `at` on; the last is what is missing to 1. */
function writeWeights(x: number, order: number, out: Float64Array, at: number): void {
  const d = x - Math.floor(order & 1 ? x : x + 0.5);
  const z = 1 - d;
  const h = 0.5 - d;
  const t = d * d;
  if (order === 1) out[at] = 1 - d;
  else if (order === 2) {
    out[at] = 0.5 * h * h;
    out[at + 1] = 0.75 - t;
  } else if (order === 3) {
    out[at] = (z * z * z) / 6;
    out[at + 1] = (t * (d - 2) * 3 + 4) / 6;
    out[at + 2] = (z * z * (z - 2) * 3 + 4) / 6;
  } else if (order === 4) {
    const side = (y: number) => y * (y * ((y * (5 - y)) / 6 - 1.25) + 5 / 24) + 55 / 96;
    out[at] = (h * h * h * h) / 24;
    out[at + 1] = side(1 + d);
    out[at + 2] = t * (t * 0.25 - 0.625) + 115 / 192;
    out[at + 3] = side(z);
  } else if (order === 5) {
    const middle = (y: number) => y * y * (y * y * (0.25 - y / 12) - 0.5) + 0.55;
    const side = (y: number) => y * (y * (y * (y * (y / 24 - 0.375) + 1.25) - 1.75) + 0.625) + 0.425;
    out[at] = (z * z * z * z * z) / 120;
    out[at + 1] = side(1 + d);
    out[at + 2] = middle(d);
    out[at + 3] = middle(z);
    out[at + 4] = side(1 + z);
  }
  let last = 1;
  for (let k = 0; k < order; k++) last -= out[at + k];
  out[at + order] = last;
}

/** For positions along an axis: where their order + 1 coefficients are (in the axis with its margins), and with which weights. */
export interface Taps {
  /** −1 is the fill value. */
  readonly index: Int32Array;
  readonly weight: Float64Array;
  /** 1 for a position that is the fill value as a whole. */
  readonly outside: Uint8Array;
}

/** Room for the taps of so many positions. */
export const emptyTaps = (count: number, { order }: Plan): Taps => ({
  index: new Int32Array(count * (order + 1)),
  weight: new Float64Array(count * (order + 1)),
  outside: new Uint8Array(count),
});

/** The taps of positions along an axis of `size` elements, written to `into`. */
export function tapsOf(positions: ArrayLike<number>, size: number, plan: Plan, into = emptyTaps(positions.length, plan)): Taps {
  const { order, mode, margin } = plan;
  const width = order + 1;
  const n = size + 2 * margin;
  const { index, weight, outside } = into;
  outside.fill(0);
  // Modes without a boundary of their own are continued as by "mirror".
  const between = mode === "constant" || mode === "wrap" ? "mirror" : mode;
  for (let i = 0; i < positions.length; i++) {
    const at = positions[i] + margin;
    // "nearest" brings the elements inside, not the position: the weights are those of where it is.
    const x = mode === "nearest" ? Math.min(n + order, Math.max(-order - 1, at)) : inside(at, n, mode);
    // Where a position is not even a number there is nothing to be interpolated either.
    if (x !== x || (x <= -1 && mode !== "grid-constant" && mode !== "nearest")) {
      outside[i] = 1;
      continue;
    }
    const start = Math.floor(order & 1 ? x : x + 0.5) - (order >> 1);
    writeWeights(x, order, weight, i * width);
    for (let k = 0; k < width; k++) {
      const element = start + k;
      const beyond = element < 0 || element >= n;
      index[i * width + k] = !beyond ? element : between === "grid-constant" ? -1 : inside(element, n, between);
    }
  }
  return into;
}

/** Turns `count` lines of `n` elements, side by side (element i of line j at i·count + j), into coefficients. */
export function filterLines(c: Float64Array, n: number, count: number, { order, mode }: Plan): void {
  if (n < 2) return;
  let gain = 1;
  for (const z of polesOf[order]) gain *= (1 - z) * (1 - 1 / z);
  for (let i = 0; i < n * count; i++) c[i] *= gain;
  const sum = new Float64Array(count);
  for (const z of polesOf[order]) {
    startForward(c, n, count, z, mode, sum);
    for (let i = 1; i < n; i++) forward(c, i * count, count, z);
    for (let j = 0; j < count; j++) startBackward(c, n, count, j, z, mode);
    for (let i = n - 2; i >= 0; i--) backward(c, i * count, count, z);
  }
}

function forward(c: Float64Array, at: number, count: number, z: number): void {
  for (let j = at; j < at + count; j++) c[j] += z * c[j - count];
}

function backward(c: Float64Array, at: number, count: number, z: number): void {
  for (let j = at; j < at + count; j++) c[j] = z * (c[j + count] - c[j]);
}

/** Adds `factor` times a row of elements of all lines. */
function addRow(sum: Float64Array, c: Float64Array, at: number, factor: number): void {
  for (let j = 0; j < sum.length; j++) sum[j] += factor * c[at + j];
}

/** A power of the pole below this moves no digit of a float64. */
const negligible = 1e-20;

/** The first elements, of which the recursion starts; terms that no longer count are left out. */
function startForward(c: Float64Array, n: number, count: number, z: number, mode: Plan["mode"], sum: Float64Array): void {
  const last = (n - 1) * count;
  sum.set(c.subarray(0, count));
  let power = z;
  if (mode === "grid-wrap") {
    for (let i = 1; i < n && Math.abs(power) > negligible; i++, power *= z) addRow(sum, c, (n - i) * count, power);
    const all = z ** n;
    for (let j = 0; j < count; j++) c[j] = sum[j] / (1 - all);
    return;
  }
  const reflected = mode === "nearest" || mode === "reflect";
  const all = z ** (reflected ? n : n - 1);
  addRow(sum, c, last, all);
  for (let i = 1; i < n - 1 && Math.abs(power) > negligible; i++, power *= z) {
    addRow(sum, c, i * count, power);
    addRow(sum, c, last - i * count, power * all);
  }
  if (!reflected) {
    for (let j = 0; j < count; j++) c[j] = sum[j] / (1 - all * all);
    return;
  }
  // For the last term scipy finds the running sum where element 0 was.
  const end = z ** (n - 1);
  for (let j = 0; j < count; j++) {
    const total = sum[j] + end * (c[last + j] + all * sum[j]);
    c[j] += (total * z) / (1 - all * all);
  }
}

function startBackward(c: Float64Array, n: number, step: number, j: number, z: number, mode: Plan["mode"]): void {
  const last = (n - 1) * step + j;
  if (mode === "grid-wrap") {
    let power = z;
    let sum = c[last];
    for (let i = 0; i < n - 1; i++, power *= z) sum += power * c[i * step + j];
    c[last] = (sum * z) / (power - 1);
  } else if (mode === "nearest" || mode === "reflect") c[last] *= z / (z - 1);
  else c[last] = ((z * c[last - step] + c[last]) * z) / (z * z - 1);
}

/** Lines of an array: the first element of the first, how far neighbors in a line are apart, and how far the lines are. */
export interface Lines {
  readonly from: number;
  readonly stride: number;
  readonly apart: number;
  readonly count: number;
}

/** The lines' elements with their margins, side by side in `out`. */
export function gatherLines(
  data: TypedArray,
  n: number,
  { from, stride, apart, count }: Lines,
  plan: Plan,
  out: Float64Array,
): void {
  const { margin, mode, cval } = plan;
  for (let i = -margin; i < n + margin; i++) {
    const to = (i + margin) * count;
    if (mode === "grid-constant" && (i < 0 || i >= n)) {
      out.fill(cval, to, to + count);
      continue;
    }
    const at = from + Math.min(n - 1, Math.max(0, i)) * stride;
    if (apart === 1) gatherRow(data, at, out, to, count);
    else for (let j = 0; j < count; j++) out[to + j] = data[at + j * apart];
  }
}

function gatherRow(data: TypedArray, at: number, out: Float64Array, to: number, count: number): void {
  for (let j = 0; j < count; j++) out[to + j] = data[at + j];
}
