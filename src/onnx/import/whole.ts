/** @file Functions that are made of several operations here and are one node in a file: their note is that node, and their gradient is told. */

import * as f from "../../autograd/pointwise.ts";
import { noGrad, observing } from "../../autograd/tape.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import { native } from "../native.ts";
import type { Op } from "./call.ts";

/** What `fn` makes, without a note of how. */
const unnoted = (fn: () => Tensor): Tensor => noGrad(() => observing(() => {}, fn));

/** An operator without attributes of one tensor, by its function and the derivative of that. */
export const whole =
  (op: string, fn: (x: Tensor) => Tensor, slope: (x: Tensor) => Tensor): Op =>
  (c) => {
    const x = c.float(0);
    const backward = (dy: Tensor) => [
      f.mul(
        dy,
        unnoted(() => slope(x)),
      ),
    ];
    return native(
      x,
      unnoted(() => fn(x)),
      backward,
      { op, attributes: {}, operands: [] },
    );
  };

/** Σ factors[i] · xⁱ. */
export const polynomial = (x: Tensor, factors: readonly number[]): Tensor =>
  factors.slice(0, -1).reduceRight((sum, a) => f.affine(f.mul(sum, x), 1, a), f.affine(x, 0, factors.at(-1)!));
