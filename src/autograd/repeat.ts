/** @file Repeating tensors along their axes, with gradients. */

import { repeat as kernel, repeatedSizes } from "../kernels/repeat.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { sumAs } from "./precision.ts";
import { type Backward, record } from "./tape.ts";
import { expectKind } from "../tensor/kind.ts";
import { expectArguments } from "../host/kinds.ts";

function expectCall(op: string, x: Tensor, counts: readonly number[]): void {
  expectKind(op, { x });
  expectArguments(op, "numbers", { counts });
}

function repeated(op: string, x: Tensor, counts: readonly number[]): Tensor {
  const sizes = repeatedSizes(op, x.shape, counts);
  const backward: Backward = (dy) => {
    // [count, size] per axis: the gradients of all copies add up.
    const apart = dy.view(sizes.flatMap((d, i) => [counts[i], d]));
    const dx = sumAs(
      apart,
      sizes.map((_, i) => 2 * i),
      x,
    );
    apart.dispose();
    return [dx];
  };
  return record(op, [x], kernel(op, x, sizes, counts), backward, { counts });
}

/**
 * PyTorch's `repeat`: the whole tensor `counts[i]` times along axis i; more counts than axes make new axes on the left. Throws `ShapeError` for
 * fewer counts than axes.
 */
export function repeat(x: Tensor, counts: readonly number[]): Tensor {
  expectCall("repeat", x, counts);
  return repeated("repeat", x, counts);
}

/** `repeat` of any shape with counts for the last axes only, as numpy's and PyTorch's `tile`. */
export function tile(x: Tensor, counts: readonly number[]): Tensor {
  expectCall("tile", x, counts);
  return repeated("tile", x, [...new Array<number>(Math.max(0, x.rank - counts.length)).fill(1), ...counts]);
}
