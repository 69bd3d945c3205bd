/**
 * @file What B-splines need of one axis: where the coefficients of a position are and how they are weighted, by scipy's boundary modes; and lines of elements
 * turned into coefficients by the recursive prefilter (Unser, Aldroubi and Eden 1991).
 */

import type { TypedArray } from "./array.ts";
import { ConfigError } from "./errors.ts";

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
  if (!Number.isInteger(order) || order < 0 || order > 5)
    throw new ConfigError(`${op}: order is ${order}; expected an integer from 0 to 5`);
  if (!modes.includes(mode)) throw new ConfigError(`${op}: unknown mode "${String(mode)}"; known are ${modes.join(", ")}`);
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

/** Position `x` of an axis of `n` elements brought inside by the mode; −1 for what is outside. "grid-constant" leaves it as it is. */
function inside(x: number, n: number, mode: Plan["mode"]): number {
  if ((x >= 0 && x <= n - 1) || mode === "grid-constant") return x;
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

/** The taps of positions along an axis of `size` elements. */
export function tapsOf(positions: ArrayLike<number>, size: number, { order, mode, margin }: Plan): Taps {
  const width = order + 1;
  const n = size + 2 * margin;
  const index = new Int32Array(positions.length * width);
  const weight = new Float64Array(positions.length * width);
  const outside = new Uint8Array(positions.length);
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
  return { index, weight, outside };
}

/** Turns `count` lines of `n` elements, side by side (element i of line j at i·count + j), into coefficients. */
export function filterLines(c: Float64Array, n: number, count: number, { order, mode }: Plan): void {
  if (n < 2) return;
  let gain = 1;
  for (const z of polesOf[order]) gain *= (1 - z) * (1 - 1 / z);
  for (let i = 0; i < n * count; i++) c[i] *= gain;
  for (const z of polesOf[order]) {
    for (let j = 0; j < count; j++) startForward(c, n, count, j, z, mode);
    for (let i = count; i < n * count; i++) c[i] += z * c[i - count];
    for (let j = 0; j < count; j++) startBackward(c, n, count, j, z, mode);
    for (let i = (n - 1) * count - 1; i >= 0; i--) c[i] = z * (c[i + count] - c[i]);
  }
}

function startForward(c: Float64Array, n: number, step: number, j: number, z: number, mode: Plan["mode"]): void {
  let power = z;
  let sum = c[j];
  if (mode === "grid-wrap") {
    for (let i = 1; i < n; i++, power *= z) sum += power * c[(n - i) * step + j];
    c[j] = sum / (1 - power);
  } else if (mode === "nearest" || mode === "reflect") {
    const all = z ** n;
    sum += all * c[(n - 1) * step + j];
    for (let i = 1; i < n - 1; i++, power *= z) sum += power * (c[i * step + j] + all * c[(n - 1 - i) * step + j]);
    // For the last term scipy finds the running sum where element 0 was.
    sum += power * (c[(n - 1) * step + j] + all * sum);
    c[j] += (sum * z) / (1 - all * all);
  } else {
    const all = z ** (n - 1);
    sum += all * c[(n - 1) * step + j];
    for (let i = 1; i < n - 1; i++, power *= z) sum += power * (c[i * step + j] + all * c[(n - 1 - i) * step + j]);
    c[j] = sum / (1 - all * all);
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

/** The lines' elements with their margins, from `data` at `from`, whose elements are `stride` apart; lines lie side by side. */
export function gatherLines(
  data: TypedArray,
  from: number,
  n: number,
  stride: number,
  count: number,
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
    for (let j = 0; j < count; j++) out[to + j] = data[at + j];
  }
}
