/** @file Blocks of pixels to images of a batch and back, which writers put around a convolution in place of a dilation. */

import type { GraphBuilder } from "./builder.ts";
import type { TfNode } from "./graph_def.ts";
import type { Translator, Translators } from "./translator.ts";

// Each is a part of the graph: more is a damaged file.
const mostParts = 1024;

interface Blocks {
  readonly x: string;
  readonly first: boolean;
  readonly rank: number;
  /** The axis of ONNX, the size of a block along it, and what is put to or taken from its ends. */
  readonly axes: readonly { readonly axis: number; readonly size: number; readonly ends: readonly [number, number] }[];
}

function blocksOf(node: TfNode, g: GraphBuilder): Blocks {
  const sizes = g.numbers(node.input(1), "the blocks", node.fail);
  const ends = g.numbers(node.input(2), "what is put to the ends", node.fail);
  const { first, rank } = g.get(node.input(0));
  if (rank === undefined) throw node.fail("of an unknown number of axes it is not supported");
  const parts = sizes.reduce((a, b) => a * b, 1);
  if (sizes.length >= rank || ends.length !== 2 * sizes.length || !(parts >= 1 && parts <= mostParts) || Math.min(...ends) < 0)
    throw node.fail(`blocks [${sizes.join(", ")}] and ends [${ends.join(", ")}] of ${rank} axes`);
  // With the channels second one more axis lies before the others, unless the channels are in blocks too.
  const inFirst = first !== undefined && sizes.length < rank - 1;
  const axes = sizes.map((size, i) => ({
    axis: i + (inFirst ? 2 : 1),
    size,
    ends: [ends[2 * i], ends[2 * i + 1]] as const,
  }));
  return { x: inFirst ? first : g.asLast(node.input(0)), first: inFirst, rank, axes };
}

/** The images of each place in a block, one after the other, as a batch. */
const toBatch: Translator = (node, g) => {
  const { x, first, rank, axes } = blocksOf(node, g);
  const pads = new Array<number>(2 * rank).fill(0);
  for (const { axis, ends } of axes) [pads[axis], pads[axis + rank]] = ends;
  const wide = g.add("Pad", [x, g.integers(pads)]);
  const places = axes.reduce<number[][]>(
    (all, { size }) => all.flatMap((place) => Array.from({ length: size }, (_, i) => [...place, i])),
    [[]],
  );
  const list = (values: readonly number[]) => g.integers(values);
  const [ends, along, steps] = [axes.map(() => 2 ** 31 - 1), axes.map((a) => a.axis), axes.map((a) => a.size)].map(list);
  const parts = places.map((place) => g.add("Slice", [wide, list(place), ends, along, steps]));
  g.give(node.name, g.add("Concat", parts, { axis: 0 }), { first, rank });
};

/** Values that lie side by side along an axis, one of each in turn. */
function interleaved(g: GraphBuilder, parts: readonly string[], axis: number, rank: number): string {
  if (parts.length === 1) return parts[0];
  const order = Array.from({ length: rank }, (_, a) => a);
  const swapped = order.with(axis, rank - 1).with(rank - 1, axis);
  const swap = (x: string) => (axis === rank - 1 ? x : g.add("Transpose", [x], { perm: swapped }));
  const apart = parts.map((x) => g.add("Unsqueeze", [swap(x), g.integers([rank])]));
  // 0 keeps a size.
  const shape = g.integers([...order.slice(1).map(() => 0), -1]);
  return swap(g.add("Reshape", [g.add("Concat", apart, { axis: rank }), shape]));
}

const fromBatch: Translator = (node, g) => {
  const { x, first, rank, axes } = blocksOf(node, g);
  const count = axes.reduce((n, { size }) => n * size, 1);
  const names = Array.from({ length: count }, (_, i) => `${node.name}/part_${i}`);
  let parts: readonly string[] = count === 1 ? [x] : g.addAll("Split", [x], names, { axis: 0, num_outputs: count });
  for (const { axis, size } of axes.toReversed()) {
    const groups = Array.from({ length: parts.length / size }, (_, k) => parts.slice(k * size, (k + 1) * size));
    parts = groups.map((group) => interleaved(g, group, axis, rank));
  }
  const lists = [
    axes.map(({ ends }) => ends[0]),
    axes.map(({ ends }) => (ends[1] === 0 ? 2 ** 31 - 1 : -ends[1])),
    axes.map(({ axis }) => axis),
  ];
  g.give(node.name, g.add("Slice", [parts[0], ...lists.map((list) => g.integers(list))]), { first, rank });
};

export const translators: Translators = { SpaceToBatchND: toBatch, BatchToSpaceND: fromBatch };
