/**
 * @file Datasets: what a loader draws from. A dataset is array-like, `length` and `get(i, random)`; everything random about item i
 * comes from the source it is handed, which is derived from (seed, epoch, i) alone. So an epoch holds the same samples however
 * many workers compute it and in whatever order, and any epoch can be made again. Patch datasets give a list per image and say
 * in `stream` that the patches form one stream; shuffling that stream is a plan that the loader carries out after its workers,
 * hence sharding happens once, over images, and never inside a dataset.
 */

import { ConfigError } from "../../host/errors.ts";
import { type RandomSource, RandomState } from "../../host/random/numpy.ts";
import { Compose } from "../transforms/compose.ts";
import { isRandomizable, type Item, type Transform } from "../transforms/transform.ts";

/** A dataset of items T. */
export interface Dataset<T = Item> {
  /** Number of units that `get` takes; for patch datasets the images, not the patches. */
  readonly length: number;
  /** Item `index`, or several from a multi-sample transform; the same (index, state of `random`) gives the same values. */
  get(index: number, random: RandomSource): T | T[] | Promise<T | T[]>;
  /** Present if samples are counted one by one across units, as patches are; absent if a batch is made of whole units. */
  readonly stream?: StreamPlan | undefined;
  /** Samples that every unit gives, where that is known beforehand. */
  readonly samplesPerItem?: number | undefined;
}

/** How the samples of successive units become a stream. */
export interface StreamPlan {
  readonly shuffle?: { readonly bufferSize: number; readonly seed: number };
  /** Passes over the data that make one epoch; default 1. */
  readonly epochs?: number;
}

/** A transform object, or a function of an item and its source of randomness; neither may change the item. */
export type ItemTransform<T = Item> = Transform<T> | ((item: T, random: RandomSource) => T | T[]);

/** A dataset, or a plain array of items. */
export type DataSource<T = Item> = Dataset<T> | readonly T[];

/** The randomness of one item in one epoch. */
export function itemRandom(seed: number, epoch: number, index: number): RandomSource {
  return new RandomState([seed, epoch, index]);
}

/** Applies transforms in order; what follows a multi-sample transform is applied to each sample. */
export function applyTransforms<T>(transforms: readonly ItemTransform<T>[], item: T | T[], random: RandomSource): T | T[] {
  let value = item;
  for (const transform of transforms) {
    const one = (x: T) => {
      if (typeof transform === "function") return transform(x, random);
      if (isRandomizable(transform)) transform.setRandomState(random);
      return transform.apply(x);
    };
    value = Array.isArray(value) ? (value as T[]).flatMap(one) : one(value);
  }
  return value;
}

/**
 * A source with a transform, computed on each access. MONAI's `Dataset`.
 *
 * `get` throws what the source and its transforms throw; a multi-sample transform makes it give a list.
 */
export class MapDataset<T = Item> implements Dataset<T> {
  private readonly source: Dataset<T>;
  private readonly transforms: readonly ItemTransform<T>[];

  constructor(data: DataSource<T>, transform: TransformList<T> = []) {
    this.source = datasetOf(data);
    this.transforms = listOf(transform);
  }

  get length(): number {
    return this.source.length;
  }
  get stream(): StreamPlan | undefined {
    return this.source.stream;
  }

  async get(index: number, random: RandomSource): Promise<T | T[]> {
    return applyTransforms(this.transforms, await this.source.get(index, random), random);
  }
}

/** How much a cache keeps. */
export interface CacheOptions {
  /** At most so many items are kept; default all. */
  readonly cacheNum?: number;
  /** At most this part of the items is kept; default 1. */
  readonly cacheRate?: number;
}

/**
 * Keeps items in memory as they are after the transforms before the first random one; only the rest runs on each access. A plain
 * function counts as random, as in MONAI: wrap it in an object with `apply` if it is not. The cache fills on first access. Each
 * worker of a loader keeps only the items it serves. Transforms never change their input, so no copy is made.
 */
