/**
 * @file B-spline interpolation of orders 0 to 5 with the boundary modes, the prefilter and the weights of scipy.ndimage: along axes (`resampleAxes`,
 * each axis on its own) and at any points (`mapCoordinates`). Everything is computed in float64.
 */

import { type HostArray, sizeOf } from "./array.ts";
import { ShapeError } from "./errors.ts";
import { roundHalfEven } from "./rounding.ts";
import { stridesOf } from "./shape.ts";
import { filterLines, gatherLines, type Plan, planOf, type SplineOptions, type Taps, tapsOf } from "./spline_lines.ts";

export type { SplineMode, SplineOptions } from "./spline_lines.ts";

// Lines worked on together: their buffer stays in the cache.
const block = 256;

/** One axis of an array `[…, n, …]` at new positions. */
function resampleAxis(x: HostArray, axis: number, positions: ArrayLike<number>, plan: Plan): HostArray<Float64Array> {
  const { filter, margin } = plan;
  const n = x.shape[axis];
  const inner = sizeOf(x.shape.slice(axis + 1));
  const outer = sizeOf(x.shape.slice(0, axis));
  const taps = tapsOf(positions, n, plan);
  const many = positions.length;
  const out = new Float64Array(outer * many * inner);
  // Lines lie side by side in the array but along its last axis, where they lie one behind the other.
  const last = inner === 1;
  const [groups, members] = last ? [1, outer] : [outer, inner];
  const lines = new Float64Array((n + 2 * margin) * Math.min(members, block));
  const sums = new Float64Array(Math.min(members, block));
  for (let o = 0; o < groups; o++) {
    for (let first = 0; first < members; first += block) {
      const count = Math.min(block, members - first);
      const from = last ? first * n : o * n * inner + first;
      gatherLines(x.data, n, { from, stride: inner, apart: last ? n : 1, count }, plan, lines);
      if (filter) filterLines(lines.subarray(0, (n + 2 * margin) * count), n + 2 * margin, count, plan);
      for (let p = 0; p < many; p++) {
        sumTaps(lines, taps, p, plan, sums, count);
        const to = last ? first * many + p : (o * many + p) * inner + first;
        if (last) for (let j = 0; j < count; j++) out[to + j * many] = sums[j];
        else out.set(count === sums.length ? sums : sums.subarray(0, count), to);
      }
    }
  }
  return { data: out, shape: x.shape.map((s, a) => (a === axis ? many : s)) };
}

/** Position `p` of lines that lie side by side. */
function sumTaps(lines: Float64Array, taps: Taps, p: number, { order, cval }: Plan, out: Float64Array, count: number): void {
  const { index, weight, outside } = taps;
  out.fill(outside[p] ? cval : 0, 0, count);
  if (outside[p]) return;
  for (let k = p * (order + 1); k < (p + 1) * (order + 1); k++) {
    if (index[k] < 0) for (let j = 0; j < count; j++) out[j] += weight[k] * cval;
    else addScaled(out, lines, index[k] * count, weight[k], count);
  }
}

function addScaled(out: Float64Array, lines: Float64Array, at: number, weight: number, count: number): void {
  for (let j = 0; j < count; j++) out[j] += weight * lines[at + j];
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
  // What shrinks most goes first, so that the others have less to do.
  const growth = (axis: number): number => positions[axis]!.length / x.shape[axis];
  const axes = positions.flatMap((along, axis) => (along ? [axis] : [])).sort((a, b) => growth(a) - growth(b) || a - b);
  for (const axis of axes) value = resampleAxis(value, axis, positions[axis]!, plan);
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
export function mapCoordinates(
  x: HostArray,
  coordinates: readonly ArrayLike<number>[],
  options: SplineOptions = {},
): Float64Array {
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

/** The coefficients of all axes, margins included; the values themselves for orders that need none. */
export function splineCoefficients(x: HostArray, plan: Plan): HostArray {
  if (!plan.filter) return x;
  let value: HostArray = x;
  x.shape.forEach((n, axis) => {
    const size = n + 2 * plan.margin;
    const inner = sizeOf(value.shape.slice(axis + 1));
    const outer = sizeOf(value.shape.slice(0, axis));
    const out = new Float64Array(outer * size * inner);
    const last = inner === 1;
    const [groups, members] = last ? [1, outer] : [outer, inner];
    const buffer = new Float64Array(size * Math.min(members, block));
    for (let o = 0; o < groups; o++) {
      for (let first = 0; first < members; first += block) {
        const count = Math.min(block, members - first);
        const lines = buffer.subarray(0, size * count);
        const from = last ? first * n : o * n * inner + first;
        gatherLines(value.data, n, { from, stride: inner, apart: last ? n : 1, count }, plan, lines);
        filterLines(lines, size, count, plan);
        const to = last ? first * size : o * size * inner + first;
        for (let i = 0; i < size; i++) {
          const row = i * count;
          if (last) for (let j = 0; j < count; j++) out[to + j * size + i] = lines[row + j];
          else out.set(lines.subarray(row, row + count), to + i * inner);
        }
      }
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
