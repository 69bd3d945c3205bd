/**
 * @file Linear maps along the spatial axes, given as sparse rows: average pools and interpolation are such maps, their gradients the
 * transposed ones.
 */

import { TensorTooLargeError } from "../host/errors.ts";
import { sizeOf } from "../host/array.ts";
import { read, write } from "../tensor/kernel.ts";
import { type Shape, showShape } from "../host/shape.ts";
import { areaWindow } from "../host/taps.ts";
import type { Device } from "../tensor/device.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { cast } from "./cast.ts";
import { expectFloats, half } from "./lib/args.ts";
import { eachPiece } from "./lib/pieces.ts";
import { eachReach, firstAxis, type Rows, rowsBetween } from "./lib/reach.ts";
import { fold } from "./lib/workgroups.ts";
import { reduceSum } from "./reduce.ts";
import { BLOCK } from "./shaders/lib/levels.gen.ts";
import { applyShader } from "./shaders/resample/apply.gen.ts";

/** The inputs of one output along an axis: `weights[k]` belongs to input `start + k`. Without weights the output is 0. */
export interface MapRow {
  readonly start: number;
  readonly weights: readonly number[];
  /** What the sum is divided by, for averages: their weights are 1, and an average of ones is 1. Default 1. */
  readonly divisor?: number;
}

/** A linear map from an axis of `from` elements to one of `rows.length`. */
export interface AxisMap {
  readonly from: number;
  readonly rows: readonly MapRow[];
}

/** A map per spatial axis, `undefined` for an axis that stays as it is. */
export type AxisMaps = readonly (AxisMap | undefined)[];

// Rows are host objects of a hundred bytes; f32 has the positions of longer axes only roughly anyhow.
const maxRows = 2 ** 24;

/** Throws `TensorTooLargeError` for axes that are too long for a map. */
export function expectMapped(op: string, sizes: Shape): void {
  if (sizes.every((n) => n <= maxRows)) return;
  throw new TensorTooLargeError(
    `${op}: a result of spatial size ${showShape(sizes)} has an axis of more than ${maxRows} elements: use a smaller size`,
  );
}

/** Spatial sizes as D, H, W: missing leading axes have size 1. */
export const padAxes = <T>(list: readonly T[], fill: T): [T, T, T] =>
  [...new Array<T>(3 - list.length).fill(fill), ...list] as [T, T, T];

/** Planes (or channels) that one thread does, because they share its index arithmetic. */
export const planesTogether = (planes: number): number => (planes >= 8 ? 8 : planes >= 4 ? 4 : 1);

/** A row from (index, weight) pairs in any order; an index may come more than once. */
export function mapRow(taps: readonly (readonly [index: number, weight: number])[]): MapRow {
  const used = taps.filter(([, weight]) => weight !== 0);
  if (used.length === 0) return { start: 0, weights: [] };
  const start = used.reduce((least, [i]) => Math.min(least, i), Infinity);
  const end = used.reduce((most, [i]) => Math.max(most, i + 1), 0);
  const weights = new Array<number>(end - start).fill(0);
  for (const [i, weight] of used) weights[i - start] += weight;
  return { start, weights };
}

/** Windows of adaptive average pooling. */
export function areaMap(from: number, to: number): AxisMap {
  const rows = Array.from({ length: to }, (_, o) => {
    const { start, count } = areaWindow(o, from, to);
    return { start, weights: new Array<number>(count).fill(1), divisor: count };
  });
  return { from, rows };
}

/** The map of the gradient. */
export function transposeMap({ from, rows }: AxisMap): AxisMap {
  const columns = Array.from({ length: from }, (): [number, number][] => []);
  rows.forEach(({ start, weights, divisor = 1 }, o) =>
    weights.forEach((weight, k) => columns[start + k].push([o, weight / divisor])),
  );
  return { from: rows.length, rows: columns.map(mapRow) };
}

const taps = (map: AxisMap | undefined) =>
  map ? map.rows.reduce((n, row) => n + row.weights.length, 0) / Math.max(1, map.rows.length) : 1;