export class CacheDataset<T = Item> implements Dataset<T> {
  /** Items 0 … cached − 1 are kept. */
  readonly cached: number;
  private readonly source: Dataset<T>;
  private readonly before: readonly ItemTransform<T>[];
  private readonly after: readonly ItemTransform<T>[];
  private readonly kept = new Map<number, Promise<T | T[]>>();

  constructor(data: DataSource<T>, transform: TransformList<T> = [], { cacheNum = Infinity, cacheRate = 1 }: CacheOptions = {}) {
    if (!(cacheRate >= 0 && cacheRate <= 1)) throw new ConfigError(`CacheDataset: cacheRate is ${cacheRate}; expected 0 to 1`);
    if (!(cacheNum >= 0)) throw new ConfigError(`CacheDataset: cacheNum is ${cacheNum}; expected 0 or more`);
    this.source = datasetOf(data);
    this.cached = Math.min(cacheNum, Math.floor(this.source.length * cacheRate), this.source.length);
    const transforms = listOf(transform);
    const first = firstRandom(transforms);
    this.before = transforms.slice(0, first);
    this.after = transforms.slice(first);
  }

  get length(): number {
    return this.source.length;
  }
  get stream(): StreamPlan | undefined {
    return this.source.stream;
  }

  async get(index: number, random: RandomSource): Promise<T | T[]> {
    return applyTransforms(this.after, await this.fixed(index), random);
  }

  private async fixed(index: number): Promise<T | T[]> {
    const known = this.kept.get(index);
    if (known) return known;
    // Should the source be random after all, its draws must not depend on the epoch in which the cache was filled.
    const random = itemRandom(0, 0, index);
    const item = (async () => applyTransforms(this.before, await this.source.get(index, random), random))();
    if (index < this.cached) {
      this.kept.set(index, item);
      // A failed load must fail again, not be remembered.
      item.catch(() => this.kept.delete(index));
    }
    return item;
  }
}

/** Index of the first transform that is not known to be deterministic; their number if all are. */
export function firstRandom<T>(transforms: readonly ItemTransform<T>[]): number {
  const at = transforms.findIndex((t) => typeof t === "function" || isRandomizable(t));
  return at < 0 ? transforms.length : at;
}

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
  private readonly transforms: readonly ItemTransform<T>[];

  constructor(data: DataSource<T>, { patchFunc, samplesPerImage = 1, transform = [] }: PatchOptions<T>) {
    if (!Number.isInteger(samplesPerImage) || samplesPerImage < 1) {
      throw new ConfigError(`PatchDataset: samplesPerImage is ${samplesPerImage}; expected an integer of 1 or more`);
    }
    this.source = datasetOf(data);
    this.patchFunc = patchFunc;
    this.samplesPerItem = samplesPerImage;
    this.transforms = listOf(transform);
  }

  get length(): number {
    return this.source.length;
  }

  async get(index: number, random: RandomSource): Promise<T[]> {
    const image = await this.source.get(index, random);
    if (Array.isArray(image))
      throw new ConfigError(
        `PatchDataset: image ${index} is a list of ${image.length}; apply multi-sample transforms as patchFunc, not before it`,
      );
    const patches = asList(applyTransforms([this.patchFunc], image, random));
    if (patches.length !== this.samplesPerItem) {
      throw new ConfigError(
        `PatchDataset: patchFunc gave ${patches.length} patches for image ${index}; samplesPerImage says ${this.samplesPerItem}`,
      );
    }
    return asList(applyTransforms(this.transforms, patches, random));
  }
}

/** How a stream is shuffled. */
export interface ShuffleBufferOptions {
  /** Samples held while shuffling; default 512. */
  readonly bufferSize?: number;
  /** Epoch e (from 0) shuffles with RandomState(seed + 1 + e), as MONAI's e-th iteration does. */
  readonly seed?: number;
  /** Passes over the data per epoch; default 1. */
  readonly epochs?: number;
}

/**
 * A dataset whose samples come as one stream, shuffled through a buffer: once the buffer is full, each new sample replaces a random
 * one, which is given out. In a DataLoader the buffer sits behind the workers and sees every sample once.
 */
