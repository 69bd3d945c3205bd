/** @file Operations that move, cut and join, those over axes, and those of shapes. */

import { axisInFirst, type GraphBuilder } from "./builder.ts";
import type { TfNode } from "./graph_def.ts";
import { together } from "./pointwise.ts";
import type { Translator, Translators } from "./translator.ts";

/** The number of axes of what a node reads, if it is known. */
const same = (node: TfNode, g: GraphBuilder): number | undefined => g.get(node.input(0)).rank;
const less = (rank: number | undefined, by: number): number | undefined => (rank === undefined ? undefined : rank - by);

/** As TensorFlow has it, whatever the layout was. */
const plain =
  (
    make: (g: GraphBuilder, inputs: readonly string[], node: TfNode) => string,
    rankOf?: (node: TfNode, g: GraphBuilder) => number | undefined,
  ): Translator =>
  (node, g) => {
    const rank = rankOf?.(node, g);
    const inputs = node.inputs.map((name) => g.asLast(name));
    g.give(node.name, make(g, inputs, node), { rank });
  };

const identity: Translator = (node, g) => g.set(node.name, g.get(node.input(0)));

/** The numbers of a list that gives one for each axis, for the axes in the order of ONNX. */
const perAxis = <T>(list: readonly T[]): T[] => {
  const moved: T[] = [];
  list.forEach((v, a) => (moved[axisInFirst(a, list.length)] = v));
  return moved;
};

const pad =
  (mode: (node: TfNode) => string): Translator =>
  (node, g) => {
    const { first } = g.get(node.input(0));
    const ends = g.numbers(node.input(1), "the padding", node.fail);
    const pairs = Array.from({ length: ends.length / 2 }, (_, i) => [ends[2 * i], ends[2 * i + 1]] as const);
    const rank = pairs.length;
    const ordered = first === undefined ? pairs : perAxis(pairs);
    const pads = g.integers([...ordered.map(([before]) => before), ...ordered.map(([, after]) => after)]);
    const value = node.inputs.length > 2 ? [g.asLast(node.input(2))] : [];
    const y = g.add("Pad", [first ?? g.asLast(node.input(0)), pads, ...value], { mode: mode(node) });
    g.give(node.name, y, { first: first !== undefined, rank });
  };

/** The layout in which a node works on one axis, with the axis in it. */
function alongAxis(names: readonly string[], axis: number, g: GraphBuilder) {
  const { names: inputs, first, rank } = together(names, g);
  return { inputs, first, rank, axis: first ? axisInFirst(axis, rank!) : axis };
}

const concat: Translator = (node, g) => {
  const at = node.op === "Concat" ? 0 : node.inputs.length - 1;
  const [axis] = g.numbers(node.input(at), "the axis", node.fail);
  const {
    inputs,
    first,
    rank,
    axis: own,
  } = alongAxis(
    node.inputs.filter((_, i) => i !== at),
    axis,
    g,
  );
  const y = g.add("Concat", inputs, { axis: own });
  g.give(node.name, y, { first, rank });
};

/** Over the channels, or another axis that is given. */
const softmax =
  (op: "Softmax" | "LogSoftmax"): Translator =>
  (node, g) => {
    const { inputs, first, rank, axis } = alongAxis([node.input(0)], -1, g);
    const y = g.add(op, inputs, { axis });
    g.give(node.name, y, { first, rank });
  };

const argmax =
  (op: "ArgMax" | "ArgMin"): Translator =>
  (node, g) => {
    const [given] = node.inputs.length > 1 ? g.numbers(node.input(1), "the axis", node.fail) : [0];
    const { rank: whole } = g.get(node.input(0));
    const channels = given === -1 || given + 1 === whole;
    // Without the channels there is one layout.
    const { inputs, axis, rank } = channels
      ? alongAxis([node.input(0)], -1, g)
      : { inputs: [g.asLast(node.input(0))], axis: given, rank: whole };
    g.give(node.name, g.add(op, inputs, { axis, keepdims: 0 }), { rank: less(rank, 1) });
  };