/**
 * Which axes are mapped together, one entry per dispatch. One pass touches Π taps inputs per output, a pass per axis only its own taps but
 * writes what lies between: whichever touches fewer elements. Linear and cubic interpolation go axis by axis, nearest and plain
 * average pools in one pass. Axes that shrink most (or grow least) come first, so that what lies between is small.
 */
function resamplePasses(maps: AxisMaps): number[][] {
  const used = maps.flatMap((map, axis) => (map ? [axis] : []));
  if (used.length < 2) return used.length === 0 ? [] : [used];
  const growth = (axis: number) => maps[axis]!.rows.length / maps[axis]!.from;
  const order = [...used].sort((a, b) => growth(a) - growth(b));
  const direct = used.reduce((n, axis) => n * taps(maps[axis]), 1) + 1;
  // Per output of the last pass: what an earlier pass writes is smaller by the growth that still follows.
  let share = 1;
  let stepwise = 0;
  for (const axis of order.toReversed()) {
    stepwise += share * (taps(maps[axis]) + 1);
    share /= growth(axis);
  }
  return direct <= stepwise ? [used] : order.map((axis) => [axis]);
}

const longest = (map: AxisMap | undefined) => (map ? map.rows.reduce((most, row) => Math.max(most, row.weights.length), 1) : 1);

// Words of a row before its weights: start, count and divisor.
const head = 3;

// Weights over a power of two are exact, and spare the division.
const divides = ({ divisor = 1 }: MapRow): boolean => !Number.isInteger(Math.log2(Math.abs(divisor)));

// Per axis `rows.length` rows of these and the weights, padded to the longest.
function table(maps: AxisMaps): { words: Uint32Array<ArrayBuffer>; base: number[]; row: number[] } {
  const row = maps.map((map) => (map ? head + longest(map) : 0));
  let size = 0;
  const base = maps.map((map, axis) => {
    const start = size;
    size += row[axis] * (map?.rows.length ?? 0);
    return start;
  });
  const words = new Uint32Array(Math.max(1, size));
  const floats = new Float32Array(words.buffer);
  maps.forEach((map, axis) =>
    map?.rows.forEach((mapped, o) => {
      const { start, weights, divisor = 1 } = mapped;
      const at = base[axis] + o * row[axis];
      words[at] = start;
      words[at + 1] = weights.length;
      const whole = divides(mapped);
      floats[at + 2] = whole ? divisor : 1;
      floats.set(whole ? weights : weights.map((w) => w / divisor), at + head);
    }),
  );
  return { words, base, row };
}

const four = ([d, h, w]: readonly number[]) => [d, h, w, 0] as const;

// Terms that are added in one go; larger windows are added in levels.
const mostTerms = BLOCK;

function pass(op: string, device: Device, x: Tensor, from: Shape, maps: AxisMaps): Tensor {
  const size = from.map((n, axis) => maps[axis]?.rows.length ?? n);
  const planes = x.size / Math.max(1, sizeOf(from));
  const y = device.empty([planes, ...size], x.dtype);
  if (y.size === 0) return y;
  const view = x.view([planes, ...from]);
  const blocked = maps.reduce((n, map) => n * longest(map), 1) > mostTerms;
  const divided = maps.some((map) => map?.rows.some(divides));
  const mapped = (from: Shape, maps: AxisMaps) => {
    const { words, base, row } = table(maps);
    const rows = device.tensor({ data: words, shape: [words.length] }, "u32");
    const size = from.map((n, axis) => maps[axis]?.rows.length ?? n);
    const run = (piece: Tensor, to: Tensor) => {
      const planes = to.size / sizeOf(size);
      const TP = planesTogether(planes);
      device.run(
        applyShader({
          consts: { TP },
          overrides: { BLOCKED: blocked ? 1 : 0, DIVIDED: divided ? 1 : 0 },
          variant: [blocked && "blocked", divided && "divided"].filter(Boolean).join(" ") || "plain",
          half: half(x),
          params: { in_size: four(from), out_size: four(size), base: four(base), row: four(row), planes },
          bind: { x: piece, table: rows, y: write(to) },
          workgroups: fold(device, op, Math.ceil(sizeOf(size) / 64) * Math.ceil(planes / TP)),
        }),
      );
    };
    return { run, done: () => rows.dispose() };
  };
  const whole = mapped(from, maps);
  eachPiece(
    op,
    1,
    [read(view), write(y)],
    ([piece, to]) => whole.run(piece, to),
    ([plane, to]) => {
      const axis = firstAxis(from, size);
      const reach = (range: Rows) => reachOf(maps[axis], range, from[axis]);
      eachReach(op, [from[axis], size[axis]], [plane], [write(to)], reach, ([x], [y], range, near) => {
        const part = mapped(from.with(axis, near.count), maps.with(axis, rowsOf(maps[axis], range, near)));
        part.run(x, y);
        part.done();
      });
    },
  );
  view.dispose();
  whole.done();
  return y;
}

