/**
 * @file Single planes over the binding limit: a kernel whose rows of results read some rows of its inputs, such as a pool, runs once per range of rows, on
 * views of the same memory.
 */

import type { Binding } from "../../tensor/kernel.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import { bindable, rows, tooLarge } from "./pieces.ts";

/** Rows `start` to `start + count`. */
export interface Rows {
  readonly start: number;
  readonly count: number;
}

/** Rows `first` to before `end`, at least one of `size`. */
export function rowsBetween(first: number, end: number, size: number): Rows {
  const start = Math.min(first, size - 1);
  return { start, count: Math.max(1, Math.min(end, size) - start) };
}

/** The first of the axes D, H, W that has a length. */
export const firstAxis = (...sizes: readonly (readonly number[])[]): number =>
  [0, 1, 2].find((i) => sizes.some((size) => size[i] > 1)) ?? 2;

/**
 * Runs `body` on ranges of the rows of `results`, with the rows of `inputs` that they read. All are `[rows, …]`; inputs have `from` rows, results `to`.
 * Throws `TensorTooLargeError` if what one row reads is too large.
 */
export function eachReach(
  op: string,
  [from, to]: readonly [number, number],
  inputs: readonly Tensor[],
  results: readonly Binding<Tensor>[],
  reach: (range: Rows) => Rows,
  body: (inputs: readonly Tensor[], results: readonly Tensor[], range: Rows, near: Rows) => void,
): void {
  const all = [...inputs, ...results.map((r) => r.tensor)];
  const { maxBindingSize } = all[0].device;
  const rowBytes = (list: readonly Tensor[], count: number) => Math.max(...list.map((t) => t.bytes / count));
  const [widest, given] = [rowBytes(all.slice(inputs.length), to), rowBytes(inputs, from)];
  const ranges = (step: number): Rows[] =>
    Array.from({ length: Math.ceil(to / step) }, (_, k) => ({ start: k * step, count: Math.min(step, to - k * step) }));
  let step = Math.min(to, Math.floor(maxBindingSize / widest));
  while (step >= 1 && ranges(step).some((r) => reach(r).count * given > maxBindingSize)) step = Math.floor(0.9 * step);
  if (step < 1) throw tooLarge(op, all.toSorted((a, b) => b.bytes - a.bytes)[0]);
  const lines = (t: Tensor, count: number) => t.view([count, t.size / count]);
  const [sources, targets] = [inputs.map((t) => lines(t, from)), results.map((r) => lines(r.tensor, to))];
  for (const range of ranges(step)) {
    const near = reach(range);
    const ins = sources.map((t) => bindable(rows(t, near.start, near.count), "read"));
    const outs = targets.map((t, i) => bindable(rows(t, range.start, range.count), results[i].access));
    const [x, y] = [ins, outs].map((list) => list.map((b) => b.tensor));
    body(x, y, range, near);
    for (const b of [...ins, ...outs]) b.done();
  }
  for (const t of [...sources, ...targets]) t.dispose();
}
