/** @file Sums over axes, with a factor so that a mean is the same kernel. */

import { ShapeError } from "../tensor/errors.ts";
import { sizeOf } from "../tensor/host.ts";
import { read, write } from "../tensor/kernel.ts";
import { normalizeAxis, type Shape } from "../tensor/shape.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { expectTensors } from "./args.ts";
import { fold, grid, lanes, program } from "./program.ts";

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

/** Sum of `x` over `axes`, times `factor`. Adds lanes and chunks in a fixed tree. */
export function reduceSum(x: Tensor, axes: readonly number[], keepDims: boolean, factor = 1): Tensor {
  expectTensors("sum", { input: x });
  const flat = sumRuns(x, merge(x.shape.map((size, i) => ({ reduced: axes.includes(i), size }))), factor);
  const out = flat.view(reducedShape(x.shape, axes, keepDims));
  flat.dispose();
  return out;
}

function sumRuns(x: Tensor, runs: readonly Run[], factor: number): Tensor {
  const [o1, r1 = 1, o2 = 1, r2 = 1] = runs.map((r) => r.size);
  if (runs.length <= 4) return sum4(x, [o1, r1, o2, r2], factor);
  // More runs than one pass covers: take the last reduced one, then the rest.
  const at = runs.findLastIndex((r) => r.reduced);
  const product = (part: readonly Run[]) => sizeOf(part.map((r) => r.size));
  const inner = sum4(x, [product(runs.slice(0, at)), runs[at].size, product(runs.slice(at + 1)), 1], 1);
  const out = sumRuns(inner, merge(runs.toSpliced(at, 1)), factor);
  inner.dispose();
  return out;
}

function sum4(x: Tensor, [o1, r1, o2, r2]: [number, number, number, number], factor: number): Tensor {
  const { device } = x;
  const outputs = o1 * o2;
  const terms = r1 * r2;
  const params = (chunk: number, chunks: number, f: number) => [o1, r1, o2, r2, chunk, chunks, { f32: f }];
  // Few terms for each of many outputs: a thread each. Otherwise a workgroup per output and chunk.
  if (terms <= 64 || (terms <= 512 && outputs >= 4096)) {
    const y = device.empty([outputs]);
    if (outputs > 0) {
      device.run({
        program: program("reduce/sum_columns", { libs: ["lib/grid"] }),
        bindings: [read(x), write(y)],
        params: params(0, 1, factor),
        workgroups: grid(device, "sum", outputs, 64),
      });
    }
    return y;
  }
  const chunkSize = 64 * lanes(device);
  const chunks = Math.ceil(terms / chunkSize);
  const y = device.empty([chunks * outputs]);
  device.run({
    program: program("reduce/sum", { libs: ["lib/grid", "lib/tree"], consts: { LANES: lanes(device) } }),
    bindings: [read(x), write(y)],
    params: params(chunkSize, chunks, chunks === 1 ? factor : 1),
    workgroups: fold(device, "sum", outputs * chunks),
  });
  if (chunks === 1) return y;
  const total = sum4(y, [1, chunks, outputs, 1], factor);
  y.dispose();
  return total;
}
