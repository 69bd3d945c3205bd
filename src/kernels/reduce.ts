/** @file Reductions over axes: sums, extremes, norms and the spread around a mean are one pair of kernels. */

import { ShapeError } from "../host/errors.ts";
import { sizeOf } from "../host/array.ts";
import { read, write } from "../tensor/kernel.ts";
import { normalizeAxis, type Shape, showShape } from "../host/shape.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { expectFloats, half } from "./lib/args.ts";
import { bindable, eachPiece, fits, rows } from "./lib/pieces.ts";
import { binary, unary } from "./pointwise.ts";
import { lanes, workgroupsToFill } from "./lib/occupancy.ts";
import { fold, grid } from "./lib/workgroups.ts";
import { type Combination, combinations, type MapName, maps } from "./reduce_operators.ts";
import { columnsShader } from "./shaders/reduce/columns.gen.ts";
import * as gradientCodes from "./shaders/reduce/gradient.gen.ts";
import { lanesShader } from "./shaders/reduce/lanes.gen.ts";
import { concat, expand, permute } from "./view.ts";

/** Axes in order without repeats; all of them for `undefined`. Throws `ShapeError`. */
export function reduceAxes(op: string, shape: Shape, axes?: number | readonly number[]): number[] {
  if (axes === undefined) return shape.map((_, i) => i);
  const list = (typeof axes === "number" ? [axes] : axes).map((a) => normalizeAxis(op, a, shape.length));
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
  readonly centre?: Tensor;
  /** Of the result; default 1. */
  readonly factor?: number;
}

interface Run {
  readonly reduced: boolean;
  readonly size: number;
}

// Neighbouring axes of one kind merge; the list starts with a kept run and alternates.
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

type Four = readonly [o1: number, r1: number, o2: number, r2: number];

const mergedRuns = (shape: Shape, axes: readonly number[]) =>
  merge(shape.map((size, i) => ({ reduced: axes.includes(i), size })));

const four = (runs: readonly Run[]): Four => {
  const [o1, r1 = 1, o2 = 1, r2 = 1] = runs.map((r) => r.size);
  return [o1, r1, o2, r2];
};

/** Sum of `x` over `axes`, times `factor`. */
export function reduceSum(x: Tensor, axes: readonly number[], keepDims: boolean, factor = 1): Tensor {
  return reduce("sum", x, axes, keepDims, { factor });
}

/** Combines `map(x)` over `axes`, lanes and slabs in a fixed tree. */
export function reduce(op: string, x: Tensor, axes: readonly number[], keepDims: boolean, reduction: Reduction): Tensor {
  expectFloats(op, { input: x });
  const runs = mergedRuns(x.shape, axes);
  let flat: Tensor;
  if (reduction.centre && runs.length > 4) {
    // Passes over some of the axes do not know their output: move the axes together.
    const kept = x.shape.map((_, i) => i).filter((i) => !axes.includes(i));
    const moved = permute(x, [...kept, ...axes]);
    flat = reduce4(op, moved, [sizeOf(kept.map((i) => x.shape[i])), sizeOf(axes.map((i) => x.shape[i])), 1, 1], reduction);
    moved.dispose();
  } else {
    flat = reduceRuns(op, x, runs, reduction);
  }
  const out = flat.view(reducedShape(x.shape, axes, keepDims));
  flat.dispose();
  return out;
}

function reduceRuns(op: string, x: Tensor, runs: readonly Run[], reduction: Reduction): Tensor {
  if (runs.length <= 4) return reduce4(op, x, four(runs), reduction);
  // More runs than one pass covers: take the last reduced one, then the rest.
  const at = runs.findLastIndex((r) => r.reduced);
  const product = (part: readonly Run[]) => sizeOf(part.map((r) => r.size));
  const inner = reduce4(op, x, [product(runs.slice(0, at)), runs[at].size, product(runs.slice(at + 1)), 1], {
    ...reduction,
    factor: 1,
  });
  const out = reduceRuns(op, inner, merge(runs.toSpliced(at, 1)), { ...reduction, map: "identity" });
  inner.dispose();
  return out;
}

