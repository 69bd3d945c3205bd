/** @file TorchIO's `Queue`: random patches of many volumes, mixed. */

import { refused } from "../../host/kinds.ts";
import { expectOptions } from "../../host/options.ts";
import type { DataSource } from "../datasets/dataset.ts";
import { PatchDataset } from "../datasets/patch_dataset.ts";
import { ShuffleBuffer } from "../datasets/shuffle_buffer.ts";
import type { Item } from "../transforms/transform.ts";
import type { RandomSampler } from "./random_samplers.ts";

/** How a queue is filled. */
export interface QueueOptions {
  /** Patches held at once. */
  readonly maxLength: number;
  /** Patches of each volume. */
  readonly samplesPerVolume: number;
  /** Cuts the patches of a volume. */
  readonly sampler: Pick<RandomSampler, "patches">;
  /** Mix the patches of several volumes; default true. With false the queue gives them volume by volume. */
  readonly shufflePatches?: boolean;
  /** Default 0. */
  readonly seed?: number;
}

/**
 * A dataset of random patches: `samplesPerVolume` of each volume, mixed with those of others. Here it is a shuffle buffer behind patches, which mixes
 * evenly all the time, where TorchIO's is emptied before it is filled again; the loader's `shuffle` mixes the volumes, its workers load them.
 */
export class Queue extends ShuffleBuffer<Item> {
  constructor(volumes: DataSource, options: QueueOptions) {
    expectOptions("Queue", options, "maxLength samplesPerVolume sampler shufflePatches:boolean seed:number");
    const { maxLength, samplesPerVolume, sampler, shufflePatches = true, seed = 0 } = options;
    if (typeof sampler?.patches !== "function") refused("Queue", "sampler", "a sampler such as new UniformSampler(64)", sampler);
    const patches = new PatchDataset<Item>(volumes, {
      samplesPerImage: samplesPerVolume,
      patchFunc: (item, random) => sampler.patches(item, samplesPerVolume, random),
    });
    super(patches, { bufferSize: shufflePatches ? maxLength : 1, seed });
  }
}
