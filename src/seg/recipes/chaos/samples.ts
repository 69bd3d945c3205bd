/** @file Training samples of the recipe "organs of the abdomen": slices of volumes, in another order each epoch, flipped, turned, scaled and made brighter. */

import type { Dataset, ItemTransform } from "../../../data/datasets/dataset.ts";
import { PatchDataset } from "../../../data/datasets/patch_dataset.ts";
import { ShuffleBuffer } from "../../../data/datasets/shuffle_buffer.ts";
import {
  chaosAugmentation,
  type Item,
  onKeys,
  RandomBrightnessContrast,
  RandSpatialCrop,
  SpatialPad,
} from "../../../data/transforms/index.ts";
import type { HostArray } from "../../../host/array.ts";
import type { RandomSource } from "../../../host/random/numpy.ts";
import { copyView } from "../../../host/strided.ts";
import type { Context, PreparedCase } from "../recipe.ts";
import type { ChaosOptions } from "./options.ts";

const keys = ["image", "label"] as const;

/** Slice `k` along a spatial axis, `[C, a, b]`. */
function sliceAt({ data, shape }: HostArray, axis: number, k: number): HostArray {
  const strides = [shape[1] * shape[2] * shape[3], shape[2] * shape[3], shape[3], 1];
  const without = (list: readonly number[]) => list.toSpliced(axis + 1, 1);
  return copyView(data, without(shape), without(strides), k * strides[axis + 1]);
}

/** Slices of a label map `[C, x, y, z]` in which something is labeled. */
function labeled({ data, shape }: HostArray, axis: number): number[] {
  const inner = shape.slice(axis + 2).reduce((n, s) => n * s, 1);
  const depth = shape[axis + 1];
  const found = new Uint8Array(depth);
  for (let i = 0; i < data.length; i++) if (data[i] > 0) found[Math.floor(i / inner) % depth] = 1;
  return [...found.keys()].filter((k) => found[k] === 1);
}

/** So many of some slices at random, none twice before all were taken. */
function drawn(slices: readonly number[], count: number, random: RandomSource): number[] {
  const out: number[] = [];
  while (out.length < count) out.push(...random.permutation(slices).slice(0, count - out.length));
  return out;
}

/** Slices of a volume as items. */
function takeSlices({ samplesPerVolume, sliceAxis, slices }: ChaosOptions): (item: Item, random: RandomSource) => Item[] {
  return (item, random) => {
    const { image, label } = item as { image: HostArray; label: HostArray };
    const all = Array.from({ length: image.shape[sliceAxis + 1] }, (_, k) => k);
    const some = slices === "all" ? all : labeled(label, sliceAxis);
    // A volume without any label was allowed on purpose.
    return drawn(some.length > 0 ? some : all, samplesPerVolume, random).map((k) => ({
      image: sliceAt(image, sliceAxis, k),
      label: sliceAt(label, sliceAxis, k),
    }));
  };
}

function augmentation({ augment, normalize }: ChaosOptions): ItemTransform[] {
  if (augment === "none") return [];
  const tone = new RandomBrightnessContrast({ prob: 0.5, clip: normalize !== "zscore" });
  return [chaosAugmentation(keys, { labels: ["label"] }), onKeys("image", tone)];
}

export function chaosSamples(cases: Dataset<PreparedCase>, { config }: Context<ChaosOptions>): Dataset {
  const { patchSize, samplesPerVolume, seed } = config;
  const slices = new PatchDataset<Item>(cases, {
    patchFunc: takeSlices(config),
    samplesPerImage: samplesPerVolume,
    transform: [
      onKeys(keys, new SpatialPad({ spatialSize: patchSize })),
      onKeys(keys, new RandSpatialCrop({ roiSize: patchSize, randomSize: false })),
      ...augmentation(config),
    ],
  });
  return new ShuffleBuffer<Item>(slices, { bufferSize: 256, seed });
}
