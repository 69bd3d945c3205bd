/** @file Nodes that were imported, as they were. */

import type { NativeNode } from "../../native.ts";
import type { Emitter, Emitters } from "../emission.ts";

const onnx: Emitter = ({ builder, inputs, args }) => {
  const { op, attributes, operands } = args.node as NativeNode;
  const given = operands.map((v) => (v && v.data.length > 0 ? builder.constant(v) : undefined));
  return builder.node(op, [inputs[0], ...given], attributes);
};

export const emitters: Emitters = { onnx };
