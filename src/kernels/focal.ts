/** @file Focal loss of logits, fused: one pass for the loss and one for its gradient. */

import { ConfigError, DTypeError, ShapeError } from "../host/errors.ts";
import { sizeOf } from "../host/array.ts";
import { read, write } from "../tensor/kernel.ts";
import { sameShape, type Shape, showShape } from "../host/shape.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { expectTensors } from "./lib/args.ts";
import type { Reduction } from "./cross_entropy.ts";
import { eachPiece } from "./lib/pieces.ts";
import { fold, grid, lanes, program } from "./lib/program.ts";
import { reduceSum } from "./reduce.ts";
import type { ShaderName } from "./shaders.gen.ts";
import { concat } from "./view.ts";

export interface FocalGeometry {
  readonly channels: number;
  /** First channel that counts. */
  readonly first: number;
  /** Elements of a channel. */
  readonly inner: number;
  /** The target holds class indices on one channel. */
  readonly indexTarget: boolean;
  /** Losses before reduction. */
  readonly shape: Shape;
}

/** Logits `[N, C, …]` with a target of the same shape, or `[N, 1, …]` class indices. Throws `ShapeError`. */
export function focalShape(input: Shape, target: Shape, indexTarget: boolean, first: number): FocalGeometry {
  if (input.length < 2) throw new ShapeError(`focalLoss: input must be [N, C, spatial…], got ${showShape(input)}`);
  const expected = indexTarget ? input.with(1, 1) : input;
  if (!sameShape(target, expected)) {
    throw new ShapeError(
      `focalLoss: target ${showShape(target)} does not fit the input ${showShape(input)}; expected ${showShape(expected)}` +
        (indexTarget ? " (class indices)" : ""),
    );
  }
  return { channels: input[1], first, inner: sizeOf(input.slice(2)), indexTarget, shape: input.with(1, input[1] - first) };
}

export interface FocalSettings {
  readonly softmax: boolean;
  readonly gamma: number;
  /** Share of the positives, sigmoid only. */
  readonly alpha: number | undefined;
  readonly reduction: Reduction;
}

/** Everything but the logits must fit too. Throws `DTypeError` and `ConfigError`. */
function expectFocal(input: Tensor, target: Tensor, g: FocalGeometry, { reduction }: FocalSettings): void {
  expectTensors("focalLoss", g.indexTarget ? { input } : { input, target });
  expectTensors("focalLoss", { target }, target.dtype);
  if (target.device !== input.device) throw new ConfigError("focalLoss: target is on another device than the input");
  if (target.dtype === "f16") throw new DTypeError("focalLoss: target has type f16, expected f32, i32 or u32 class indices");
  if (!["none", "sum", "mean"].includes(reduction)) {
    throw new ConfigError(`focalLoss: reduction must be "none", "sum" or "mean", got ${JSON.stringify(reduction)}`);
  }
}

function variant(
  shader: ShaderName,
  target: Tensor,
  weight: Tensor | undefined,
  g: FocalGeometry,
  { softmax, alpha, reduction }: FocalSettings,
  LANES?: number,
) {
  const kind = !g.indexTarget ? "channels" : target.dtype === "f32" ? "float" : "index";
  const reduced = reduction !== "none";
  const names = [softmax ? "softmax" : "sigmoid", kind, reduced ? "reduced" : "none", weight && "weighted"];
  return program(shader, {
    libs: ["lib/grid", "lib/scalar", "lib/activation", "lib/power", ...(LANES ? (["lib/tree"] as const) : []), "lib/focal"],
    consts: LANES ? { LANES } : {},
    overrides: {
      SOFTMAX: softmax ? 1 : 0,
      TARGET: { index: 0, float: 1, channels: 2 }[kind],
      WEIGHTED: weight ? 1 : 0,
      ALPHA: alpha === undefined ? 0 : 1,
      REDUCED: reduced ? 1 : 0,
    },
    variant: [...names, alpha === undefined ? undefined : "alpha"].filter(Boolean).join(" "),
  });
}

// What a mean divides by; a sum is over samples and channels of the mean over positions, as MONAI's.
const factor = (g: FocalGeometry, { reduction }: FocalSettings) => 1 / (reduction === "mean" ? sizeOf(g.shape) : g.inner);

const words = (g: FocalGeometry, s: FocalSettings, positions: number, chunk: number) => [
  g.channels,
  g.first,
  g.inner,
  positions,
  { f32: s.gamma },
  { f32: s.alpha ?? 0 },
  chunk,
  { f32: factor(g, s) },
];

/** Losses `[N, C, …]` without the channels before the first that counts, or one number. `weight` has one entry per channel that counts. */
export function focalLoss(
  input: Tensor,
  target: Tensor,
  weight: Tensor | undefined,
  g: FocalGeometry,
  settings: FocalSettings,
): Tensor {
  expectFocal(input, target, g, settings);
  const { device } = input;
  const width = lanes(device);
  const chunk = 16 * width;
  const reduced = settings.reduction !== "none";
  const each = reduced ? undefined : device.empty(g.shape);
  const parts: Tensor[] = [];
  eachPiece("focalLoss", 1, [read(input), read(target), ...(each ? [write(each)] : [])], ([x, t, to]) => {
    const positions = x.shape[0] * g.inner;
    const chunks = Math.max(1, Math.ceil(positions / chunk));
    const losses = to ?? device.empty([chunks]);
    if (reduced) parts.push(losses);
    if (losses.size === 0) return;
    device.run({
      program: variant("focal/forward", t, weight, g, settings, width),
      bindings: [read(x), read(t), read(weight ?? x), write(losses)],
      params: words(g, settings, positions, chunk),
      workgroups: fold(device, "focalLoss", chunks),
    });
  });
  if (each) return each;
  const all = parts.length === 1 ? parts[0] : concat(parts, 0);
  const total = reduceSum(all, [0], false, factor(g, settings));
  for (const part of new Set([all, ...parts])) part.dispose();
  return total;
}

/** Gradient of the logits. */
export function focalLossGradient(
  input: Tensor,
  target: Tensor,
  weight: Tensor | undefined,
  dy: Tensor,
  g: FocalGeometry,
  settings: FocalSettings,
): Tensor {
  const dx = input.device.empty(input.shape);
  if (dx.size === 0) return dx;
  const own = settings.reduction === "none" ? [read(dy)] : [];
  eachPiece("focalLoss", 1, [read(input), read(target), write(dx), ...own], ([x, t, to, from = dy]) => {
    const positions = x.shape[0] * g.inner;
    input.device.run({
      program: variant("focal/gradient", t, weight, g, settings),
      bindings: [read(x), read(t), read(weight ?? x), read(from), write(to)],
      params: words(g, settings, positions, 0),
      workgroups: grid(input.device, "focalLoss", positions, 64),
    });
  });
  return dx;
}
