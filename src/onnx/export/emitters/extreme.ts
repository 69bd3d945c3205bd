/** @file Nodes of extremes and their places. */

import type { Emitter, Emitters } from "../emission.ts";
import { kept } from "./reduce.ts";

// Values, and their indices as a second result.
const extreme =
  (values: string, places: string): Emitter =>
  (e) => {
    const { axis, indices } = e.args;
    e.names.set(indices, e.builder.node(places, [e.inputs[0]], { axis, keepdims: kept(e) }));
    return e.builder.node(values, [e.inputs[0], e.builder.ints([axis])], { keepdims: kept(e) });
  };

const place =
  (op: string): Emitter =>
  (e) =>
    e.builder.node(op, e.inputs, { axis: e.args.axis, keepdims: kept(e) });

export const emitters: Emitters = {
  max: extreme("ReduceMax", "ArgMax"),
  min: extreme("ReduceMin", "ArgMin"),
  argmax: place("ArgMax"),
  argmin: place("ArgMin"),
};
