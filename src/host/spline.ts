/**
 * @file B-spline interpolation of orders 0 to 5 with the boundary modes, the prefilter and the weights of scipy.ndimage (Unser, Aldroubi and
 * Eden 1991): along axes (`resampleAxes`, each axis on its own) and at any points (`mapCoordinates`). Everything is computed in float64.
 */

import { type HostArray, sizeOf, type TypedArray } from "./array.ts";
import { ConfigError, ShapeError } from "./errors.ts";
import { roundHalfEven } from "./rounding.ts";
import { stridesOf } from "./shape.ts";

/** What lies beyond the ends, by scipy's names; "grid-mirror" is another name of "reflect". */
export type SplineMode =
  "constant" | "nearest" | "mirror" | "reflect" | "grid-mirror" | "wrap" | "grid-wrap" | "grid-constant";

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

interface Plan {
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

function planOf(op: string, { order = 3, mode = "constant", cval = 0, prefilter = true }: SplineOptions): Plan {
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
  [-0.361341225900220177, -0.0137254292973391213],
  [-0.43057534709997379, -0.0430962882032646538],
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
interface Taps {
  /** −1 is the fill value. */
  readonly index: Int32Array;
  readonly weight: Float64Array;
  /** 1 for a position that is the fill value as a whole. */
  readonly outside: Uint8Array;
}

function tapsOf(positions: ArrayLike<number>, size: number, { order, mode, margin }: Plan): Taps {
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
function filterLines(c: Float64Array, n: number, count: number, { order, mode }: Plan): void {
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
function gatherLines(data: TypedArray, from: number, n: number, stride: number, count: number, plan: Plan, out: Float64Array): void {
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

// Lines worked on together: their buffer stays in the cache.
const block = 256;

/** One axis of an array `[…, n, …]` at new positions. */
function resampleAxis(x: HostArray, axis: number, positions: ArrayLike<number>, plan: Plan): HostArray<Float64Array> {
  const { order, cval, filter, margin } = plan;
  const n = x.shape[axis];
  const inner = sizeOf(x.shape.slice(axis + 1));
  const outer = sizeOf(x.shape.slice(0, axis));
  const taps = tapsOf(positions, n, plan);
  const width = order + 1;
  const out = new Float64Array(outer * positions.length * inner);
  const lines = new Float64Array((n + 2 * margin) * Math.min(inner, block));
  for (let o = 0; o < outer; o++) {
    for (let first = 0; first < inner; first += block) {
      const count = Math.min(block, inner - first);
      gatherLines(x.data, o * n * inner + first, n, inner, count, plan, lines);
      if (filter) filterLines(lines, n + 2 * margin, count, plan);
      for (let p = 0; p < positions.length; p++) {
        const to = (o * positions.length + p) * inner + first;
        if (taps.outside[p]) {
          out.fill(cval, to, to + count);
          continue;
        }
        for (let k = p * width; k < (p + 1) * width; k++) {
          const w = taps.weight[k];
          const at = taps.index[k] * count;
          if (at < 0) for (let j = 0; j < count; j++) out[to + j] += w * cval;
          else for (let j = 0; j < count; j++) out[to + j] += w * lines[at + j];
        }
      }
    }
  }
  return { data: out, shape: x.shape.map((s, a) => (a === axis ? positions.length : s)) };
}

/**
 * An array at the points of a grid: `positions[a]` are the coordinates along axis a (undefined keeps the axis as it is). One axis after the other,
 * which equals the product of the axes' splines.
 * @throws ConfigError for an order or mode that does not exist; ShapeError for positions of another number of axes, or an empty axis
 */
export function resampleAxes(
  x: HostArray,
  positions: readonly (ArrayLike<number> | undefined)[],
  options: SplineOptions = {},
): HostArray<Float64Array> {
  const plan = planOf("resampleAxes", options);
  expectAxes("resampleAxes", x, positions.length);
  let value: HostArray = x;
  positions.forEach((along, axis) => {
    if (along) value = resampleAxis(value, axis, along, plan);
  });
  const { data, shape } = value;
  return { data: data instanceof Float64Array && data !== x.data ? data : Float64Array.from(data), shape: [...shape] };
}

function expectAxes(op: string, { shape }: HostArray, axes: number): void {
  if (axes !== shape.length) throw new ShapeError(`${op}: coordinates have ${axes} axes, the array [${shape}] ${shape.length}`);
  if (shape.includes(0)) throw new ShapeError(`${op}: the array [${shape}] is empty`);
}

/**
 * The values of an array at any points: scipy's `map_coordinates`.
 * @param coordinates per axis of `x` the points' positions in elements, all lists of one length
 * @returns a value per point
 * @throws ConfigError for an order or mode that does not exist; ShapeError for another number of axes
 */
export function mapCoordinates(x: HostArray, coordinates: readonly ArrayLike<number>[], options: SplineOptions = {}): Float64Array {
  const plan = planOf("mapCoordinates", options);
  expectAxes("mapCoordinates", x, coordinates.length);
  const { data, shape } = splineCoefficients(x, plan);
  const width = plan.order + 1;
  const taps = coordinates.map((along, axis) => tapsOf(along, x.shape[axis], plan));
  const strides = stridesOf(shape);
  const out = new Float64Array(coordinates[0].length);
  const walk = (axis: number, p: number, offset: number, weight: number): number => {
    if (axis === shape.length) return weight * (offset < 0 ? plan.cval : data[offset]);
    let sum = 0;
    for (let k = p * width; k < (p + 1) * width; k++) {
      const at = taps[axis].index[k];
      sum += walk(axis + 1, p, at < 0 || offset < 0 ? -1 : offset + at * strides[axis], weight * taps[axis].weight[k]);
    }
    return sum;
  };
  for (let p = 0; p < out.length; p++) out[p] = taps.some((t) => t.outside[p]) ? plan.cval : walk(0, p, 0, 1);
  return out;
}

/** The coefficients of all axes, margins included. */
function splineCoefficients(x: HostArray, plan: Plan): HostArray {
  if (!plan.filter) return x;
  let value: HostArray = x;
  x.shape.forEach((n, axis) => {
    const size = n + 2 * plan.margin;
    const inner = sizeOf(value.shape.slice(axis + 1));
    const outer = sizeOf(value.shape.slice(0, axis));
    const out = new Float64Array(outer * size * inner);
    for (let o = 0; o < outer; o++) {
      const lines = out.subarray(o * size * inner, (o + 1) * size * inner);
      gatherLines(value.data, o * n * inner, n, inner, inner, plan, lines);
      filterLines(lines, size, inner, plan);
    }
    value = { data: out, shape: value.shape.map((s, a) => (a === axis ? size : s)) };
  });
  return value;
}

/** Spline coefficients of an array: scipy's `spline_filter`. @throws ConfigError for an order or mode that does not exist */
export function splineFilter(x: HostArray, options: Pick<SplineOptions, "order" | "mode"> = {}): HostArray<Float64Array> {
  const { data, shape } = splineCoefficients(x, { ...planOf("splineFilter", options), margin: 0 });
  return { data: Float64Array.from(data), shape: [...shape] };
}

/** Positions along an axis of `from` elements that is resized to `to`: voxel centers (`grid`, scipy's grid_mode), else ends in place. */
export function zoomPositions(from: number, to: number, grid = true): Float64Array {
  const out = new Float64Array(to);
  const scale = grid ? from / to : to > 1 ? (from - 1) / (to - 1) : 1;
  for (let i = 0; i < to; i++) out[i] = grid ? (i + 0.5) * scale - 0.5 : i * scale;
  return out;
}

/**
 * An array resized by a factor per axis (one number: all): scipy's `zoom`. Sizes are round(size · factor), halves to even.
 * @throws ConfigError for an order or mode that does not exist; ShapeError for another number of factors
 */
export function zoom(
  x: HostArray,
  factor: number | readonly number[],
  { gridMode = false, ...options }: SplineOptions & { readonly gridMode?: boolean } = {},
): HostArray<Float64Array> {
  const factors = typeof factor === "number" ? x.shape.map(() => factor) : factor;
  if (factors.every((f) => f === 1)) return { data: Float64Array.from(x.data), shape: [...x.shape] };
  return resampleAxes(
    x,
    factors.map((f, a) => zoomPositions(x.shape[a], roundHalfEven(x.shape[a] * f), gridMode)),
    options,
  );
}
