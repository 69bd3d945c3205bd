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
import { expectFloats, half } from "./lib/args.ts";
import { eachPiece } from "./lib/pieces.ts";
import { fold } from "./lib/workgroups.ts";
import { applyShader } from "./shaders/resample/apply.gen.ts";

/** The inputs of one output along an axis: `weights[k]` belongs to input `start + k`. Without weights the output is 0. */
export interface MapRow {
  readonly start: number;
  readonly weights: readonly number[];
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
  const start = Math.min(...used.map(([i]) => i));
  const weights = new Array<number>(Math.max(...used.map(([i]) => i)) - start + 1).fill(0);
  for (const [i, weight] of used) weights[i - start] += weight;
  return { start, weights };
}

/** Windows of adaptive average pooling. */
export function areaMap(from: number, to: number): AxisMap {
  const rows = Array.from({ length: to }, (_, o) => {
    const { start, count } = areaWindow(o, from, to);
    return { start, weights: new Array<number>(count).fill(1 / count) };
  });
  return { from, rows };
}

/** The map of the gradient. */
export function transposeMap({ from, rows }: AxisMap): AxisMap {
  const columns = Array.from({ length: from }, (): [number, number][] => []);
  rows.forEach(({ start, weights }, o) => weights.forEach((weight, k) => columns[start + k].push([o, weight])));
  return { from: rows.length, rows: columns.map(mapRow) };
}

const taps = (map: AxisMap | undefined) =>
  map ? map.rows.reduce((n, row) => n + row.weights.length, 0) / Math.max(1, map.rows.length) : 1;

/**
 * Which axes are mapped together, one entry per dispatch. One pass touches Π taps inputs per output, a pass per axis only its own taps but
 * writes what lies between: whichever touches fewer elements. Linear and cubic interpolation go axis by axis, nearest and plain
 * average pools in one pass. Axes that shrink most (or grow least) come first, so that what lies between is small.
 */
export function resamplePasses(maps: AxisMaps): number[][] {
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

// Per axis `rows.length` rows of start, count and weights, padded to the longest.
function table(maps: AxisMaps): { words: Uint32Array<ArrayBuffer>; base: number[]; row: number[] } {
  const row = maps.map((map) => (map ? 2 + Math.max(1, ...map.rows.map((r) => r.weights.length)) : 0));
  let size = 0;
  const base = maps.map((map, axis) => {
    const start = size;
    size += row[axis] * (map?.rows.length ?? 0);
    return start;
  });
  const words = new Uint32Array(Math.max(1, size));
  const floats = new Float32Array(words.buffer);
  maps.forEach((map, axis) =>
    map?.rows.forEach(({ start, weights }, o) => {
      const at = base[axis] + o * row[axis];
      words[at] = start;
      words[at + 1] = weights.length;
      floats.set(weights, at + 2);
    }),
  );
  return { words, base, row };
}

const four = ([d, h, w]: readonly number[]) => [d, h, w, 0] as const;

function pass(op: string, device: Device, x: Tensor, from: Shape, maps: AxisMaps): Tensor {
  const size = from.map((n, axis) => maps[axis]?.rows.length ?? n);
  const planes = x.size / Math.max(1, sizeOf(from));
  const y = device.empty([planes, ...size], x.dtype);
  if (y.size === 0) return y;
  const { words, base, row } = table(maps);
  const rows = device.tensor({ data: words, shape: [words.length] }, "u32");
  const view = x.view([planes, ...from]);
  eachPiece(op, 1, [read(view), write(y)], ([piece, to]) => {
    const [planes] = to.shape;
    const TP = planesTogether(planes);
    device.run(
      applyShader({
        consts: { TP },
        half: half(x),
        params: { in_size: four(from), out_size: four(size), base: four(base), row: four(row), planes },
        bind: { x: piece, table: rows, y: write(to) },
        workgroups: fold(device, op, Math.ceil(sizeOf(size) / 64) * Math.ceil(planes / TP)),
      }),
    );
  });
  view.dispose();
  rows.dispose();
  return y;
}

/** Maps the last axes of `x` (`maps.length` of them) and gives the result `shape`. */
export function resample(op: string, x: Tensor, maps: AxisMaps, shape: Shape): Tensor {
  expectFloats(op, { input: x });
  const three = padAxes(maps, undefined);
  let size: Shape = padAxes(x.shape.slice(x.rank - maps.length), 1);
  // A view, because a map that changes nothing must not hand back the caller's tensor.
  let y = x.view(x.shape);
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
