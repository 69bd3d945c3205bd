/** @file The training samples of the recipe "nnunet": patches of random cases, the last of each batch with a class in it; nnU-Net's data loader. */

import type { Dataset } from "../../../data/datasets/dataset.ts";
import { cropAndPad, drawPatchStart, patchGeometry } from "../../../data/nnunet/patches.ts";
import { withoutLabelMasks } from "../../../data/nnunet/previous_stage.ts";
import { roughened } from "../../../data/nnunet/roughen.ts";
import { type AugmentationOptions, DrawAugmentation, type Item } from "../../../data/transforms/index.ts";
import type { HostArray } from "../../../host/array.ts";
import { roundHalfEven } from "../../../host/rounding.ts";
import type { RandomSource } from "../../../host/random/numpy.ts";
import type { Tensor } from "../../../tensor/tensor.ts";
import { affine, eq, mul } from "../../../autograd/pointwise.ts";
import { concat } from "../../../autograd/view.ts";
import { masksOf } from "../../nnunet/cascade.ts";
import { augmentBatch } from "../../training/augmentation.ts";
import type { BatchTensors } from "../../training/trainer.ts";
import type { Context, PreparedDataset } from "../recipe.ts";
import type { NnunetCase } from "./case.ts";
import type { NnunetRecipeOptions } from "./options.ts";

const never = { prob: 0, range: [0, 0] } as const;
const neverScaled = { prob: 0, range: [1, 1] } as const;
const mirrorOnly = {
  rotation: never,
  scale: neverScaled,
  noise: never,
  blur: never,
  brightness: never,
  contrast: never,
  lowResolution: neverScaled,
  gamma: neverScaled,
  gammaInverted: neverScaled,
} as const satisfies Partial<AugmentationOptions>;

/** Samples of an epoch: `stepsPerEpoch` batches of patches of cases at random. */
export class NnunetSamples implements Dataset {
  readonly length: number;
  private readonly cases: PreparedDataset;
  private readonly batchSize: number;
  private readonly oversample: number;
  /** Three sizes; those of images and slices begin with 1. */
  private readonly cut: readonly number[];
  private readonly seen: readonly number[];
  private readonly flat: boolean;
  private readonly draws: DrawAugmentation | undefined;
  private readonly masks: number;
  private readonly rough: boolean;

  constructor(cases: PreparedDataset, { config, labels }: Context<NnunetRecipeOptions>) {
    const { batchSize, stepsPerEpoch, oversample } = config;
    const patch = config.trained.patch_size;
    this.cases = cases;
    this.length = stepsPerEpoch * batchSize;
    this.batchSize = batchSize;
    this.oversample = oversample;
    this.flat = patch.length === 2;
    const three = (size: readonly number[]): number[] => [...(this.flat ? [1] : []), ...size];
    this.seen = three(patch);
    this.cut = three(cutOf(config));
    this.draws = drawsOf(config);
    this.masks = masksOf(config.trained, labels).length;
    this.rough = config.augment === "nnunet" || config.augment === "unmirrored";
  }

  async get(index: number, random: RandomSource): Promise<Item> {
    const source = (await this.cases.get(random.randint(this.cases.length), random)) as NnunetCase;
    const forced = index % this.batchSize >= roundHalfEven(this.batchSize * (1 - this.oversample));
    const shape = source.image.shape.slice(1);
    // Where not all voxels are labeled, the others are never what a patch is about.
    const found = forced && source.classes.some((list) => list.length > 0);
    const foreground = found ? source.classes : source.labeled && [source.labeled];
    const start = drawPatchStart({ shape, patchSize: this.cut, finalPatchSize: this.seen, foreground }, random);
    const part = (x: HostArray): HostArray => {
      const box = cropAndPad(x, start, this.cut, 0);
      return this.flat ? { data: box.data, shape: [box.shape[0], ...this.cut.slice(1)] } : box;
    };
    const item: Item = {
      ...this.seenOf(part(source.image) as HostArray<Float32Array>, random),
      label: part(source.label!),
      ...(source.outside && { inside: part(inverse(source.outside)) }),
    };
    if (!this.draws) return item;
    this.draws.setRandomState(random);
    return this.draws.apply(item);
  }

