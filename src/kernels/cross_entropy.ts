/** @file Cross-entropy of logits, fused: one pass for the loss and one for its gradient. */

import { ConfigError, DTypeError, ShapeError } from "../host/errors.ts";
import { expectIntegers } from "../host/integers.ts";
import { sizeOf } from "../host/array.ts";
import { read, write } from "../tensor/kernel.ts";
import { sameShape, type Shape, showShape } from "../host/shape.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { expectTensors } from "./lib/args.ts";
import { binary } from "./pointwise.ts";
import { lanes } from "./lib/occupancy.ts";
import { eachPart, type Part } from "./lib/parts.ts";
import { classCheck, targetKind } from "./lib/target.ts";
import { fold, grid } from "./lib/workgroups.ts";
import { reduceSum } from "./reduce.ts";
import { forwardShader } from "./shaders/cross_entropy/forward.gen.ts";
import { BLOCK } from "./shaders/lib/levels.gen.ts";
import { gradientShader, MEAN, NONE, SUM } from "./shaders/cross_entropy/gradient.gen.ts";
import { joined } from "./view.ts";

export interface CrossEntropyGeometry {
  readonly classes: number;
  readonly samples: number;
  /** Elements of a channel. */
  readonly inner: number;
  /** Of the losses before reduction. */
  readonly shape: Shape;
  readonly probabilities: boolean;
}

/** Logits `[N, C, …]` with class indices `[N, …]` or probabilities `[N, C, …]`. Throws `ShapeError`. */
export function crossEntropyShape(input: Shape, target: Shape, weight?: Shape): CrossEntropyGeometry {
  if (input.length < 2) throw new ShapeError(`crossEntropyLoss: input must be [N, C, spatial…], got ${showShape(input)}`);
  const shape = input.toSpliced(1, 1);
  const probabilities = sameShape(target, input);
  if (!probabilities && !sameShape(target, shape)) {
    throw new ShapeError(
      `crossEntropyLoss: target ${showShape(target)} does not fit the input ${showShape(input)}; expected class indices ${showShape(shape)} ` +
        `or probabilities ${showShape(input)}`,
    );
  }
  const classes = input[1];
  if (weight && !sameShape(weight, [classes])) {
    throw new ShapeError(`crossEntropyLoss: weight ${showShape(weight)} must be [${classes}], one per class`);
  }
  return { classes, samples: input[0], inner: sizeOf(input.slice(2)), shape, probabilities };
}

/** What becomes of the losses of many elements or positions. */
export type Reduction = "mean" | "sum" | "none";

export interface CrossEntropySettings {
  readonly reduction: Reduction;
  readonly ignoreIndex: number;
  readonly labelSmoothing: number;
}

/** Everything but the logits must fit too. Throws `DTypeError` and `ConfigError`. */
export function expectCrossEntropy(
  input: Tensor,
  target: Tensor,
  weight: Tensor | undefined,
  g: CrossEntropyGeometry,
  { reduction, ignoreIndex, labelSmoothing }: CrossEntropySettings,
): void {
  expectTensors("crossEntropyLoss", { input, ...(weight ? { weight } : {}) });
  expectTensors("crossEntropyLoss", { target }, target.dtype);
  if (target.device !== input.device) throw new ConfigError("crossEntropyLoss: target is on another device than the input");
  if (target.dtype === "f16" || (g.probabilities && target.dtype !== "f32")) {
    const expected = g.probabilities ? "f32 probabilities" : "f32, i32 or u32";
    throw new DTypeError(`crossEntropyLoss: target has type ${target.dtype}, expected ${expected}`);
  }
  if (!["none", "sum", "mean"].includes(reduction)) {
    throw new ConfigError(`crossEntropyLoss: reduction must be "none", "sum" or "mean", got ${JSON.stringify(reduction)}`);
  }
  expectIntegers("crossEntropyLoss", { ignoreIndex });
  if (!(labelSmoothing >= 0 && labelSmoothing <= 1)) {
    throw new ConfigError(`crossEntropyLoss: labelSmoothing must be in [0, 1], got ${labelSmoothing}`);
  }
}

const reductions = { none: NONE, sum: SUM, mean: MEAN } as const;