const reduction =
  (op: string): Translator =>
  (node, g) => {
    const axes = g.numbers(node.input(1), "the axes", node.fail);
    // Over no axis, which ONNX takes for all.
    if (axes.length === 0) return identity(node, g);
    const { first, rank } = g.get(node.input(0));
    const keep = node.flag("keep_dims");
    const spatial = rank !== undefined && axes.every((a) => axisInFirst(a, rank) > 1) && axes.length === rank - 2;
    const inFirst = first !== undefined && (keep || spatial);
    const own = inFirst ? axes.map((a) => axisInFirst(a, rank!)) : axes;
    const y = g.add(op, [inFirst ? first : g.asLast(node.input(0)), g.integers(own)], { keepdims: keep ? 1 : 0 });
    g.give(node.name, y, { first: inFirst && keep, rank: keep ? rank : less(rank, axes.length) });
  };

const shape: Translator = (node, g) => {
  const { first, rank, constant } = g.get(node.input(0));
  if (first === undefined || constant) return g.give(node.name, g.add("Shape", [g.asLast(node.input(0))]), { rank: 1 });
  const order = Array.from({ length: rank! }, (_, a) => axisInFirst(a, rank!));
  g.give(node.name, g.add("Gather", [g.add("Shape", [first]), g.integers(order)], { axis: 0 }), { rank: 1 });
};

/** The number of axes that a list of sizes describes. */
const sizesOf = (node: TfNode, g: GraphBuilder): number | undefined =>
  g.get(node.input(1)).constant?.data.length ?? g.counts.get(node.input(1));

const squeeze: Translator = (node, g) => {
  const axes = node.integers("squeeze_dims");
  const y = g.add("Squeeze", [g.asLast(node.input(0)), ...(axes ? [g.integers(axes)] : [])]);
  g.give(node.name, y, { rank: axes && less(same(node, g), axes.length) });
};

const expandDims = plain(
  (g, [x], node) => g.add("Unsqueeze", [x, g.integers(g.numbers(node.input(1), "the axis", node.fail))]),
  (node, g) => less(same(node, g), -1),
);

const transpose = plain(
  (g, [x], node) => g.add("Transpose", [x], { perm: g.numbers(node.input(1), "the order of axes", node.fail) }),
  sizesOf,
);

const pack: Translator = (node, g) => {
  const axis = node.number("axis", 0);
  const parts = node.inputs.map((name) => g.add("Unsqueeze", [g.asLast(name), g.integers([axis])]));
  // Sizes that are put together one by one are as many as the axes of what is made of them.
  g.counts.set(node.name, parts.length);
  g.give(node.name, g.add("Concat", parts, { axis }), { rank: less(same(node, g), -1) });
};

/** The names of a node's results. */
const resultsOf = ({ name }: TfNode, count: number): string[] =>
  Array.from({ length: count }, (_, i) => (i === 0 ? name : `${name}:${i}`));

const split =
  (axisAt: number, valueAt: number, sizesAt?: number): Translator =>
  (node, g) => {
    const [given] = g.numbers(node.input(axisAt), "the axis", node.fail);
    const { inputs, first, rank, axis } = alongAxis([node.input(valueAt)], given, g);
    const sizes = sizesAt === undefined ? [] : [g.integers(g.numbers(node.input(sizesAt), "the sizes", node.fail))];
    const names = resultsOf(node, node.count("num_split"));
    const parts = g.addAll(
      "Split",
      [...inputs, ...sizes],
      names,
      sizes.length > 0 ? { axis } : { axis, num_outputs: names.length },
    );
    parts.forEach((part, i) => g.give(names[i], part, { first, rank }));
  };

const unpack: Translator = (node, g) => {
  const axis = node.number("axis", 0);
  const names = resultsOf(node, node.count("num"));
  const parts = g.addAll("Split", [g.asLast(node.input(0))], names, { axis, num_outputs: names.length });
  parts.forEach((part, i) => g.give(names[i], g.add("Squeeze", [part, g.integers([axis])]), { rank: less(same(node, g), 1) }));
};

const topK: Translator = (node, g) => {
  const counts = g.add("Reshape", [g.asLast(node.input(1)), g.integers([1])]);
  const names = resultsOf(node, 2);
  const parts = g.addAll("TopK", [g.asLast(node.input(0)), counts], names, { axis: -1 });
  parts.forEach((part, i) => g.give(names[i], part, { rank: same(node, g) }));
};

const far = 2 ** 31 - 1;

