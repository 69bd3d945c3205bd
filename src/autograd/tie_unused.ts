/** @file Parameters that a network holds and its output does not depend on. */

import { full } from "../kernels/view.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { record } from "./tape.ts";

/**
 * `x` itself, with gradients of zero for `unused`, so that `grad` may be asked for all parameters of a network at once. Weights that the
 * original carries in its state dict and never reads (QuickNAT's squeeze-and-excite layer in the bottleneck, nnU-Net's lower heads) need it;
 * PyTorch leaves their gradient at None.
 */
export function tieUnused(x: Tensor, unused: readonly Tensor[]): Tensor {
  if (unused.length === 0) return x;
  return record("tieUnused", [x, ...unused], x.view(x.shape), (dy, needs) => [
    dy,
    ...unused.map((t, i) => (needs[i + 1] ? full(t.device, t.shape, 0) : undefined)),
  ]);
}
