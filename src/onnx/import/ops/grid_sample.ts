/** @file Sampling at positions. */

import { gridSample } from "../../../autograd/grid_sample.ts";
import type { Tensor } from "../../../tensor/tensor.ts";
import type { Call } from "../call.ts";
import type { Operators } from "../operator.ts";

const samplers = {
  linear: "bilinear",
  bilinear: "bilinear",
  nearest: "nearest",
  cubic: "bicubic",
  bicubic: "bicubic",
} as const;

function sampled(c: Call): Tensor {
  const mode = c.attribute("mode") ? c.choice("mode", Object.keys(samplers) as (keyof typeof samplers)[]) : "linear";
  const paddingMode = c.choice("padding_mode", ["zeros", "border", "reflection"]);
  return gridSample(c.float(0), c.float(1), { mode: samplers[mode], paddingMode, alignCorners: c.flag("align_corners") });
}

export const operators: Operators = { GridSample: { device: sampled } };