const slice = plain((g, [x], node) => {
  const begin = g.numbers(node.input(1), "where it begins", node.fail);
  const size = g.numbers(node.input(2), "its size", node.fail);
  const ends = size.map((n, i) => (n < 0 ? far : begin[i] + n));
  return g.add("Slice", [x, g.integers(begin), g.integers(ends)]);
}, same);

const gather = plain((g, [x, indices], node) => {
  const [axis] = node.inputs.length > 2 ? g.numbers(node.input(2), "the axis", node.fail) : [0];
  return g.add("Gather", [x, indices], { axis });
});

const cumsum = plain((g, [x, axis], node) => {
  const flag = (key: string) => (node.flag(key) ? 1 : 0);
  return g.add("CumSum", [x, axis], { exclusive: flag("exclusive"), reverse: flag("reverse") });
}, same);

const oneHot = plain(
  (g, [index, depth, on, off], node) => {
    const single = (x: string) => g.add("Reshape", [x, g.integers([1])]);
    const values = g.add("Concat", [single(off), single(on)], { axis: 0 });
    return g.add("OneHot", [index, depth, values], { axis: node.number("axis", -1) });
  },
  (node, g) => less(same(node, g), -1),
);

/** Axes that run backwards: cut from the last element to before the first. */
const reversed = plain((g, [x], node) => {
  const axes = g.numbers(node.input(1), "the axes", node.fail);
  if (axes.length === 0) return x;
  const all = (value: number) => g.integers(axes.map(() => value));
  return g.add("Slice", [x, all(-1), all(-far), g.integers(axes), all(-1)]);
}, same);

const modes: Readonly<Record<string, string>> = { REFLECT: "reflect" };

function mirror(node: TfNode): string {
  const mode = node.text("mode", "REFLECT");
  if (!Object.hasOwn(modes, mode)) throw node.fail(`the mode ${mode} is not supported`);
  return modes[mode];
}

export const translators: Translators = {
  Identity: identity,
  StopGradient: identity,
  Pad: pad(() => "constant"),
  PadV2: pad(() => "constant"),
  MirrorPad: pad(mirror),
  Concat: concat,
  ConcatV2: concat,
  Softmax: softmax("Softmax"),
  LogSoftmax: softmax("LogSoftmax"),
  ArgMax: argmax("ArgMax"),
  ArgMin: argmax("ArgMin"),
  Max: reduction("ReduceMax"),
  Mean: reduction("ReduceMean"),
  Min: reduction("ReduceMin"),
  Prod: reduction("ReduceProd"),
  Sum: reduction("ReduceSum"),
  Shape: shape,
  Reshape: plain((g, [x, to]) => g.add("Reshape", [x, to]), sizesOf),
  BroadcastTo: plain((g, [x, to]) => g.add("Expand", [x, to]), sizesOf),
  Squeeze: squeeze,
  ExpandDims: expandDims,
  Transpose: transpose,
  Pack: pack,
  Split: split(0, 1),
  SplitV: split(2, 0, 1),
  Slice: slice,
  Tile: plain((g, [x, times]) => g.add("Tile", [x, times]), same),
  Gather: gather,
  GatherV2: gather,
  Unpack: unpack,
  TopKV2: topK,
  // Truth values are 0 and 1.
  All: reduction("ReduceMin"),
  Any: reduction("ReduceMax"),
  Cumsum: cumsum,
  OneHot: oneHot,
  Reverse: reversed,
  ReverseV2: reversed,
  ScatterNd: plain((g, [indices, updates, shape]) => {
    const zeros = g.add("Expand", [g.scalar(0), shape]);
    return g.add("ScatterND", [zeros, indices, updates], { reduction: "add" });
  }),
  TensorScatterUpdate: plain((g, inputs) => g.add("ScatterND", inputs), same),
  Einsum: plain((g, inputs, node) => g.add("Einsum", inputs, { equation: node.text("equation", "") })),
  GatherNd: plain((g, inputs) => g.add("GatherND", inputs)),
  Size: plain(
    (g, [x]) => g.add("Size", [x]),
    () => 0,
  ),
  Range: plain(
    (g, inputs) => g.add("Range", inputs),
    () => 1,
  ),
  Fill: plain((g, [sizes, value]) => g.add("Expand", [value, sizes])),
};
