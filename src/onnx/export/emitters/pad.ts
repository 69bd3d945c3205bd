/** @file Nodes of padding. */

import { torchEdges } from "../../../host/edges.ts";
import type { PadAxis, PadMode } from "../../../kernels/pad.ts";
import type { Emitter, Emitters } from "../emission.ts";
import { cut } from "./slice.ts";

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

export const emitters: Emitters = { pad };
