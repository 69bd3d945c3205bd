/** @file Activation checkpointing: trade a second forward pass of a block for the memory of its activations. */

import { precision, withPrecision } from "./precision.ts";
import { scope } from "../tensor/scope.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { withDraws } from "./dropout.ts";
import { backpropagate, noGrad, record, withRecording } from "./tape.ts";
import { expectArguments } from "../host/kinds.ts";
import { expectTensorList } from "../tensor/kind.ts";

/**
 * Runs `block` keeping only its inputs and result; the backward pass computes the block again (Chen et al. 2016). Dropout inside draws the
 * same elements both times. Running statistics of batch norm move twice, as in PyTorch.
 * @param inputs what `block` is called with, of any shapes
 * @param parameters trainable tensors that `block` uses besides its inputs, such as `module.parameters()`
 */
export function checkpoint(
  block: (...inputs: Tensor[]) => Tensor,
  inputs: readonly Tensor[],
  parameters: readonly Tensor[] = [],
): Tensor {
  expectArguments("checkpoint", "function", { block });
  expectTensorList("checkpoint", "inputs", inputs);
  expectTensorList("checkpoint", "parameters", parameters);
  const chosen = precision();
  const { y, draws } = scope(() => {
    const draws: Tensor[] = [];
    return { y: noGrad(() => withDraws(draws, false, () => block(...inputs))), draws };
  });
  const result = record("checkpoint", [...inputs, ...parameters], y, (dy, needs) =>
    scope(() => {
      const leaves = inputs.map((x, i) => {
        const leaf = x.view(x.shape);
        leaf.requiresGrad = needs[i];
        return leaf;
      });
      const again = withRecording(true, () => withPrecision(chosen, () => withDraws(draws, true, () => block(...leaves))));
      return backpropagate(again, dy.view(dy.shape), [...leaves, ...parameters]);
    }),
  );
  if (result.origin === undefined) for (const d of draws) d.dispose();
  return result;
}
