/** @file What `tune` times of the convolutions. */

import { sizeOf } from "../../host/array.ts";
import type { Shape } from "../../host/shape.ts";
import type { Device } from "../../tensor/device.ts";
import { scope } from "../../tensor/scope.ts";
import { cast } from "../cast.ts";
import type { Trial, Trials } from "../lib/choices.ts";
import { conv, convInputGradient } from "./conv.ts";
import { convWeightGradient } from "./weight_gradient.ts";
import { convShape } from "./shape.ts";
import { gatherNames, gatherProblem, gatherRule, weightNames, weightProblem, weightRule } from "./variants.ts";

interface Layer {
  readonly x: Shape;
  readonly outputs: number;
  readonly taps: number;
  readonly stride: number;
}

/** Layers of encoders and decoders in two and three dimensions, whole and near the bottom. */
function layers(): Layer[] {
  const pairs = [
    [1, 16],
    [16, 16],
    [16, 32],
    [32, 32],
    [32, 64],
    [64, 64],
    [64, 128],
    [128, 128],
  ] as const;
  const all: Layer[] = [];
  for (const [size, dims, samples] of [
    [96, 2, 2],
    [24, 2, 4],
    [26, 3, 1],
    [12, 3, 2],
  ] as const) {
    for (const [inputs, outputs] of pairs) {
      if (inputs === 128 && size > 24) continue; // no network has so many channels on whole images
      const x = [samples, inputs, ...new Array<number>(dims).fill(size)];
      all.push({ x, outputs, taps: 3, stride: 1 });
      if (inputs < outputs && inputs > 1) all.push({ x, outputs, taps: 3, stride: 2 });
    }
    all.push({ x: [samples, 64, ...new Array<number>(dims).fill(size)], outputs: 4, taps: 1, stride: 1 });
  }
  return all;
}

type Kind = "plain" | "transposed" | "weight";

function trial(device: Device, { x, outputs, taps, stride }: Layer, kind: Kind, half: boolean): Trial {
  const weightShape = [outputs, x[1], ...x.slice(2).map(() => taps)];
  const g = convShape(x, weightShape, undefined, { padding: (taps - 1) / 2, stride });
  const prepare = () => {
    const make = (shape: Shape) => {
      const t = device.tensor({ data: Float32Array.from({ length: sizeOf(shape) }, (_, k) => Math.sin(k * 0.37)), shape });
      return half ? cast(t, "f16") : t;
    };
    const [input, output] = scope(() => [make(x), make(g.outShape)]);
    const weight = device.tensor({
      data: Float32Array.from({ length: sizeOf(weightShape) }, (_, k) => Math.cos(k)),
      shape: weightShape,
    });
    const run = () => {
      if (kind === "plain") conv(input, weight, undefined, g).dispose();
      else if (kind === "transposed") convInputGradient(output, weight, g, x).dispose();
      else convWeightGradient(output, input, g, weightShape).dispose();
    };
    return { run, dispose: () => [input, output, weight].forEach((t) => t.dispose()) };
  };
  if (kind === "weight") {
    const rule = weightRule(device, g, half);
    return { problem: weightProblem(g, half), variants: weightNames(device, half), rule, prepare };
  }
  const transposed = kind === "transposed";
  const rule = gatherRule(device, g, transposed, half);
  return { problem: gatherProblem(g, transposed, half), variants: gatherNames(device, half), rule, prepare };
}

/** The gather kernels in both directions and the weight gradient, on usual layers. */
export const convTrials: Trials = (device, half) =>
  [false, ...(half ? [true] : [])].flatMap((f16) =>
    layers().flatMap((layer) => (["plain", "transposed", "weight"] as const).map((kind) => trial(device, layer, kind, f16))),
  );