export class ShuffleBuffer<T = Item> implements Dataset<T> {
  readonly stream: StreamPlan;
  private readonly source: Dataset<T>;
  private iterations = 0;

  constructor(data: DataSource<T>, { bufferSize = 512, seed = 0, epochs = 1 }: ShuffleBufferOptions = {}) {
    if (!Number.isInteger(bufferSize) || bufferSize < 1)
      throw new ConfigError(`ShuffleBuffer: bufferSize is ${bufferSize}; expected an integer of 1 or more`);
    if (!Number.isInteger(epochs) || epochs < 1) {
      throw new ConfigError(
        `ShuffleBuffer: epochs is ${epochs}; expected an integer of 1 or more; for endless training ask the loader for one epoch after the other`,
      );
    }
    this.source = datasetOf(data);
    if (this.source.stream?.shuffle)
      throw new ConfigError("ShuffleBuffer: the data are a ShuffleBuffer already; use one with a larger bufferSize");
    this.stream = { shuffle: { bufferSize, seed }, epochs };
  }

  get length(): number {
    return this.source.length;
  }
  get samplesPerItem(): number | undefined {
    return this.source.samplesPerItem;
  }
  get(index: number, random: RandomSource): T | T[] | Promise<T | T[]> {
    return this.source.get(index, random);
  }

  /** The samples of the next epoch, in this thread. */
  async *[Symbol.asyncIterator](): AsyncGenerator<T> {
    const epoch = this.iterations++;
    yield* streamSamples(this.stream, epoch, (pass) => this.pass(pass));
  }

  private async *pass(pass: number): AsyncGenerator<T> {
    for (let i = 0; i < this.length; i++) yield* asList(await this.get(i, itemRandom(this.stream.shuffle!.seed, pass, i)));
  }
}

/**
 * The samples of one epoch by a stream plan.
 * @param pass gives the unshuffled samples of pass k, counted over all epochs
 */
export async function* streamSamples<T>(
  plan: StreamPlan,
  epoch: number,
  pass: (k: number) => AsyncIterable<T>,
): AsyncGenerator<T> {
  const passes = plan.epochs ?? 1;
  const random = plan.shuffle && new RandomState(plan.shuffle.seed + 1 + epoch);
  for (let k = epoch * passes; k < (epoch + 1) * passes; k++) {
    if (random) yield* shuffled(pass(k), plan.shuffle!.bufferSize, random);
    else yield* pass(k);
  }
}

async function* shuffled<T>(samples: AsyncIterable<T>, bufferSize: number, random: RandomSource): AsyncGenerator<T> {
  const buffer: T[] = [];
  const pop = () => {
    const i = random.randint(buffer.length);
    const out = buffer[i];
    buffer[i] = buffer[buffer.length - 1];
    buffer.pop();
    return out;
  };
  for await (const sample of samples) {
    if (buffer.length >= bufferSize) yield pop();
    buffer.push(sample);
  }
  while (buffer.length) yield pop();
}

/** One transform, a list of them, or a chain. */
export type TransformList<T> = ItemTransform<T> | readonly ItemTransform<T>[];

/** A plain array as a dataset; a dataset as it is. */
export function datasetOf<T>(data: DataSource<T>): Dataset<T> {
  if (!Array.isArray(data)) return data as Dataset<T>;
  const items = data as readonly T[];
  return { length: items.length, get: (index) => items[index] };
}

/** Single transforms of a list or a chain, so that a cache can cut between them. */
export function listOf<T>(transform: TransformList<T>): readonly ItemTransform<T>[] {
  if (Array.isArray(transform)) return transform as readonly ItemTransform<T>[];
  return transform instanceof Compose ? (transform.transforms as readonly Transform<T>[]) : [transform as ItemTransform<T>];
}

/** The value, or values, as a list. */
export function asList<T>(value: T | T[]): T[] {
  return Array.isArray(value) ? value : [value];
}
