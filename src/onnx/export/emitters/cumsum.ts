/** @file Nodes of running sums. */

import type { Emitters } from "../emission.ts";

export const emitters: Emitters = {
  cumsum: ({ builder, inputs, args }) =>
    builder.node("CumSum", [inputs[0], builder.constant({ kind: "int", data: Float64Array.of(args.axis), shape: [] })]),
};
