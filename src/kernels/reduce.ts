/** @file Reductions over axes: sums, extremes, norms and the spread around a mean are one pair of kernels. */

import { ShapeError } from "../host/errors.ts";
import { sizeOf } from "../host/array.ts";
import { read, write } from "../tensor/kernel.ts";
import { axisList, normalizeAxis, type Shape, showShape } from "../host/shape.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { expectFloats, instead, half } from "./lib/args.ts";
import { bindable, eachPiece, fits, rows } from "./lib/pieces.ts";
import { binary } from "./pointwise.ts";
import { lanes, workgroupsToFill } from "./lib/occupancy.ts";
import { fold, grid } from "./lib/workgroups.ts";
import { type Combination, combinations, type MapName, maps } from "./reduce_operators.ts";
import { columnsShader } from "./shaders/reduce/columns.gen.ts";
import { lanesShader } from "./shaders/reduce/lanes.gen.ts";
import { concat, expand, permute } from "./view.ts";

/** Axes in order without repeats; all of them for `undefined`. Throws `ShapeError`. */
export function reduceAxes(op: string, shape: Shape, axes?: number | readonly number[]): number[] {
  if (axes === undefined) return shape.map((_, i) => i);
  const list = axisList(op, axes).map((a) => normalizeAxis(op, a, shape.length));
  const unique = [...new Set(list)].sort((a, b) => a - b);
  if (unique.length !== list.length) throw new ShapeError(`${op}: an axis is named twice in [${list.join(", ")}]`);
  return unique;
}

export function reducedShape(shape: Shape, axes: readonly number[], keepDims: boolean): number[] {
  return keepDims ? shape.map((d, i) => (axes.includes(i) ? 1 : d)) : shape.filter((_, i) => !axes.includes(i));
}

/** Number of elements behind each output; an extreme of none does not exist. Throws `ShapeError`. */
export function reduceTerms(op: string, shape: Shape, axes: readonly number[], atLeast = 0): number {
  const terms = sizeOf(axes.map((a) => shape[a]));
  if (terms < atLeast) {
    throw new ShapeError(`${op}: ${terms} elements of ${showShape(shape)} for each result, needs at least ${atLeast}`);
  }
  return terms;
}

export interface Reduction {
  /** Default "sum". */
  readonly combine?: Combination;
  /** Default "identity". */
  readonly map?: MapName;
  /** One value per output. */
  readonly center?: Tensor;
  /** What the result is divided by; default 1. */
  readonly divisor?: number;
}

interface Run {
  readonly reduced: boolean;
  readonly size: number;
}

// Neighboring axes of one kind merge; the list starts with a kept run and alternates.
function merge(runs: readonly Run[]): Run[] {
  const out: Run[] = [{ reduced: false, size: 1 }];
  for (const run of runs) {
    const last = out.at(-1)!;
    if (run.size === 1) continue;
    if (last.reduced === run.reduced) out[out.length - 1] = { reduced: run.reduced, size: last.size * run.size };
    else out.push(run);
  }
  return out;
}

export type Four = readonly [o1: number, r1: number, o2: number, r2: number];

/** The axes of a shape as runs of kept and of reduced ones, by turns. */
export const mergedRuns = (shape: Shape, axes: readonly number[]) =>
  merge(shape.map((size, i) => ({ reduced: axes.includes(i), size })));

/** Up to four runs. */
export const four = (runs: readonly Run[]): Four => {
  const [o1, r1 = 1, o2 = 1, r2 = 1] = runs.map((r) => r.size);
  return [o1, r1, o2, r2];
};

/** Sum of `x` over `axes`, divided by `divisor`. */
export function reduceSum(x: Tensor, axes: readonly number[], keepDims: boolean, divisor = 1): Tensor {
  return reduce("sum", x, axes, keepDims, { divisor });
}

/** Combines `map(x)` over `axes`, lanes and slabs in a fixed tree. */
export function reduce(op: string, x: Tensor, axes: readonly number[], keepDims: boolean, reduction: Reduction): Tensor {
  expectFloats(op, { input: x });
  const runs = mergedRuns(x.shape, axes);
  let flat: Tensor;
  if (reduction.center && runs.length > 4) {
    // Passes over some of the axes do not know their output: move the axes together.
    const kept = x.shape.map((_, i) => i).filter((i) => !axes.includes(i));
    const moved = permute(x, [...kept, ...axes]);
    flat = reduceFour(op, moved, [sizeOf(kept.map((i) => x.shape[i])), sizeOf(axes.map((i) => x.shape[i])), 1, 1], reduction);
    moved.dispose();
  } else {
    flat = reduceRuns(op, x, runs, reduction);
  }
  const out = flat.view(reducedShape(x.shape, axes, keepDims));
  flat.dispose();
  return out;
}

function reduceRuns(op: string, x: Tensor, runs: readonly Run[], reduction: Reduction): Tensor {
  if (runs.length <= 4) return reduceFour(op, x, four(runs), reduction);
  // More runs than one pass covers: take the last reduced one, then the rest.
  const at = runs.findLastIndex((r) => r.reduced);
  const product = (part: readonly Run[]) => sizeOf(part.map((r) => r.size));
  const inner = reduceFour(op, x, [product(runs.slice(0, at)), runs[at].size, product(runs.slice(at + 1)), 1], {
    ...reduction,
    divisor: 1,
  });
  const out = reduceRuns(op, inner, merge(runs.toSpliced(at, 1)), { ...reduction, map: "identity" });
  inner.dispose();
  return out;
}

