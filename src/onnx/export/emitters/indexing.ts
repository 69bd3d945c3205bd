/** @file Nodes of reading by index. */

import type { Emitter, Emitters } from "../emission.ts";

const indexed =
  (op: string): Emitter =>
  ({ builder, names, inputs, args }) =>
    builder.node(op, [inputs[0], names.get(args.index)], { axis: args.axis });

export const emitters: Emitters = { gather: indexed("GatherElements"), indexSelect: indexed("Gather") };
