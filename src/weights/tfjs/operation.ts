/** @file What a layer of a TensorFlow.js model is here, in a channels-first engine. */

import type { WeightTensor } from "../elements.ts";

/** An activation by MONAI's name with PyTorch's options. */
export type TfjsActivation = readonly [name: string, options: Readonly<Record<string, number>>];

/** Options in the words of PyTorch. */
export interface TfjsConvOptions {
  /** Number of spatial axes. */
  readonly spatialDims: 1 | 2 | 3;
  /** Channels of the input. */
  readonly inChannels: number;
  /** Channels of the output. */
  readonly outChannels: number;
  /** Elements of the kernel along each spatial axis. */
  readonly kernelSize: readonly number[];
  /** Step along each spatial axis. */
  readonly stride: readonly number[];
  /** Whether there is one. */
  readonly bias: boolean;
}

/**
 * A layer's work; `tensors` are its weights by PyTorch's names: weight, bias, running_mean, running_var. `options` are those of the layer here: `dilation`,
 * `groups`, `padding`, `outputPadding`, `inFeatures`, `outFeatures`, `channels`, `eps`, `momentum`, `kernelSize` in elements and `stride`. Others say it
 * themselves: the function `act`, the `rate` of a dropout and whether whole `channels` drop, which kind a pool or merge is `of`, whether a global pool
 * keeps its axes (`keepDims`), `factor` and `mode` of upsampling, the `ends` of each axis that are padded or cropped, the `axis` along which layers meet
 * and whether the model has channels first (`channelsFirst`), `factor` and `offset` of x · factor + offset, and the `shape` that elements take.
 */
export type TfjsOperation =
  | {
      readonly kind: "conv";
      readonly tensors: ReadonlyMap<string, WeightTensor>;
      /** "same" keeps the size divided by the stride, rounded up, and pads the end more where the padding is odd. */
      readonly options: TfjsConvOptions & {
        readonly dilation: readonly number[];
        readonly groups: number;
        readonly padding: "same" | 0;
      };
    }
  | {
      readonly kind: "convTranspose";
      readonly tensors: ReadonlyMap<string, WeightTensor>;
      readonly options: TfjsConvOptions & {
        readonly padding: readonly (readonly [before: number, after: number])[];
        readonly outputPadding: readonly number[];
      };
    }
  | {
      /** Over the channels of what has any number of spatial axes. */
      readonly kind: "dense";
      readonly tensors: ReadonlyMap<string, WeightTensor>;
      readonly options: { readonly inFeatures: number; readonly outFeatures: number; readonly bias: boolean };
    }
  | {
      readonly kind: "batchNorm";
      readonly tensors: ReadonlyMap<string, WeightTensor>;
      readonly options: { readonly channels: number; readonly eps: number; readonly momentum: number };
    }
  | { readonly kind: "prelu"; readonly tensors: ReadonlyMap<string, WeightTensor>; readonly channels: number }
  | { readonly kind: "activation"; readonly act: TfjsActivation }
  | { readonly kind: "dropout"; readonly rate: number; readonly channels: boolean }
  | {
      readonly kind: "pool";
      readonly of: "max" | "average";
      readonly options: {
        readonly kernelSize: readonly number[];
        readonly stride: readonly number[];
        readonly padding: "same" | 0;
      };
    }
  | { readonly kind: "globalPool"; readonly of: "max" | "average"; readonly keepDims: boolean }
  | { readonly kind: "upsample"; readonly factor: readonly number[]; readonly mode: "nearest" | "linear" }
  | { readonly kind: "pad" | "crop"; readonly ends: readonly (readonly [before: number, after: number])[] }
  /** Along an axis of the model, whose last one is that of the channels unless `channelsFirst`. */
  | { readonly kind: "concat"; readonly axis: number; readonly channelsFirst: boolean }
  | { readonly kind: "merge"; readonly of: "add" | "subtract" | "multiply" | "average" | "maximum" | "minimum" }
  | { readonly kind: "affine"; readonly factor: number; readonly offset: number }
  /** The elements in the order they have in the model, under another shape of which one size may be −1. */
  | { readonly kind: "reshape"; readonly shape: readonly number[] };
