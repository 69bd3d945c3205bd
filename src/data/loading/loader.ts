/// <reference lib="esnext.disposable" preserve="true" />
/**
 * @file DataLoader: batches of an epoch, computed ahead. Workers compute units (images, or all patches of an image); this thread takes
 * them in the epoch's order, shuffles patch streams, and stacks. Unit i always goes to worker i mod n, the one place where work is
 * split, and everything after it happens here: every sample comes exactly once, and batches do not depend on the number of workers.
 */

import { refused } from "../../host/kinds.ts";
import { expectOptions } from "../../host/options.ts";
import { openWorkers } from "#data-workers";
import { ConfigError } from "../../host/errors.ts";
import { expectIntegers } from "../../host/integers.ts";
import { type Batch, type BatchOf, listDataCollate } from "../datasets/collate.ts";
import { datasetOf, type DataSource } from "../datasets/dataset.ts";
import type { Sampler } from "../datasets/samplers.ts";
import { streamSamples } from "../datasets/shuffle_buffer.ts";
import { defaultSeed } from "../../host/random/default_seed.ts";
import { RandomState } from "../../host/random/numpy.ts";
import type { Item } from "../transforms/transform.ts";
import { type DatasetPlan, LocalUnits, type DatasetModule, type UnitSource } from "./unit_source.ts";

/** How items become batches. */
export interface DataLoaderOptions<B = Batch> {
  /** Items per batch (before multi-sample transforms), or patches for patch datasets; default 1. */
  readonly batchSize?: number;
  /** Worker threads, Web Workers in a browser; default 0, in this thread. More than 0 needs a dataset module. */
  readonly numWorkers?: number;
  /** Take the units in a new random order each epoch; default false. */
  readonly shuffle?: boolean;
  /** Chooses the units of each epoch and their order, in place of `shuffle`, such as a `WeightedRandomSampler`. */
  readonly sampler?: Sampler;
  /** Leave out a last batch that is not full; default false. */
  readonly dropLast?: boolean;
  /** Batches that each worker computes ahead, in units for patch datasets of unknown size; default 2. */
  readonly prefetch?: number;
  /** With the epoch and the item's index this fixes every random draw; default 0, or what `setDeterminism` set. */
  readonly seed?: number;
  /**
   * In a browser, makes a worker whose script calls `serveData()`; default the one of this package, which bundlers that know
   * `new Worker(new URL(…))` put beside theirs.
   */
  readonly openWorker?: () => unknown;
  /** Makes a batch of its items; default listDataCollate. */
  readonly collate?: (items: readonly Item[]) => B;
}

/** What a loader gives of items `T`: what `collate` gives, `B`, and where that is a batch it has the keys of the items. */
export type Loaded<B, T> = [B, Batch] extends [Batch, B] ? B & BatchOf<T> : B;

/** Which part of an epoch is wanted. */
export interface EpochOptions {
  /** Batches to leave out at the start, to go on where a run ended. */
  readonly skip?: number;
}

/**
 * Batches of a dataset.
 *
 * `for await (const batch of loader)` gives epoch 0, the next loop epoch 1, and so on; `loader.epoch(e)` gives any epoch, and
 * `loader.epoch(e, { skip })` its rest, equal in every bit. Leaving a loop early stops the work; workers live on for the next epoch
 * until `close()` and never keep the process alive while idle. One that dies is an error that names its item; the next loop starts new ones.
 *
 * `B` is what `collate` gives, `T` the items: their keys are those of a `Batch`. Of a module nobody knows them; say `new DataLoader<Batch<"image">>(…)`.
 */
export class DataLoader<B = Batch, T extends object = Item> {
  private readonly options: Required<Omit<DataLoaderOptions<B>, "sampler" | "openWorker">> &
    Pick<DataLoaderOptions<B>, "sampler" | "openWorker">;
  private readonly source: DataSource | DatasetModule;
  private units: UnitSource | undefined;
  private nextEpoch = 0;

