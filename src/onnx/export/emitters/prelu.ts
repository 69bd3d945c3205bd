/** @file Nodes of PReLU. */

import type { Emitter, Emitters } from "../emission.ts";

const prelu: Emitter = ({ builder, inputs, tensors, result }) => {
  const spatial = result.shape.slice(2).map((_, i) => i + 1);
  const slope =
    tensors[1]!.size === 1 || spatial.length === 0 ? inputs[1] : builder.node("Unsqueeze", [inputs[1], builder.ints(spatial)]);
  return builder.node("PRelu", [inputs[0], slope]);
};

export const emitters: Emitters = { prelu };