function reduce4(op: string, x: Tensor, [o1, r1, o2, r2]: Four, reduction: Reduction): Tensor {
  if (!fits(x)) return reducePieces(op, x, [o1, r1, o2, r2], reduction);
  const { combine = "sum", map = "identity", factor = 1 } = reduction;
  const { device } = x;
  const centre = reduction.centre ?? x; // something to bind
  const outputs = o1 * o2;
  const terms = r1 * r2;
  const overrides = { COMBINE: combinations[combine].code, MAP: maps[map].code };
  const name = map === "identity" ? combine : `${combine} ${map}`;
  const sizes = { o1, r1, o2, r2, neutral: combinations[combine].neutral };
  // Few terms for each of many outputs: a thread each. Otherwise a workgroup per output and slab.
  if (terms <= 64 || (terms <= 512 && outputs >= 4096)) {
    const y = device.empty([outputs]);
    if (outputs > 0) {
      device.run(
        columnsShader({
          overrides,
          variant: name,
          half: half(x),
          params: { ...sizes, slab: 0, slabs: 1, factor },
          bind: { x, centre, y: write(y) },
          workgroups: grid(device, op, outputs, 64),
        }),
      );
    }
    return y;
  }
  // Outputs enough to fill the device need no second pass, up to what a lane can add precisely.
  const busy = outputs >= workgroupsToFill(device, "reduce");
  const slab = 64 * lanes(device) * (busy ? 64 : 1);
  const slabs = Math.ceil(terms / slab);
  const y = device.empty([slabs * outputs]);
  device.run(
    lanesShader({
      consts: { LANES: lanes(device) },
      overrides: { ...overrides, SINGLE: r2 === 1 ? 1 : 0 },
      variant: r2 === 1 ? `${name} single` : name,
      half: half(x),
      params: { ...sizes, slab, slabs, factor: slabs === 1 ? factor : 1 },
      bind: { x, centre, y: write(y) },
      workgroups: fold(device, op, outputs * slabs),
    }),
  );
  if (slabs === 1) return y;
  const total = reduce4(op, y, [1, slabs, outputs, 1], { combine, factor });
  y.dispose();
  return total;
}

// Over the binding limit: pieces of the outputs, or else of the terms, whose partial results are combined.
function reducePieces(op: string, x: Tensor, [o1, r1, o2, r2]: Four, reduction: Reduction): Tensor {
  const { combine, centre, factor } = reduction;
  if (o1 === 1 && r1 > 1 && r2 > 1) {
    // The inner terms first: their pieces may be as short as need be.
    const centres = centre && expand(centre.view([1, o2]), [r1, o2]);
    const inner = reduce4(op, x, [r1 * o2, r2, 1, 1], { ...reduction, centre: centres, factor: 1 });
    const total = reduce4(op, inner, [1, r1, o2, 1], { combine, factor });
    inner.dispose();
    centres?.dispose();
    return total;
  }
  const lead = o1 > 1 ? o1 : r1;
  const view = x.view([lead, x.size / lead]);
  const pieces: Tensor[] = [];
  if (o1 > 1) {
    const centres = centre?.view([o1, o2]);
    const one = ([piece, near]: readonly Tensor[]) =>
      pieces.push(reduce4(op, piece, [piece.shape[0], r1, o2, r2], { ...reduction, centre: near }));
    eachPiece(op, 1, [read(view), ...(centres ? [read(centres)] : [])], one, one);
    centres?.dispose();
  } else {
    if (2 * o2 * 4 > x.device.maxBindingSize) return foldRows(view, reduction);
    eachPiece(op, 1, [read(view)], ([piece]) =>
      pieces.push(reduce4(op, piece, [1, piece.shape[0], o2, 1], { ...reduction, factor: 1 })),
    );
  }
  view.dispose();
  const joined = concat(pieces, 0);
  for (const piece of pieces) piece.dispose();
  if (o1 > 1) return joined;
  const total = reduce4(op, joined, [1, joined.size / o2, o2, 1], { combine, factor });
  joined.dispose();
  return total;
}

