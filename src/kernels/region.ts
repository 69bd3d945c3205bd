/** @file Region sums: overlap, prediction and target per sample and channel, the fused base of Dice, Jaccard and Tversky losses. */

import { ShapeError } from "../tensor/errors.ts";
import { sizeOf } from "../tensor/host.ts";
import { read, write } from "../tensor/kernel.ts";
import { type Shape, showShape } from "../tensor/shape.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { expectTensors } from "./args.ts";
import { grid, lanes, program } from "./program.ts";
import type { ShaderName } from "./shaders.gen.ts";
import { reduceSum } from "./reduce.ts";

export interface RegionOptions {
  /** Applied to the logits on the fly; default "none". */
  readonly activation?: "none" | "sigmoid" | "softmax";
  /** What is summed: see shaders/region/sums.wgsl; default "plain". */
  readonly mode?: "plain" | "squared" | "soft";
}

export interface RegionGeometry {
  readonly samples: number;
  readonly channels: number;
  readonly inner: number;
  /** The target holds class indices on one channel. */
  readonly indexTarget: boolean;
}

/** Logits `[N, C, …]` with a target of the same shape, or `[N, 1, …]` class indices. Throws `ShapeError`. */
export function regionShape(logits: Shape, target: Shape, indexTarget: boolean): RegionGeometry {
  if (logits.length < 2) throw new ShapeError(`regionSums: input must be [N, C, spatial…], got ${showShape(logits)}`);
  const expected = indexTarget ? logits.with(1, 1) : logits;
  if (target.length !== expected.length || target.some((d, i) => d !== expected[i])) {
    throw new ShapeError(
      `regionSums: target ${showShape(target)} does not fit the input ${showShape(logits)}; expected ${showShape(expected)}` +
        (indexTarget ? " (class indices)" : ""),
    );
  }
  return { samples: logits[0], channels: logits[1], inner: sizeOf(logits.slice(2)), indexTarget };
}

const activations = { none: 0, sigmoid: 1, softmax: 2 } as const;
const modes = { plain: 0, squared: 1, soft: 2 } as const;

function variant(shader: ShaderName, g: RegionGeometry, { activation = "none", mode = "plain" }: RegionOptions, LANES?: number) {
  return program(shader, {
    libs: ["lib/grid", "lib/sigmoid", "lib/prediction", ...(LANES ? (["lib/tree"] as const) : [])],
    consts: LANES ? { LANES } : {},
    overrides: { ACTIVATION: activations[activation], MODE: modes[mode], INDEX_TARGET: g.indexTarget ? 1 : 0 },
    variant: `${activation} ${mode}${g.indexTarget ? " index" : ""}`,
  });
}

/** `[3, N, C]`: sums over positions of overlap, prediction and target. */
export function regionSums(logits: Tensor, target: Tensor, g: RegionGeometry, options: RegionOptions): Tensor {
  expectTensors("regionSums", { input: logits, target });
  const chunks = Math.max(1, Math.ceil(g.inner / (16 * lanes(logits.device))));
  const partial = logits.device.empty([chunks, 3, g.samples, g.channels]);
  logits.device.run({
    program: variant("region/sums", g, options, lanes(logits.device)),
    bindings: [read(logits), read(target), write(partial)],
    params: [g.samples, g.channels, g.inner, chunks],
    workgroups: [chunks, g.samples, 1],
  });
  const sums = chunks === 1 ? partial.view([3, g.samples, g.channels]) : reduceSum(partial, [0], false);
  partial.dispose();
  return sums;
}

export function regionGradient(logits: Tensor, target: Tensor, dSums: Tensor, g: RegionGeometry, options: RegionOptions): Tensor {
  const dx = logits.device.empty(logits.shape);
  if (dx.size === 0) return dx;
  logits.device.run({
    program: variant("region/gradient", g, options),
    bindings: [read(logits), read(target), read(dSums), write(dx)],
    params: [g.samples, g.channels, g.inner, 0],
    workgroups: grid(logits.device, "regionSums", g.samples * g.inner, 64),
  });
  return dx;
}