// The inputs that some rows of a map read, and the map from these to those.
function reachOf(map: AxisMap | undefined, { start, count }: Rows, size: number): Rows {
  if (!map) return { start, count };
  const used = map.rows.slice(start, start + count).filter((row) => row.weights.length > 0);
  const first = used.reduce((least, row) => Math.min(least, row.start), size);
  return rowsBetween(
    first,
    used.reduce((most, row) => Math.max(most, row.start + row.weights.length), 0),
    size,
  );
}

function rowsOf(map: AxisMap | undefined, { start, count }: Rows, near: Rows): AxisMap | undefined {
  const moved = map?.rows
    .slice(start, start + count)
    .map((row) => (row.weights.length > 0 ? { ...row, start: row.start - near.start } : row));
  return moved && { from: near.count, rows: moved };
}

// One output of all inputs: a reduction, which has lanes and slabs.
function isSum(map: AxisMap | undefined): boolean {
  if (map?.rows.length !== 1) return false;
  const [{ weights }] = map.rows;
  return weights.length === map.from && weights.every((w) => w === 1);
}

// Where that is all there is to do, or long: else it would be a second pass.
function worthSumming(maps: AxisMaps): boolean {
  const summed = maps.filter(isSum);
  return (
    summed.length > 0 && (maps.every((map) => !map || isSum(map)) || summed.reduce((n, map) => n * longest(map), 1) > mostTerms)
  );
}

function sums(x: Tensor, size: Shape, maps: AxisMaps): Tensor {
  const axes = [0, 1, 2].filter((axis) => isSum(maps[axis]));
  const view = x.view([x.size / sizeOf(size), ...size]);
  const divisor = axes.reduce((n, axis) => n * (maps[axis]!.rows[0].divisor ?? 1), 1);
  const sum = reduceSum(
    view,
    axes.map((axis) => axis + 1),
    true,
    divisor,
  );
  const y = cast(sum, x.dtype);
  view.dispose();
  sum.dispose();
  return y;
}

/** Maps the last axes of `x` (`maps.length` of them) and gives the result `shape`. */
export function resample(op: string, x: Tensor, maps: AxisMaps, shape: Shape): Tensor {
  expectFloats(op, { input: x });
  let three = padAxes(maps, undefined);
  let size: Shape = padAxes(x.shape.slice(x.rank - maps.length), 1);
  // A view, because a map that changes nothing must not hand back the caller's tensor.
  let y = x.view(x.shape);
  if (sizeOf(shape) > 0 && worthSumming(three)) {
    const summed = sums(y, size, three);
    y.dispose();
    y = summed;
    size = size.map((n, axis) => (isSum(three[axis]) ? 1 : n));
    three = three.map((map) => (isSum(map) ? undefined : map)) as typeof three;
  }
  for (const axes of sizeOf(shape) === 0 ? [] : resamplePasses(three)) {
    const chosen = three.map((map, axis) => (axes.includes(axis) ? map : undefined));
    const next = pass(op, x.device, y, size, chosen);
    y.dispose();
    y = next;
    size = size.map((n, axis) => chosen[axis]?.rows.length ?? n);
  }
  const result = sizeOf(shape) === 0 ? x.device.empty(shape, x.dtype) : y.view(shape);
  y.dispose();
  return result;
}

/** Gradient of `resample` for the input of shape `shape`. */
export function resampleGradient(op: string, dy: Tensor, maps: AxisMaps, shape: Shape): Tensor {
  return resample(
    op,
    dy,
    maps.map((map) => map && transposeMap(map)),
    shape,
  );
}
