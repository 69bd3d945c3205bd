/** @file Fields of a Keras layer, checked, and its arrays in another order of axes. */

import type { TypedArray } from "../../host/array.ts";
import type { Fail } from "../../host/bytes/budget.ts";
import { list } from "../../host/bytes/json.ts";
import { stridesOf } from "../../host/shape.ts";
import { copyView } from "../../host/strided.ts";
import type { WeightTensor } from "../elements.ts";

/** How much is added to or taken from both ends of an axis. */
export type Ends = readonly [before: number, after: number];

export function number(field: string, value: unknown, fail: Fail): number {
  if (typeof value !== "number" || !Number.isFinite(value)) throw fail(`${field} is ${JSON.stringify(value)}; expected a number`);
  return value;
}

/** One size per spatial axis, 1 by default. */
export function spatial(field: string, value: unknown, dims: number, fail: Fail): number[] {
  const sizes =
    typeof value === "number" ? Array.from({ length: dims }, () => value) : list(value ?? Array.from({ length: dims }, () => 1));
  if (sizes.length !== dims || !sizes.every((v) => Number.isInteger(v) && (v as number) > 0))
    throw fail(`${field} is ${JSON.stringify(value)}; expected ${dims} sizes`);
  return sizes as number[];
}

/** Both ends of each spatial axis: one number for all, one per axis, or two per axis; of a single axis also its two ends. */
export function ends(field: string, value: unknown, dims: number, fail: Fail): Ends[] {
  const isCount = (v: unknown): v is number => Number.isInteger(v) && (v as number) >= 0;
  const pairs =
    typeof value === "number"
      ? Array.from({ length: dims }, () => [value, value])
      : dims === 1 && list(value).length === 2 && list(value).every(isCount)
        ? [value]
        : list(value).map((v) => (isCount(v) ? [v, v] : v));
  if (pairs.length !== dims || !pairs.every((p) => list(p).length === 2 && list(p).every(isCount)))
    throw fail(`${field} is ${JSON.stringify(value)}; expected both ends of ${dims} axes`);
  return pairs as unknown as Ends[];
}

export function paddingOf(value: unknown, fail: Fail): "same" | 0 {
  if (value === undefined || value === "valid") return 0;
  if (value !== "same") throw fail(`padding ${JSON.stringify(value)} is not supported`);
  return "same";
}

export const hasSize = (t: WeightTensor, size: number): boolean => t.shape.length === 1 && t.shape[0] === size;

/** Copy with the axes in another order. */
export function transposed({ shape, data, dtype }: WeightTensor, axes: readonly number[]): WeightTensor {
  const strides = stridesOf(shape);
  const to = axes.map((a) => shape[a]);
  const moved: { readonly data: TypedArray } = copyView(
    data,
    to,
    axes.map((a) => strides[a]),
    0,
  );
  return { dtype, shape: to, data: moved.data };
}
