/** @file Nodes of pixel shuffles. */

import type { Emitter, Emitters } from "../emission.ts";

// [N, C·fᵈ, size…] is [N, C, f…, size…] with each factor behind its size in the result.
const pixelShuffle: Emitter = ({ builder, inputs, result, args }) => {
  const f = args.factor as number;
  const [, channels, ...large] = result.shape;
  const dims = large.length;
  if (dims === 2) return builder.node("DepthToSpace", inputs, { blocksize: f, mode: "CRD" });
  const apart = builder.node("Reshape", [
    inputs[0],
    builder.ints([0, channels, ...large.map(() => f), ...large.map((d) => d / f)]),
  ]);
  const perm = [0, 1, ...large.flatMap((_, i) => [2 + dims + i, 2 + i])];
  return builder.node("Reshape", [builder.node("Transpose", [apart], { perm }), builder.ints([0, channels, ...large])]);
};

const pixelUnshuffle: Emitter = ({ builder, inputs, tensors, result, args }) => {
  const f = args.factor as number;
  const [, channels, ...large] = tensors[0]!.shape;
  const apart = builder.node("Reshape", [inputs[0], builder.ints([0, channels, ...large.flatMap((d) => [d / f, f])])]);
  const perm = [0, 1, ...large.map((_, i) => 3 + 2 * i), ...large.map((_, i) => 2 + 2 * i)];
  return builder.node("Reshape", [builder.node("Transpose", [apart], { perm }), builder.ints([0, ...result.shape.slice(1)])]);
};

export const emitters: Emitters = { pixelShuffle, pixelUnshuffle };
