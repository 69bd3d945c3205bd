/** @file StridedSlice, whose masks are bits: one for each entry of what begins, ends and steps. */

import type { GraphBuilder } from "./builder.ts";
import type { TfNode } from "./graph_def.ts";
import type { Translator, Translators } from "./translator.ts";

/** An entry of the specification, which cuts one axis, or makes or stands for some. */
interface Entry {
  readonly kind: "cut" | "drop" | "new" | "rest";
  readonly start: number;
  readonly end: number;
  readonly step: number;
}

const far = 2 ** 31 - 1;

function entriesOf(node: TfNode, g: GraphBuilder): Entry[] {
  const [begin, end, strides] = [1, 2, 3].map((i) => g.numbers(node.input(i), "where it is cut", node.fail));
  if (end.length !== begin.length || strides.length !== begin.length)
    throw node.fail(`it begins at ${begin.length}, ends at ${end.length} and has ${strides.length} steps`);
  const bit = (mask: string, i: number) => ((node.number(mask, 0) >> i) & 1) === 1;
  return begin.map((from, i): Entry => {
    const step = strides[i];
    if (step === 0) throw node.fail("a step is 0");
    if (bit("ellipsis_mask", i)) return { kind: "rest", start: 0, end: 0, step: 1 };
    if (bit("new_axis_mask", i)) return { kind: "new", start: 0, end: 0, step: 1 };
    if (bit("shrink_axis_mask", i)) return { kind: "drop", start: from, end: from === -1 ? far : from + 1, step: 1 };
    const start = bit("begin_mask", i) ? (step > 0 ? 0 : far) : from;
    return { kind: "cut", start, end: bit("end_mask", i) ? (step > 0 ? far : -far) : end[i], step };
  });
}

/** The place of each entry among those that `counts` holds of; behind the ellipsis they are counted from the end. */
function placesOf(entries: readonly Entry[], counts: (entry: Entry) => boolean): number[] {
  const rest = entries.findIndex(({ kind }) => kind === "rest");
  const among = (list: readonly Entry[]) => list.filter(counts).length;
  return entries.map((_, i) => (rest >= 0 && i > rest ? -among(entries.slice(i)) : among(entries.slice(0, i))));
}

const stridedSlice: Translator = (node, g) => {
  const entries = entriesOf(node, g);
  if (entries.filter(({ kind }) => kind === "rest").length > 1) throw node.fail("it has two ellipses");
  const axes = placesOf(entries, ({ kind }) => kind === "cut" || kind === "drop");
  const places = placesOf(entries, ({ kind }) => kind === "cut" || kind === "new");
  const those = (...kinds: Entry["kind"][]) => entries.flatMap((e, i) => (kinds.includes(e.kind) ? [i] : []));
  const [used, dropped, made] = [those("cut", "drop"), those("drop"), those("new")];
  let y = g.asLast(node.input(0));
  const { rank } = g.get(node.input(0));
  if (used.length > 0) {
    const of = (f: (e: Entry) => number) => g.integers(used.map((i) => f(entries[i])));
    y = g.add("Slice", [y, of((e) => e.start), of((e) => e.end), g.integers(used.map((i) => axes[i])), of((e) => e.step)]);
  }
  if (dropped.length > 0) y = g.add("Squeeze", [y, g.integers(dropped.map((i) => axes[i]))]);
  if (made.length > 0) y = g.add("Unsqueeze", [y, g.integers(made.map((i) => places[i]))]);
  g.give(node.name, y, { rank: rank === undefined ? undefined : rank - dropped.length + made.length });
};

export const translators: Translators = { StridedSlice: stridedSlice };
