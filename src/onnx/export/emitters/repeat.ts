/** @file Nodes of repetition. */

import type { Emitter, Emitters } from "../emission.ts";

const repeat: Emitter = ({ builder, inputs, tensors, args }) => {
  const counts = args.counts as number[];
  const missing = counts.length - tensors[0]!.rank;
  const x =
    missing > 0 ? builder.node("Unsqueeze", [inputs[0], builder.ints(counts.slice(0, missing).map((_, i) => i))]) : inputs[0];
  return builder.node("Tile", [x, builder.ints(counts)]);
};

export const emitters: Emitters = { repeat, tile: repeat };
