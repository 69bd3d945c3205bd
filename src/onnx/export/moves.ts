/** @file Nodes of operations that move elements. */

import { torchEdges } from "../../host/edges.ts";
import type { PadAxis, PadMode } from "../../kernels/pad.ts";
import type { Range } from "../../kernels/view.ts";
import type { Emission, Emitter, Emitters } from "./emission.ts";

/** Beyond the end of any axis. */
const end = 2 ** 53 - 1;

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

function cut({ builder }: Emission, x: string, size: readonly number[], ranges: readonly Range[]): string {
  const axes = ranges.flatMap(({ start, count, step }, i) => (start !== 0 || count !== size[i] || step !== 1 ? [i] : []));
  if (axes.length === 0) return builder.node("Identity", [x]);
  const stops = axes.map((a) => {
    const stop = ranges[a].start + ranges[a].count * ranges[a].step;
    return stop >= size[a] ? end : stop;
  });
  const lists = [axes.map((a) => ranges[a].start), stops, axes, axes.map((a) => ranges[a].step)];
  return builder.node("Slice", [x, ...lists.map((l) => builder.ints(l))]);
}

const slice: Emitter = (e) => cut(e, e.inputs[0]!, e.tensors[0]!.shape, e.args.ranges as Range[]);

const pad: Emitter = (e) => {
  const { builder, inputs, tensors } = e;
  const axes: PadAxis[] = e.args.axes;
  const mode: PadMode = e.args.mode;
  if (axes.some((a) => a.period !== a.size)) return undefined;
  const after = (a: PadAxis) => a.padded - a.size - a.before;
  // What is cropped first, then what is added.
  const ranges = axes.map((a) => ({
    start: Math.max(0, -a.before),
    count: a.size + Math.min(0, a.before) + Math.min(0, after(a)),
    step: 1,
  }));
  const crops = ranges.some((r, i) => r.start > 0 || r.count < axes[i].size);
  const wide = axes.flatMap((a, i) => (a.before > 0 || after(a) > 0 ? [i] : []));
  const x = crops || wide.length === 0 ? cut(e, inputs[0]!, tensors[0]!.shape, ranges) : inputs[0];
  if (wide.length === 0) return x;
  const pads = [...wide.map((i) => Math.max(0, axes[i].before)), ...wide.map((i) => Math.max(0, after(axes[i])))];
  const fill = mode === "constant" ? builder.float(e.args.value) : undefined;
  return builder.node("Pad", [x, builder.ints(pads), fill, builder.ints(wide)], { mode: torchEdges[mode] });
};

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

const repeat: Emitter = ({ builder, inputs, tensors, args }) => {
  const counts = args.counts as number[];
  const missing = counts.length - tensors[0]!.rank;
  const x =
    missing > 0 ? builder.node("Unsqueeze", [inputs[0], builder.ints(counts.slice(0, missing).map((_, i) => i))]) : inputs[0];
  return builder.node("Tile", [x, builder.ints(counts)]);
};

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

const gridSample: Emitter = ({ builder, inputs, result, args }) => {
  // Volumes only from operator set 20 on.
  if (result.rank !== 4) return undefined;
  const { mode = "bilinear", paddingMode = "zeros", alignCorners = false } = args.options;
  return builder.node("GridSample", inputs, { mode, padding_mode: paddingMode, align_corners: alignCorners ? 1 : 0 });
};

const indexed =
  (op: string): Emitter =>
  ({ builder, names, inputs, args }) =>
    builder.node(op, [inputs[0], names.get(args.index)], { axis: args.axis });

export const moveEmitters: Emitters = {
  reshape,
  squeeze,
  unsqueeze: ({ builder, inputs, args }) => builder.node("Unsqueeze", [inputs[0], builder.ints([args.axis])]),
  slice,
  split: slice,
  pad,
  concat: ({ builder, inputs, args }) => builder.node("Concat", inputs, { axis: args.axis }),
  stack,
  permute: ({ builder, inputs, args }) => builder.node("Transpose", inputs, { perm: args.axes }),
  expand,
  flip,
  repeat,
  tile: repeat,
  pixelShuffle,
  pixelUnshuffle,
  gridSample,
  gather: indexed("GatherElements"),
  indexSelect: indexed("Gather"),
};
