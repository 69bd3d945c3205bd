/** @file Region sums: overlap, prediction and target per sample and channel, the fused base of Dice, Jaccard and Tversky losses. */

import { expectWord } from "../host/words.ts";
import { ConfigError, DTypeError, ShapeError } from "../host/errors.ts";
import { sizeOf } from "../host/array.ts";
import { read, write } from "../tensor/kernel.ts";
import { sameShape, type Shape, showShape } from "../host/shape.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { expectTensors } from "./lib/args.ts";
import { lanes } from "./lib/occupancy.ts";
import { eachPart } from "./lib/parts.ts";
import { classCheck, ignoring, targetKind } from "./lib/target.ts";
import { fold, grid } from "./lib/workgroups.ts";
import { reduceSum } from "./reduce.ts";
import * as codes from "./shaders/lib/prediction.gen.ts";
import { gradientShader } from "./shaders/region/gradient.gen.ts";
import { BLOCK } from "./shaders/lib/levels.gen.ts";
import { sumsShader } from "./shaders/region/sums.gen.ts";
import { joined, slice } from "./view.ts";

/** Options of `regionSums`. */
export interface RegionOptions {
  /** Applied to the logits on the fly; default "none". */
  readonly activation?: "none" | "sigmoid" | "softmax";
  /** What is summed: see shaders/region/sums.wgsl; default "plain". */
  readonly mode?: "plain" | "squared" | "soft";
  /** The target holds class indices on one channel; default false. */
  readonly indexTarget?: boolean;
  /** `[N, 1, …]` or `[1, 1, …]`: factor of each position. No gradient flows to it. */
  readonly mask?: Tensor;
  /** Class index whose positions count for nothing. */
  readonly ignoreIndex?: number | undefined;
  /** What an error calls it that is found on the device; default "regionSums". */
  readonly op?: string;
  /** What the mask multiplies: the three terms, or the logits (before the activation) and the targets; default "terms". */
  readonly maskOf?: "terms" | "inputs";
}

export interface RegionGeometry {
  readonly samples: number;
  readonly channels: number;
  readonly inner: number;
}

/** Logits `[N, C, …]` with a target of the same shape, or `[N, 1, …]` class indices. Throws `ShapeError`. */
export function regionShape(logits: Shape, target: Shape, indexTarget: boolean, mask?: Shape): RegionGeometry {
  if (logits.length < 2) throw new ShapeError(`regionSums: input must be [N, C, spatial…], got ${showShape(logits)}`);
  const expected = indexTarget ? logits.with(1, 1) : logits;
  if (!sameShape(target, expected)) {
    throw new ShapeError(
      `regionSums: target ${showShape(target)} does not fit the input ${showShape(logits)}; expected ${showShape(expected)}` +
        (indexTarget ? " (class indices)" : ""),
    );
  }
  const one = logits.with(1, 1);
  if (mask && !sameShape(mask, one) && !sameShape(mask, one.with(0, 1))) {
    throw new ShapeError(
      `regionSums: mask ${showShape(mask)} must be ${showShape(one)}, or ${showShape(one.with(0, 1))} for all samples`,
    );
  }
  return { samples: logits[0], channels: logits[1], inner: sizeOf(logits.slice(2)) };
}

/** Throws `DTypeError`, `ConfigError`. */
function expectRegion(logits: Tensor, target: Tensor, options: RegionOptions): void {
  const { activation = "none", mode = "plain", indexTarget = false, mask, maskOf = "terms" } = options;
  expectTensors("regionSums", { input: logits, ...(mask ? { mask } : {}) });
  if (!indexTarget) expectTensors("regionSums", { input: logits, target });
  expectTensors("regionSums", { target }, target.dtype);
  if (target.device !== logits.device) throw new ConfigError("regionSums: target is on another device than the input");
  expectWord("regionSums", "activation", activation, activations);
  expectWord("regionSums", "mode", mode, modes);
  expectWord("regionSums", "maskOf", maskOf, ["terms", "inputs"]);
  if (target.dtype === "f16") throw new DTypeError("regionSums: target has type f16, expected f32, i32 or u32 class indices");
}

const activations = { none: codes.NONE, sigmoid: codes.SIGMOID, softmax: codes.SOFTMAX } as const;
const modes = { plain: codes.PLAIN, squared: codes.SQUARED, soft: codes.SOFT } as const;

