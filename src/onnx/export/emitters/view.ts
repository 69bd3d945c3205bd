/** @file Nodes of operations that give elements another order or shape. */

import type { Range } from "../../../kernels/view.ts";
import type { Emission, Emitter, Emitters } from "../emission.ts";
import { cut, end } from "./slice.ts";

// 0 keeps a size and −1 works one out, so that the same node serves other sizes.
function reshape({ builder, tensors, inputs, result }: Emission): string {
  const from = tensors[0]!.shape;
  const shape = result.shape.map((d, i) => (d === from[i] ? 0 : d));
  const open = shape.indexOf(Math.max(...shape));
  if (shape.some((d) => d !== 0)) shape[open] = -1;
  return builder.node("Reshape", [inputs[0], builder.ints(shape)]);
}

// Of the axes that were named those of size 1 go.
const squeeze: Emitter = ({ builder, inputs, tensors, args }) => {
  const axes = (args.axes as number[]).filter((a) => tensors[0]!.shape[a] === 1);
  return builder.node("Squeeze", [inputs[0], builder.ints(axes)]);
};

const slice: Emitter = (e) => cut(e, e.inputs[0]!, e.tensors[0]!.shape, e.args.ranges as Range[]);

const stack: Emitter = ({ builder, inputs, args }) => {
  const parts = inputs.map((x) => builder.node("Unsqueeze", [x, builder.ints([args.axis])]));
  return builder.node("Concat", parts, { axis: args.axis });
};

// A size of 1 leaves an axis as it is.
const expand: Emitter = ({ builder, inputs, tensors, result }) => {
  const from = tensors[0]!.shape;
  const lead = result.rank - from.length;
  const shape = result.shape.map((d, i) => (i >= lead && from[i - lead] === d ? 1 : d));
  return builder.node("Expand", [inputs[0], builder.ints(shape)]);
};

const flip: Emitter = ({ builder, inputs, args }) => {
  const axes = args.axes as number[];
  const lists = [axes.map(() => -1), axes.map(() => -end), axes, axes.map(() => -1)];
  return builder.node("Slice", [inputs[0], ...lists.map((l) => builder.ints(l))]);
};

export const emitters: Emitters = {
  reshape,
  squeeze,
  unsqueeze: ({ builder, inputs, args }) => builder.node("Unsqueeze", [inputs[0], builder.ints([args.axis])]),
  slice,
  split: slice,
  concat: ({ builder, inputs, args }) => builder.node("Concat", inputs, { axis: args.axis }),
  stack,
  permute: ({ builder, inputs, args }) => builder.node("Transpose", inputs, { perm: args.axes }),
  expand,
  flip,
};
