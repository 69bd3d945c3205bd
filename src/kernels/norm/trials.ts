/** @file What `tune` times of the norms. */

import { sizeOf } from "../../host/array.ts";
import type { Shape } from "../../host/shape.ts";
import type { Device } from "../../tensor/device.ts";
import type { Trial, Trials } from "../lib/choices.ts";
import { norm, normGradients } from "./norm.ts";
import { batchNormShape } from "./shape.ts";
import { normProblem, normRule, normVariants } from "./variants.ts";

function trial(device: Device, shape: Shape): Trial {
  const g = batchNormShape(shape, 1e-5);
  const prepare = () => {
    const x = device.tensor({ data: Float32Array.from({ length: sizeOf(shape) }, (_, k) => Math.sin(k * 0.37)), shape });
    const run = () => {
      const { y, stats } = norm(x, {}, g);
      const { dx } = normGradients(x, {}, stats, y, g);
      for (const t of [y, stats, dx]) t.dispose();
    };
    return { run, dispose: () => x.dispose() };
  };
  return { problem: normProblem(g, g.count), variants: Object.keys(normVariants), rule: normRule(device, g, g.count), prepare };
}

/** Few and many channels of one volume and of a batch of images. */
export const normTrials: Trials = (device) =>
  [
    [1, 1, 64, 64, 64],
    [1, 8, 48, 48, 48],
    [1, 32, 32, 32, 32],
    [4, 16, 128, 128],
    [4, 64, 64, 64],
    [4, 256, 16, 16],
  ].map((shape) => trial(device, shape));