function variant(target: Tensor, { channels }: RegionGeometry, options: RegionOptions) {
  const { activation = "none", mode = "plain", indexTarget, mask, maskOf = "terms" } = options;
  const { TARGET, name } = targetKind(target, !indexTarget);
  return {
    overrides: {
      ACTIVATION: activations[activation],
      MODE: modes[mode],
      TARGET,
      MASK: !mask ? codes.UNMASKED : maskOf === "inputs" ? codes.OF_INPUTS : codes.OF_TERMS,
      BLOCKED: channels > BLOCK ? 1 : 0,
    },
    variant: `${activation} ${mode} ${name}${mask ? ` masked ${maskOf}` : ""}${channels > BLOCK ? " blocked" : ""}`,
  };
}

const words = ({ samples, channels, inner }: RegionGeometry, slabs: number, { mask, ignoreIndex }: RegionOptions, fault = 0) => ({
  ...ignoring("regionSums", ignoreIndex),
  fault,
  samples,
  channels,
  inner,
  slabs,
  mask_step: mask && mask.shape[0] > 1 ? inner : 0,
});

/** `[3, N, C]`: sums over positions of overlap, prediction and target. */
export function regionSums(logits: Tensor, target: Tensor, g: RegionGeometry, options: RegionOptions): Tensor {
  expectRegion(logits, target, options);
  // Slabs of each part's samples; parts of one sample add up.
  const slabs: { readonly sample: number; readonly of: Tensor[] }[] = [];
  const given = [logits, target, ...(options.mask ? [options.mask] : [])].map(read);
  eachPart("regionSums", along(g), given, ([x, t, mask], { sample, samples, length }) => {
    const own = partialSums(x, t, { ...g, samples, inner: length }, { ...options, mask });
    const last = slabs.at(-1);
    if (last?.sample === sample) last.of.push(own);
    else slabs.push({ sample, of: [own] });
  });
  return joined(
    slabs.map(({ of }) => added(joined(of, 0))),
    1,
  );
}

const along = ({ samples, inner }: RegionGeometry) => ({ samples, length: inner });

function added(slabs: Tensor): Tensor {
  const total = slabs.shape[0] === 1 ? slabs.view(slabs.shape.slice(1)) : reduceSum(slabs, [0], false);
  slabs.dispose();
  return total;
}

// `[slabs, 3, N, C]`
function partialSums(logits: Tensor, target: Tensor, g: RegionGeometry, options: RegionOptions): Tensor {
  const { device } = logits;
  const width = lanes(device);
  const slabs = Math.max(1, Math.ceil(g.inner / (16 * width)));
  const APART = device.software ? 1 : 0;
  const rows = APART === 1 ? slabs * width : slabs;
  const partial = device.empty([rows, 3, g.samples, g.channels]);
  if (partial.size > 0) {
    const given = variant(target, g, options);
    const { fault, faults } = classCheck(device, options.op ?? "regionSums", g.channels, options.ignoreIndex);
    device.run(
      sumsShader({
        ...given,
        overrides: { ...given.overrides, APART },
        consts: { LANES: width },
        params: words(g, slabs, options, fault),
        bind: { logits, labels: target, mask: options.mask ?? logits, partial: write(partial), faults },
        workgroups: fold(device, "regionSums", slabs * g.samples),
      }),
    );
  }
  return partial;
}

export function regionGradient(logits: Tensor, target: Tensor, dSums: Tensor, g: RegionGeometry, options: RegionOptions): Tensor {
  const dx = logits.device.empty(logits.shape);
  if (dx.size === 0) return dx;
  const bindings = [read(logits), read(target), write(dx), ...(options.mask ? [read(options.mask)] : [])];
  eachPart("regionSums", along(g), bindings, ([x, t, to, mask], { sample, samples, length }) => {
    const part = { ...options, mask };
    const dy = samples === g.samples ? dSums : samplesOf(dSums, sample, samples);
    logits.device.run(
      gradientShader({
        ...variant(t, g, part),
        params: words({ ...g, samples, inner: length }, 0, part),
        bind: { logits: x, labels: t, mask: mask ?? x, d_sums: dy, dx: write(to) },
        workgroups: grid(logits.device, "regionSums", samples * length, 64),
      }),
    );
    if (dy !== dSums) dy.dispose();
  });
  return dx;
}

const samplesOf = (sums: Tensor, start: number, count: number): Tensor =>
  slice(
    sums,
    sums.shape.map((size, axis) => (axis === 1 ? { start, count, step: 1 } : { start: 0, count: size, step: 1 })),
  );
