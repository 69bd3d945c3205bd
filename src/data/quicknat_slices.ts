/**
 * @file What QuickNAT (Roy et al. 2019) leaves out of a stack of slices before training. The functions that choose give indices, for `takeSlices` of the image, of its labels and of weights alike.
 */

import { expectArguments, refused } from "../host/kinds.ts";
import { expectOptions } from "../host/options.ts";
import type { HostArray, TypedArray } from "../host/array.ts";
import { ConfigError, ShapeError } from "../host/errors.ts";
import { emptyLike } from "../host/strided.ts";

/** How `thinnedSlices` thins. */
export interface ThinOptions {
  /** Slices left out at either end; default 40. */
  readonly skip?: number;
  /** The original's numbers: the very last slice is never left out, by an end that is one too short. */
  readonly compat?: "quicknat";
}

/**
 * Indices of every second slice of a stack without its ends, where a head is only air.
 * @throws ConfigError for a `skip` that is not a whole number ≥ 0
 * @param count slices of the stack
 */
export function thinnedSlices(count: number, options: ThinOptions = {}): number[] {
  expectOptions("thinnedSlices", options, "skip compat:text");
  expectArguments("thinnedSlices", "number", { count });
  const { skip = 40, compat } = options;
  if (!(Number.isInteger(skip) && skip >= 0)) {
    throw new ConfigError(`thinnedSlices: skip must be a whole number of slices, got ${skip}`);
  }
  // An end of −0 is the beginning for the original: all but the last slice go.
  if (compat !== undefined && compat !== "quicknat") refused("thinnedSlices", "compat", '"quicknat"', compat);
  const original = compat === "quicknat";
  const end = original && skip === 0 ? 0 : count - skip;
  const kept: number[] = [];
  for (let i = 0; i < count; i += 2) {
    if ((i >= skip && i < end) || (original && i === count - 1 && i >= skip)) kept.push(i);
  }
  return kept;
}

function expectStack(op: string, stack: HostArray): void {
  expectArguments(op, "array", { stack });
  const { shape } = stack;
  if (shape.length !== 3) throw new ShapeError(`${op}: the stack is [${shape}]; expected slices [S, H, W]`);
}

/**
 * Indices of the slices of a label stack `[S, H, W]` whose lowest label, which is the background where there is any, covers less than `share` of
 * the slice; default 0.99.
 * @throws ShapeError
 */
export function labeledSlices(labels: HostArray, options: { readonly share?: number } = {}): number[] {
  expectOptions("labeledSlices", options, "share:number");
  const { share = 0.99 } = options;
  expectStack("labeledSlices", labels);
  const { data, shape } = labels;
  const size = shape[1] * shape[2];
  const kept: number[] = [];
  for (let s = 0; s < shape[0]; s++) {
    let lowest = Infinity;
    let count = 0;
    for (let i = s * size; i < (s + 1) * size; i++) {
      if (data[i] < lowest) [lowest, count] = [data[i], 0];
      if (data[i] === lowest) count++;
    }
    if (count / size < share) kept.push(s);
  }
  return kept;
}

/** The slices of a stack `[S, H, W]` with these indices, in their order. @throws ShapeError, also for an index outside the stack */
export function takeSlices<A extends TypedArray>(stack: HostArray<A>, indices: readonly number[]): HostArray<A> {
  expectArguments("takeSlices", "numbers", { indices });
  expectStack("takeSlices", stack);
  const [slices, ...inner] = stack.shape;
  const size = inner[0] * inner[1];
  const data = emptyLike(stack.data, indices.length * size);
  indices.forEach((s, to) => {
    if (!(Number.isInteger(s) && s >= 0 && s < slices)) {
      throw new ShapeError(`takeSlices: the stack [${stack.shape}] has no slice ${s}`);
    }
    data.set(stack.data.subarray(s * size, (s + 1) * size), to * size);
  });
  return { data, shape: [indices.length, ...inner] };
}
