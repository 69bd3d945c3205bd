/** @file Focal loss of logits, fused: one pass for the loss and one for its gradient. */

import { ConfigError, DTypeError, ShapeError } from "../host/errors.ts";
import { sizeOf } from "../host/array.ts";
import { read, write } from "../tensor/kernel.ts";
import { sameShape, type Shape, showShape } from "../host/shape.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { expectTensors } from "./lib/args.ts";
import type { Reduction } from "./cross_entropy.ts";
import { lanes } from "./lib/occupancy.ts";
import { eachPart, type Part } from "./lib/parts.ts";
import { classCheck, ignoring, targetKind } from "./lib/target.ts";
import { fold, grid } from "./lib/workgroups.ts";
import { reduceSum } from "./reduce.ts";
import { forwardShader } from "./shaders/focal/forward.gen.ts";
import { gradientShader } from "./shaders/focal/gradient.gen.ts";
import { BLOCK } from "./shaders/lib/levels.gen.ts";
import { joined } from "./view.ts";

export interface FocalGeometry {
  readonly samples: number;
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
        (indexTarget
          ? " (class indices)"
          : sameShape(target, input.with(1, 1))
            ? "; for class indices set the option toOnehotY: true"
            : ""),
    );
  }
  return {
    samples: input[0],
    channels: input[1],
    first,
    inner: sizeOf(input.slice(2)),
    indexTarget,
    shape: input.with(1, input[1] - first),
  };
}

export interface FocalSettings {
  readonly softmax: boolean;
  readonly gamma: number;
  /** Share of the positives, sigmoid only. */
  readonly alpha: number | undefined;
  readonly reduction: Reduction;
  /** Class index whose positions count for nothing. */
  readonly ignoreIndex: number | undefined;
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

function variant(target: Tensor, weight: Tensor | undefined, g: FocalGeometry, { softmax, alpha, reduction }: FocalSettings) {
  const { TARGET, name } = targetKind(target, !g.indexTarget);
  const reduced = reduction !== "none";
  const names = [softmax ? "softmax" : "sigmoid", name, reduced ? "reduced" : "none", weight && "weighted"];
  return {
    overrides: {
      SOFTMAX: softmax ? 1 : 0,
      TARGET,
      WEIGHTED: weight ? 1 : 0,
      ALPHA: alpha === undefined ? 0 : 1,
      REDUCED: reduced ? 1 : 0,
      BLOCKED: g.channels > BLOCK ? 1 : 0,
    },
    variant: [...names, alpha !== undefined && "alpha", g.channels > BLOCK && "blocked"].filter(Boolean).join(" "),
  };
}

// A sum is over samples and channels of the mean over positions, as MONAI's.
const divisor = (g: FocalGeometry, { reduction }: FocalSettings) => (reduction === "mean" ? sizeOf(g.shape) : g.inner);

const along = ({ samples, inner }: FocalGeometry) => ({ samples, length: inner });

const words = (g: FocalGeometry, s: FocalSettings, { samples, length }: Part, slab: number, fault: number) => ({
  ...ignoring("focalLoss", s.ignoreIndex),
  fault,
  channels: g.channels,
  first: g.first,
  inner: length,
  positions: samples * length,
  gamma: s.gamma,
  alpha: s.alpha ?? 0,
  slab,
  divisor: divisor(g, s),
});

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
  const slab = 16 * width;
  const reduced = settings.reduction !== "none";
  const { fault, faults } = classCheck(device, "focalLoss", g.channels, settings.ignoreIndex);
  const each = reduced ? undefined : device.empty(g.shape);
  const pieces: Tensor[] = [];
  const bindings = [read(input), read(target), ...(each ? [write(each)] : [])];
  eachPart("focalLoss", along(g), bindings, ([x, t, to], part) => {
    const slabs = Math.max(1, Math.ceil((part.samples * part.length) / slab));
    const losses = to ?? device.empty([slabs]);
    if (reduced) pieces.push(losses);
    if (losses.size === 0) return;
    device.run(
      forwardShader({
        ...variant(t, weight, g, settings),
        consts: { LANES: width },
        params: words(g, settings, part, slab, fault),
        bind: { logits: x, labels: t, weight: weight ?? x, losses: write(losses), faults },
        workgroups: fold(device, "focalLoss", slabs),
      }),
    );
  });
  if (each) return each;
  const all = joined(pieces, 0);
  const total = reduceSum(all, [0], false, divisor(g, settings));
  all.dispose();
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
  eachPart("focalLoss", along(g), [read(input), read(target), write(dx), ...own], ([x, t, to, from = dy], part) => {
    input.device.run(
      gradientShader({
        ...variant(t, weight, g, settings),
        params: words(g, settings, part, 0, 0),
        bind: { logits: x, labels: t, weight: weight ?? x, dy: from, dx: write(to) },
        workgroups: grid(input.device, "focalLoss", part.samples * part.length, 64),
      }),
    );
  });
  return dx;
}
