/**
 * @file B-spline interpolation of orders 0 to 5 with the boundary modes, the prefilter and the weights of scipy.ndimage: along axes (`resampleAxes`,
 * each axis on its own) and at any points (`mapCoordinates`). Everything is computed in float64.
 */

import { type HostArray, sizeOf } from "./array.ts";
import { ShapeError } from "./errors.ts";
import { roundHalfEven } from "./rounding.ts";
import { stridesOf } from "./shape.ts";
import { filterLines, gatherLines, type Plan, planOf, type SplineOptions, tapsOf } from "./spline_lines.ts";

export type { SplineMode, SplineOptions } from "./spline_lines.ts";

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