  /**
   * @param source a dataset or an array of items, or a module `{ module, args }` that builds one in any thread
   * @throws ConfigError for options out of range, and for workers without a module
   */
  constructor(source: DataSource<T> | DatasetModule, options: DataLoaderOptions<B> = {}) {
    expectOptions(
      "DataLoader",
      options,
      "batchSize:number numWorkers:number shuffle:boolean dropLast:boolean prefetch:number seed:number collate:function sampler openWorker:function",
    );
    const defaults = {
      batchSize: 1,
      numWorkers: 0,
      shuffle: false,
      dropLast: false,
      prefetch: 2,
      seed: defaultSeed(),
      collate: listDataCollate as unknown as (items: readonly Item[]) => B,
    };
    const given = Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined));
    this.options = { ...defaults, ...given };
    if (typeof source !== "object" || source === null || !("module" in source)) datasetOf("DataLoader", source);
    if (options.sampler !== undefined && typeof options.sampler?.indices !== "function")
      refused("DataLoader", "sampler", "a sampler such as new WeightedRandomSampler(weights)", options.sampler);
    const { batchSize, numWorkers, prefetch, seed } = this.options;
    expectIntegers("DataLoader", { batchSize, prefetch }, 1);
    expectIntegers("DataLoader", { numWorkers, seed }, 0);
    if (this.options.shuffle && this.options.sampler)
      throw new ConfigError(
        "DataLoader: both shuffle and sampler are given; the sampler decides the order, so leave out shuffle",
      );
    if (this.options.numWorkers > 0 && !("module" in source)) {
      throw new ConfigError(
        `DataLoader: numWorkers is ${this.options.numWorkers}, but a dataset object cannot move to another thread; ` +
          `give { module: new URL("./data.ts", import.meta.url), args } whose default export builds it, or numWorkers 0`,
      );
    }
    this.source = source as DataSource | DatasetModule;
  }

  /** Batches of a full epoch; undefined where only the data can tell (grid patches). */
  async batchesPerEpoch(): Promise<number | undefined> {
    const { length, stream, samplesPerItem } = await this.open().plan();
    if (stream && samplesPerItem === undefined) return undefined;
    const units = this.options.sampler?.length ?? length;
    const groups = stream ? units * samplesPerItem! * (stream.epochs ?? 1) : units;
    return this.options.dropLast ? Math.floor(groups / this.options.batchSize) : Math.ceil(groups / this.options.batchSize);
  }

  /** The batches of epoch `epoch`, the same on every call. */
  async *epoch(epoch: number, { skip = 0 }: EpochOptions = {}): AsyncGenerator<Loaded<B, T>, void, undefined> {
    expectIntegers("DataLoader.epoch", { epoch, skip }, 0);
    const { batchSize, dropLast, collate } = this.options;
    const plan = await this.open().plan();
    // Whole units need not be computed to be skipped; samples of a stream must be, for how many there are shows only then.
    const skipUnits = plan.stream ? 0 : skip * batchSize;
    let skipGroups = plan.stream ? skip * batchSize : 0;
    let held: Item[] = [];
    let groups = 0;
    const batch = (items: readonly Item[]) => collate(items) as Loaded<B, T>;
    for await (const group of this.groups(plan, epoch, skipUnits)) {
      if (skipGroups > 0) {
        skipGroups--;
        continue;
      }
      for (const item of group) held.push(item);
      if (++groups === batchSize) {
        yield batch(held);
        held = [];
        groups = 0;
      }
    }
    if (groups > 0 && !dropLast) yield batch(held);
  }

  /** The batches of the next epoch. */
  [Symbol.asyncIterator](): AsyncGenerator<Loaded<B, T>, void, undefined> {
    return this.epoch(this.nextEpoch++);
  }

  /** Ends the workers; a later epoch starts new ones. */
  async close(): Promise<void> {
    const units = this.units;
    this.units = undefined;
    await units?.close();
  }

  /** `close`, for `await using`. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  private open(): UnitSource {
    const { numWorkers, seed, openWorker } = this.options;
    const { source } = this;
    // What caused it may be gone, and an epoch goes on where it ended.
    if (this.units?.lost) void this.close();
    this.units ??=
      numWorkers > 0
        ? openWorkers(source as DatasetModule, numWorkers, seed, openWorker)
        : new LocalUnits("module" in source ? source : datasetOf("DataLoader", source), seed);
    return this.units;
  }

  /** What counts as one in `batchSize`: a unit with all its samples, or one sample of a stream. */
  private async *groups(plan: DatasetPlan, epoch: number, skipUnits: number): AsyncGenerator<Item[]> {
    if (!plan.stream) return yield* this.unitsInOrder(plan, epoch, skipUnits);
    for await (const sample of streamSamples(plan.stream, epoch, (pass) => this.samples(plan, pass))) yield [sample];
  }

  private async *samples(plan: DatasetPlan, pass: number): AsyncGenerator<Item> {
    for await (const items of this.unitsInOrder(plan, pass, 0)) yield* items;
  }

  /** The units of a pass in its order, a bounded number of them computed ahead. */
  private async *unitsInOrder(plan: DatasetPlan, pass: number, skipUnits: number): AsyncGenerator<Item[]> {
    const units = this.open();
    const order = this.order(plan.length, pass);
    if (this.options.numWorkers === 0) {
      for (const index of order.slice(skipUnits)) yield await units.request(index, pass).items;
      return;
    }
    const ahead: { id: number; items: Promise<Item[]> }[] = [];
    const window = this.window(plan);
    let next = skipUnits;
    const fill = () => {
      while (next < order.length && ahead.length < window) {
        const request = units.request(order[next++], pass);
        // Its error is reported when its turn comes, not as an unhandled one before.
        request.items.catch(() => undefined);
        ahead.push(request);
      }
    };
    try {
      for (fill(); ahead.length > 0;) {
        const items = await ahead[0].items;
        ahead.shift();
        fill();
        yield items;
      }
    } finally {
      if (ahead.length) units.cancel(ahead.map((r) => r.id));
    }
  }

  private order(length: number, pass: number): number[] {
    const { shuffle, sampler, seed } = this.options;
    if (sampler) {
      const indices = sampler.indices(pass);
      const bad = indices.find((i) => !Number.isInteger(i) || i < 0 || i >= length);
      if (bad !== undefined)
        throw new ConfigError(`DataLoader: the sampler gave index ${bad}; the data have items 0 to ${length - 1}`);
      return indices;
    }
    // Items use [seed, epoch, index]; a key of two words keeps the order's draws apart from theirs.
    return shuffle ? new RandomState([seed, pass]).permutation(length) : Array.from({ length }, (_, i) => i);
  }

  /** Units asked for before they are needed: the back-pressure. */
  private window({ stream, samplesPerItem }: DatasetPlan): number {
    const { numWorkers, prefetch, batchSize } = this.options;
    const unitsPerBatch = stream ? Math.ceil(batchSize / (samplesPerItem ?? batchSize)) : batchSize;
    return prefetch * numWorkers * unitsPerBatch;
  }
}
