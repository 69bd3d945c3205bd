/** @file Cross-entropy of logits, fused: one pass for the loss and one for its gradient. */

import { ConfigError, DTypeError, ShapeError } from "../host/errors.ts";
import { sizeOf } from "../host/array.ts";
import { read, write } from "../tensor/kernel.ts";
import { sameShape, type Shape, showShape } from "../host/shape.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { expectTensors } from "./lib/args.ts";
import { binary } from "./pointwise.ts";
import { fold, grid, lanes, program } from "./lib/program.ts";
import { reduceSum } from "./reduce.ts";
import type { ShaderName } from "./shaders.gen.ts";

export interface CrossEntropyGeometry {
  readonly classes: number;
  /** Elements of a channel. */
  readonly inner: number;
  /** Losses before reduction. */
  readonly positions: number;
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
  return { classes, inner: sizeOf(input.slice(2)), positions: sizeOf(shape), shape, probabilities };
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
  if (!Number.isInteger(ignoreIndex))
    throw new ConfigError(`crossEntropyLoss: ignoreIndex must be a whole number, got ${ignoreIndex}`);
  if (!(labelSmoothing >= 0 && labelSmoothing <= 1)) {
    throw new ConfigError(`crossEntropyLoss: labelSmoothing must be in [0, 1], got ${labelSmoothing}`);
  }
}

const reductions = { none: 0, sum: 1, mean: 2 } as const;

interface Variant {
  readonly consts?: Readonly<Record<string, number>>;
  readonly reduced: number;
  readonly name: string;
}

function variant(shader: ShaderName, target: Tensor, weight: Tensor | undefined, g: CrossEntropyGeometry, v: Variant) {
  const kind = g.probabilities ? "probabilities" : target.dtype === "f32" ? "float" : "index";
  return program(shader, {
    libs: ["lib/grid", ...(v.consts ? (["lib/tree"] as const) : []), "lib/cross_entropy"],
    consts: v.consts,
    overrides: { TARGET: { index: 0, float: 1, probabilities: 2 }[kind], WEIGHTED: weight ? 1 : 0, REDUCED: v.reduced },
    variant: `${kind} ${v.name}${weight ? " weighted" : ""}`,
  });
}

const words = (g: CrossEntropyGeometry, s: CrossEntropySettings, chunk: number) => [
  g.classes,
  g.inner,
  g.positions,
  { f32: s.labelSmoothing },
  s.ignoreIndex,
  chunk,
];

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
  const chunk = 16 * width;
  const chunks = Math.max(1, Math.ceil(g.positions / chunk));
  const losses = device.empty(reduced ? [chunks] : g.shape);
  const totals = device.empty([reduced ? chunks : 1]);
  device.run({
    program: variant("cross_entropy/forward", target, weight, g, {
      consts: { LANES: width },
      reduced: reduced ? 1 : 0,
      name: reduced ? "reduced" : "none",
    }),
    bindings: [read(input), read(target), read(weight ?? input), write(losses), write(totals)],
    params: words(g, settings, chunk),
    workgroups: fold(device, "crossEntropy", chunks),
  });
  if (!reduced) {
    totals.dispose();
    return { loss: losses, total: undefined };
  }
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
  input.device.run({
    program: variant("cross_entropy/gradient", target, weight, g, { reduced: reductions[reduction], name: reduction }),
    bindings: [read(input), read(target), read(weight ?? input), read(dy), read(total ?? dy), write(dx)],
    params: words(g, settings, 0),
    workgroups: grid(input.device, "crossEntropy", g.positions, 64),
  });
  return dx;
}