  /** The image, and beside it, if it is to be moved as labels are, what a first stage found. */
  private seenOf(image: HostArray<Float32Array>, random: RandomSource): Item {
    if (this.masks === 0 || !this.draws) return { image };
    const { image: rest, previous } = withoutLabelMasks(image, this.masks);
    return { image: rest, previous: this.rough ? roughened(previous, this.masks, random) : previous };
  }
}

/** What is inside of the body: beyond the borders of a case, and of a sample that is turned, masks are 0. */
function inverse({ data, shape }: HostArray<Uint8Array>): HostArray<Uint8Array> {
  const out = new Uint8Array(data.length);
  for (let i = 0; i < out.length; i++) out[i] = 1 - data[i];
  return { data: out, shape };
}

/** What augmentation depends on. */
export type Augmented = Pick<NnunetRecipeOptions, "augment" | "trained">;

/** What is cut for a patch: more than it where it is turned and scaled. */
export const cutOf = ({ augment, trained }: Augmented): readonly number[] =>
  augment === "none" || augment === "mirror" ? trained.patch_size : patchGeometry(trained.patch_size).initialPatchSize;

/** Axes along which images are mirrored when they are predicted: those of training. */
export const mirrorAxesOf = ({ augment, trained }: Augmented): readonly number[] =>
  augment === "unmirrored" ? [] : patchGeometry(trained.patch_size).mirrorAxes;

/** What draws the changes of a sample; undefined for none. */
export function drawsOf(config: Augmented): DrawAugmentation | undefined {
  const { augment, trained } = config;
  if (augment === "none") return undefined;
  const size = trained.patch_size;
  const { rotation, dummy2d } = patchGeometry(size);
  const mirrorAxes = mirrorAxesOf(config);
  return new DrawAugmentation(
    augment === "mirror"
      ? { size, mirrorAxes, ...mirrorOnly }
      : { size, mirrorAxes, rotation: { prob: 0.2, range: rotation }, ...(dummy2d && { stillAxis: 0 }) },
  );
}

/**
 * Changes a batch as was drawn; what lies outside of the body is 0 again, where the data are normalized within it. What a first stage found follows the image
 * as a mask of each of its labels.
 */
export function augmentSamples(batch: BatchTensors, how: Augmented & { readonly masks: number }): BatchTensors {
  const { previous, ...changed } = changedSamples(batch, how) as BatchTensors & { readonly previous?: Tensor };
  if (!previous) return changed as BatchTensors;
  const numbers = Float32Array.from({ length: how.masks }, (_, k) => k + 1);
  const masks = eq(previous, byChannel(previous, numbers));
  return { ...changed, image: concat([changed.image, masks], 1) } as BatchTensors;
}

/** A value per channel, to go with tensors such as `like`. */
const byChannel = ({ device, rank }: Tensor, data: Float32Array): Tensor =>
  device.tensor({ data, shape: [1, data.length, ...Array.from({ length: rank - 2 }, () => 1)] });

function changedSamples(batch: BatchTensors, config: Augmented): BatchTensors {
  const { inside: _, ...rest } = batch as BatchTensors & { readonly inside?: Tensor };
  if (config.augment === "none") return rest as BatchTensors;
  const { patch_size: size, use_mask_for_norm: masked } = config.trained;
  const lowResolutionAxes = patchGeometry(size).dummy2d ? { lowResolutionAxes: [1, 2] } : {};
  const { inside, ...changed } = augmentBatch(batch, {
    size,
    labels: ["label", "inside", "previous"],
    ...lowResolutionAxes,
  }) as BatchTensors & { readonly inside?: Tensor };
  if (!inside) return changed as BatchTensors;
  const which = byChannel(
    changed.image,
    Float32Array.from(masked, (m) => (m ? 1 : 0)),
  );
  // Of a channel that counts everywhere the factor is 1.
  return { ...changed, image: mul(changed.image, affine(mul(affine(inside, -1, 1), which), -1, 1)) } as BatchTensors;
}
