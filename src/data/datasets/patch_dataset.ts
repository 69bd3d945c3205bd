/** @file PatchDataset: the patches of each image as one stream. */

import { expectArguments } from "../../host/kinds.ts";
import { expectOptions } from "../../host/options.ts";
import { ConfigError } from "../../host/errors.ts";
import { expectIntegers } from "../../host/integers.ts";
import type { RandomSource } from "../../host/random/numpy.ts";
import type { Item } from "../transforms/transform.ts";
import {
  applyTransforms,
  asList,
  type Dataset,
  unmixed,
  type DataSource,
  type ItemTransform,
  type Link,
  linksOf,
  type StreamPlan,
  type TransformList,
} from "./dataset.ts";

/** How images become patches. */
export interface PatchOptions<T> {
  /** Takes an image to its patches, e.g. onKeys(…, new RandSpatialCropSamples(…)). */
  readonly patchFunc: ItemTransform<T>;
  /** How many patches `patchFunc` gives; default 1. */
  readonly samplesPerImage?: number;
  /** Applied to each patch. */
  readonly transform?: TransformList<T>;
}

/**
 * The patches that `patchFunc` takes from each image, as one stream, image by image. MONAI's `PatchDataset`.
 * @throws ConfigError from `get` when the source gives a list, or `patchFunc` another number of patches than `samplesPerImage`
 */
export class PatchDataset<T = Item> implements Dataset<T> {
  readonly stream: StreamPlan = {};
  readonly samplesPerItem: number;
  private readonly source: Dataset<T>;
  private readonly patchFunc: ItemTransform<T>;
  private readonly transforms: readonly Link<T>[];

  constructor(data: DataSource<T>, options: PatchOptions<T>) {
    expectOptions("PatchDataset", options, "patchFunc samplesPerImage:number transform");
    const { patchFunc, samplesPerImage = 1, transform = [] } = options;
    expectIntegers("PatchDataset", { samplesPerImage }, 1);
    this.source = unmixed("PatchDataset", data);
    expectArguments("PatchDataset", "transform", { patchFunc });
    this.patchFunc = patchFunc;
    this.samplesPerItem = samplesPerImage;
    this.transforms = linksOf("PatchDataset", transform);
  }

  get length(): number {
    return this.source.length;
  }
  get movesBy(): number | undefined {
    return this.source.movesBy;
  }

  nameOf(index: number, epoch?: number): string | undefined {
    return this.source.nameOf?.(index, epoch);
  }
  async get(index: number, random: RandomSource, epoch?: number): Promise<T[]> {
    const image = await this.source.get(index, random, epoch);
    if (Array.isArray(image))
      throw new ConfigError(
        `PatchDataset: image ${index} is a list of ${image.length}; apply multi-sample transforms as patchFunc, not before it`,
      );
    const patches = asList(await applyTransforms([{ transform: this.patchFunc, reuse: false }], image, random));
    if (patches.length !== this.samplesPerItem) {
      throw new ConfigError(
        `PatchDataset: patchFunc gave ${patches.length} patches for image ${index}; samplesPerImage says ${this.samplesPerItem}`,
      );
    }
    return asList(await applyTransforms(this.transforms, patches, random));
  }
}