function variant(target: Tensor, weight: Tensor | undefined, g: CrossEntropyGeometry, reduced: number, name: string) {
  const { TARGET, name: kind } = targetKind(target, g.probabilities, "probabilities");
  return {
    overrides: { TARGET, WEIGHTED: weight ? 1 : 0, REDUCED: reduced, BLOCKED: g.classes > BLOCK ? 1 : 0 },
    variant: `${kind} ${name}${weight ? " weighted" : ""}${g.classes > BLOCK ? " blocked" : ""}`,
  };
}

const along = ({ samples, inner }: CrossEntropyGeometry) => ({ samples, length: inner });

const words = (g: CrossEntropyGeometry, s: CrossEntropySettings, { samples, length }: Part, slab: number, fault: number) => ({
  fault,
  classes: g.classes,
  inner: length,
  positions: samples * length,
  smoothing: s.labelSmoothing,
  ignored: s.ignoreIndex,
  slab,
});

export interface CrossEntropyResult {
  readonly loss: Tensor;
  /** `[1]`: what the mean was divided by; only for "mean". */
  readonly total: Tensor | undefined;
}

/** Losses at the positions, or one number. */
export function crossEntropy(
  input: Tensor,
  target: Tensor,
  weight: Tensor | undefined,
  g: CrossEntropyGeometry,
  settings: CrossEntropySettings,
): CrossEntropyResult {
  expectCrossEntropy(input, target, weight, g, settings);
  const { device } = input;
  const reduced = settings.reduction !== "none";
  const width = lanes(device);
  const slab = 16 * width;
  const { fault, faults } = classCheck(device, "crossEntropyLoss", g.classes, settings.ignoreIndex);
  const each = reduced ? undefined : device.empty(g.shape);
  const parts: { readonly losses: Tensor; readonly totals: Tensor }[] = [];
  const bindings = [read(input), read(target), ...(each ? [write(each)] : [])];
  eachPart("crossEntropyLoss", along(g), bindings, ([x, t, to], part) => {
    const slabs = Math.max(1, Math.ceil((part.samples * part.length) / slab));
    const losses = to ?? device.empty([slabs]);
    const totals = device.empty([reduced ? slabs : 1]);
    device.run(
      forwardShader({
        ...variant(t, weight, g, reduced ? 1 : 0, reduced ? "reduced" : "none"),
        consts: { LANES: width },
        params: words(g, settings, part, slab, fault),
        bind: { logits: x, labels: t, weight: weight ?? x, losses: write(losses), totals: write(totals), faults },
        workgroups: fold(device, "crossEntropy", slabs),
      }),
    );
    if (reduced) parts.push({ losses, totals });
    else totals.dispose();
  });
  if (each) return { loss: each, total: undefined };
  const [losses, totals] = [parts.map((p) => p.losses), parts.map((p) => p.totals)].map((list) => joined(list, 0));
  const sum = reduceSum(losses, [0], false);
  losses.dispose();
  if (settings.reduction === "sum") {
    totals.dispose();
    return { loss: sum, total: undefined };
  }
  const total = reduceSum(totals, [0], false);
  totals.dispose();
  const loss = binary("div", sum, total);
  sum.dispose();
  return { loss, total };
}

/** Gradient of the logits. */
export function crossEntropyGradient(
  input: Tensor,
  target: Tensor,
  weight: Tensor | undefined,
  dy: Tensor,
  total: Tensor | undefined,
  g: CrossEntropyGeometry,
  settings: CrossEntropySettings,
): Tensor {
  const dx = input.device.empty(input.shape);
  if (dx.size === 0) return dx;
  const { reduction } = settings;
  const bindings = [read(input), read(target), write(dx), ...(reduction === "none" ? [read(dy)] : [])];
  eachPart("crossEntropyLoss", along(g), bindings, ([x, t, to, from = dy], part) => {
    input.device.run(
      gradientShader({
        ...variant(t, weight, g, reductions[reduction], reduction),
        params: words(g, settings, part, 0, 0),
        bind: { logits: x, labels: t, weight: weight ?? x, dy: from, total: total ?? from, dx: write(to) },
        workgroups: grid(input.device, "crossEntropy", part.samples * part.length, 64),
      }),
    );
  });
  return dx;
}