// Rows of which no two can be bound at once, such as the channels of a whole volume, are combined one after the other.
function foldRows(x: Tensor, { combine = "sum", map = "identity", centre, factor = 1 }: Reduction): Tensor {
  let total: Tensor | undefined;
  for (let i = 0; i < x.shape[0]; i++) {
    const { tensor: row, done } = bindable(rows(x, i, 1), "read");
    const middle = (centre ?? row).view(row.shape);
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
  const scaled = unary("affine", total!, factor, 0);
  total!.dispose();
  return scaled;
}

const rules = {
  extreme: gradientCodes.EXTREME,
  variance: gradientCodes.VARIANCE,
  std: gradientCodes.STD,
  norm1: gradientCodes.NORM1,
  norm2: gradientCodes.NORM2,
  normInfinity: gradientCodes.NORM_INFINITY,
} as const;

/** What a gradient reads besides x: per output the value x is compared with, and a count or a deviation. */
export interface ReduceSaved {
  readonly value: Tensor;
  readonly other?: Tensor;
  readonly factor?: number;
}

/** Gradient of a reduction over `axes`; `dy` has the shape of its result, with or without the reduced axes. */
export function reduceGradient(
  rule: keyof typeof rules,
  x: Tensor,
  axes: readonly number[],
  dy: Tensor,
  saved: ReduceSaved,
): Tensor {
  const runs = mergedRuns(x.shape, axes);
  if (runs.length > 4) return movedGradient(rule, x, axes, dy, saved);
  const { value, other = value, factor = 1 } = saved;
  const dx = x.device.empty(x.shape);
  if (x.size === 0) return dx;
  gradient4(rule, x, four(runs), [value, other, dy], dx, factor);
  return dx;
}

function gradient4(
  rule: keyof typeof rules,
  x: Tensor,
  [o1, r1, o2, r2]: Four,
  outputs: readonly Tensor[],
  dx: Tensor,
  factor: number,
): void {
  if (fits(x, ...outputs)) {
    const [value, other, dy] = outputs;
    x.device.run(
      gradientCodes.gradientShader({
        overrides: { RULE: rules[rule] },
        variant: rule,
        params: { o1, r1, o2, r2, count: x.size, factor },
        bind: { x, value, other, dy, dx: write(dx) },
        workgroups: grid(x.device, rule, x.size, 64),
      }),
    );
    return;
  }
  const lead = o1 > 1 ? o1 : r1;
  const views = [x, dx, ...(o1 > 1 ? outputs : [])].map((t) => t.view([lead, t.size / lead]));
  const bindings = [read(views[0]), write(views[1]), ...views.slice(2).map(read)];
  if (o1 > 1) {
    const one = ([piece, to, ...given]: readonly Tensor[]) =>
      gradient4(rule, piece, [piece.shape[0], r1, o2, r2], given, to, factor);
    eachPiece(rule, 1, bindings, one, one);
  } else {
    // Pieces of the terms belong to the same outputs.
    const one = ([piece, to]: readonly Tensor[]) => gradient4(rule, piece, [1, piece.shape[0], o2, r2], outputs, to, factor);
    const row = ([piece, to]: readonly Tensor[]) => gradient4(rule, piece, [o2, r2, 1, 1], outputs, to, factor);
    eachPiece(rule, 1, bindings, one, o2 > 1 ? row : undefined);
  }
  for (const v of views) v.dispose();
}

// With the reduced axes last there are two runs; then back.
function movedGradient(rule: keyof typeof rules, x: Tensor, axes: readonly number[], dy: Tensor, saved: ReduceSaved): Tensor {
  const order = [...x.shape.map((_, i) => i).filter((i) => !axes.includes(i)), ...axes];
  const moved = permute(x, order);
  const first = x.rank - axes.length;
  const gradient = reduceGradient(
    rule,
    moved,
    axes.map((_, i) => first + i),
    dy,
    saved,
  );
  moved.dispose();
  const dx = permute(
    gradient,
    order.map((_, i) => order.indexOf(i)),
  );
  gradient.dispose();
  return dx;
}
