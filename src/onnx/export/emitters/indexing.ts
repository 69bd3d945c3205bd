/** @file Nodes of reading by index, and of indices as channels. */

import { elements } from "../../../host/elements.ts";
import type { Emitter, Emitters } from "../emission.ts";

const indexed =
  (op: string): Emitter =>
  ({ builder, names, inputs, args }) =>
    builder.node(op, [inputs[0], names.get(args.index)], { axis: args.axis });

// ONNX's own OneHot counts negative indices from the end; no whole index equals a half.
const oneHot: Emitter = ({ builder, inputs, result, args }) => {
  const classes: number = args.classes;
  const data = Float32Array.from({ length: classes }, (_, c) => (c === args.ignoreIndex ? -0.5 : c));
  const channels = builder.constant({ kind: "float", data, shape: result.shape.map((_, a) => (a === 1 ? classes : 1)) });
  const index = builder.node("Round", [builder.node("Cast", inputs, { to: elements.f32.onnx })]);
  return builder.node("Cast", [builder.node("Equal", [index, channels])], { to: elements.f32.onnx });
};

export const emitters: Emitters = { gather: indexed("GatherElements"), indexSelect: indexed("Gather"), oneHot };
