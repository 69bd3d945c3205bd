/** @file Nodes of softmax. */

import type { Emitter, Emitters } from "../emission.ts";

const softmax =
  (op: string): Emitter =>
  ({ builder, inputs, result, args }) =>
    builder.node(op, inputs, { axis: args.axis < 0 ? args.axis + result.rank : args.axis });

export const emitters: Emitters = { softmax: softmax("Softmax"), logSoftmax: softmax("LogSoftmax") };