// The reduction of two of four axes, which every other one is made of.
function reduceFour(op: string, x: Tensor, axes: Four, reduction: Reduction): Tensor {
  if (!fits(x)) return reducePieces(op, x, axes, reduction);
  const [o1, r1, o2, r2] = axes;
  const [outputs, terms] = [o1 * o2, r1 * r2];
  // Few terms for each of many outputs: a thread each. Otherwise a workgroup per output and slab.
  const columns = terms <= 64 || (terms <= 512 && outputs >= 4096);
  return columns ? reduceColumns(op, x, axes, reduction) : reduceLanes(op, x, axes, reduction);
}

/** What both kernels take. */
function describe(x: Tensor, [o1, r1, o2, r2]: Four, { combine = "sum", map = "identity" }: Reduction) {
  const { code, neutral } = combinations[combine];
  return {
    name: map === "identity" ? combine : `${combine} ${map}`,
    overrides: { COMBINE: code, MAP: maps[map].code },
    half: half(x),
    sizes: { o1, r1, o2, r2, x_pitch: o2 * r2, neutral },
  };
}

function reduceColumns(op: string, x: Tensor, axes: Four, reduction: Reduction): Tensor {
  const { center = instead(x), divisor = 1 } = reduction;
  const { name, sizes, ...call } = describe(x, axes, reduction);
  const outputs = sizes.o1 * sizes.o2;
  const y = x.device.empty([outputs]);
  if (outputs === 0) return y;
  x.device.run(
    columnsShader({
      ...call,
      variant: name,
      params: { ...sizes, slab: 0, slabs: 1, divisor },
      bind: { x, center, y: write(y) },
      workgroups: grid(x.device, op, outputs, 64),
    }),
  );
  return y;
}

function reduceLanes(op: string, x: Tensor, axes: Four, reduction: Reduction): Tensor {
  const { center = instead(x), combine, divisor = 1 } = reduction;
  const { device } = x;
  const { name, sizes, overrides, half } = describe(x, axes, reduction);
  const outputs = sizes.o1 * sizes.o2;
  // Outputs enough to fill the device need no second pass, up to what a lane can add precisely.
  const busy = outputs >= workgroupsToFill(device, "reduce");
  const slab = 64 * lanes(device) * (busy ? 64 : 1);
  const slabs = Math.ceil((sizes.r1 * sizes.r2) / slab);
  const single = sizes.r2 === 1;
  const y = device.empty([slabs * outputs]);
  device.run(
    lanesShader({
      consts: { LANES: lanes(device) },
      overrides: { ...overrides, SINGLE: single ? 1 : 0 },
      variant: single ? `${name} single` : name,
      half,
      params: { ...sizes, slab, slabs, divisor: slabs === 1 ? divisor : 1 },
      bind: { x, center, y: write(y) },
      workgroups: fold(device, op, outputs * slabs),
    }),
  );
  if (slabs === 1) return y;
  const total = reduceFour(op, y, [1, slabs, outputs, 1], { combine, divisor });
  y.dispose();
  return total;
}

// Over the binding limit: pieces of the outputs, or else of the terms, whose partial results are combined.
function reducePieces(op: string, x: Tensor, [o1, r1, o2, r2]: Four, reduction: Reduction): Tensor {
  const { combine, center, divisor } = reduction;
  if (o1 === 1 && r1 > 1 && r2 > 1) {
    // The inner terms first: their pieces may be as short as need be.
    const centers = center && expand(center.view([1, o2]), [r1, o2]);
    const inner = reduceFour(op, x, [r1 * o2, r2, 1, 1], { ...reduction, center: centers, divisor: 1 });
    const total = reduceFour(op, inner, [1, r1, o2, 1], { combine, divisor });
    inner.dispose();
    centers?.dispose();
    return total;
  }
  const lead = o1 > 1 ? o1 : r1;
  const view = x.view([lead, x.size / lead]);
  const pieces: Tensor[] = [];
  if (o1 > 1) {
    const centers = center?.view([o1, o2]);
    const one = ([piece, near]: readonly Tensor[]) =>
      pieces.push(reduceFour(op, piece, [piece.shape[0], r1, o2, r2], { ...reduction, center: near }));
    eachPiece(op, 1, [read(view), ...(centers ? [read(centers)] : [])], one, one);
    centers?.dispose();
  } else {
    if (2 * o2 * 4 > x.device.maxBindingSize) return foldRows(view, reduction);
    eachPiece(op, 1, [read(view)], ([piece]) =>
      pieces.push(reduceFour(op, piece, [1, piece.shape[0], o2, 1], { ...reduction, divisor: 1 })),
    );
  }
  view.dispose();
  const joined = concat(pieces, 0);
  for (const piece of pieces) piece.dispose();
  if (o1 > 1) return joined;
  const total = reduceFour(op, joined, [1, joined.size / o2, o2, 1], { combine, divisor });
  joined.dispose();
  return total;
}

// Rows of which no two can be bound at once, such as the channels of a whole volume, are combined one after the other.
function foldRows(x: Tensor, { combine = "sum", map = "identity", center, divisor = 1 }: Reduction): Tensor {
  let total: Tensor | undefined;
  for (let i = 0; i < x.shape[0]; i++) {
    const { tensor: row, done } = bindable(rows(x, i, 1), "read");
    const middle = (center ?? row).view(row.shape);
    const mapped = maps[map].of(row, middle);
    middle.dispose();
    done();
    if (total) {
      const next = binary(combinations[combine].pair, total, mapped);
      total.dispose();
      mapped.dispose();
      total = next;
    } else total = mapped;
  }
  x.dispose();
  const scaled = binary("div", total!, divisor);
  total!.dispose();
  return scaled;
}
