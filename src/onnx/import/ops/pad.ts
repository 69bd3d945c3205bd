/** @file Padding. */

import { pad, type PadMode } from "../../../autograd/pad.ts";
import { torchEdges } from "../../../host/edges.ts";
import type { Tensor } from "../../../tensor/tensor.ts";
import type { Call } from "../call.ts";
import type { Operators } from "../operator.ts";

// PyTorch's names by ONNX's.
const modes = Object.fromEntries(Object.entries(torchEdges).map(([torch, onnx]) => [onnx, torch])) as Record<string, PadMode>;

function padded(c: Call): Tensor {
  const x = c.tensor(0);
  const pads = c.listOr("pads", 1, 11) ?? [];
  const axes = (c.opset < 18 ? undefined : c.list(3))?.map((a) => c.axis(a, x.rank)) ?? x.shape.map((_, i) => i);
  if (pads.length !== 2 * axes.length) throw c.wrong(`${pads.length} pads for ${axes.length} axes`);
  const ends = x.shape.map(() => [0, 0]);
  axes.forEach((a, i) => (ends[a] = [pads[i], pads[i + axes.length]]));
  c.expectMoved(["value"], 2, 11);
  const value = c.opset < 11 ? c.floatAttribute("value", 0) : c.number(2, 0);
  const mode = modes[c.choice("mode", ["constant", "reflect", "edge", "wrap"])];
  return pad(x, ends.toReversed().flat(), { mode, value });
}

export const operators: Operators = { Pad: { device: padded, known: [1, 2, 3] } };
