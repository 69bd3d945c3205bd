/** @file Datasets that keep items in memory as they are before the first random transform: all that fit, or a window that moves on. */

import { expectOptions } from "../../host/options.ts";
import { ConfigError } from "../../host/errors.ts";
import { type RandomSource, RandomState } from "../../host/random/numpy.ts";
import type { Item } from "../transforms/transform.ts";
import { CutSource } from "./cut_source.ts";
import { applyTransforms, type Dataset, type DataSource, type StreamPlan, type TransformList } from "./dataset.ts";

/** How much a cache keeps. */
export interface CacheOptions {
  /** At most so many items are kept; default all. */
  readonly cacheNum?: number;
  /** At most this part of the items is kept; default 1. */
  readonly cacheRate?: number;
  /** At most so many bytes of arrays are kept; default all. What comes when they are full is computed anew on each access. */
  readonly maxBytes?: number;
}

/** How many of `length` items a cache keeps. @throws ConfigError for options out of range */
function keptItems(
  op: string,
  length: number,
  { cacheNum = Infinity, cacheRate = 1, maxBytes = Infinity }: CacheOptions,
): number {
  if (!(cacheRate >= 0 && cacheRate <= 1)) throw new ConfigError(`${op}: cacheRate is ${cacheRate}; expected 0 to 1`);
  if (!(cacheNum >= 0)) throw new ConfigError(`${op}: cacheNum is ${cacheNum}; expected 0 or more`);
  if (!(maxBytes >= 0)) throw new ConfigError(`${op}: maxBytes is ${maxBytes}; expected 0 or more`);
  return Math.min(cacheNum, Math.floor(length * cacheRate), length);
}

/** Bytes of the arrays in a value, of one that is there twice or in itself once. */
function bytesIn(value: unknown, seen = new Set<unknown>()): number {
  if (typeof value !== "object" || value === null || seen.has(value)) return 0;
  seen.add(value);
  if (ArrayBuffer.isView(value)) return value.byteLength;
  let sum = 0;
  for (const entry of Object.values(value)) sum += bytesIn(entry, seen);
  return sum;
}

/**
 * Keeps items in memory as they are after the transforms before the first random one; only the rest runs on each access. A plain
 * function counts as random, as in MONAI, unless `deterministic` marks it. The cache fills on first access. Each
 * worker of a loader keeps only the items it serves, and has the bytes to itself. Transforms never change their input, so no copy is made.
 */
export class CacheDataset<S = Item, T = S> implements Dataset<T> {
  /** Items 0 … cached − 1 are kept, while their bytes fit. */
  readonly cached: number;
  private readonly cut: CutSource<S, T>;
  private readonly maxBytes: number;
  private bytes = 0;
  private readonly kept = new Map<number, Promise<T | T[]>>();

  /** @throws ConfigError for options out of range */
  constructor(data: DataSource<S>, transform: TransformList<S, T> = [], options: CacheOptions = {}) {
    expectOptions("CacheDataset", options, "cacheNum:number cacheRate:number maxBytes:number");
    this.cut = new CutSource("CacheDataset", data, transform);
    this.cached = keptItems("CacheDataset", this.cut.source.length, options);
    this.maxBytes = options.maxBytes ?? Infinity;
  }

  get length(): number {
    return this.cut.source.length;
  }
  get stream(): StreamPlan | undefined {
    return this.cut.source.stream;
  }

  nameOf(index: number): string | undefined {
    return this.cut.source.nameOf?.(index);
  }
  async get(index: number, random: RandomSource): Promise<T | T[]> {
    return applyTransforms(this.cut.after, await this.fixed(index), random);
  }

  private fixed(index: number): Promise<T | T[]> {
    const known = this.kept.get(index);
    if (known) return known;
    const item = this.cut.fixed(index);
    if (index >= this.cached || this.bytes >= this.maxBytes) return item;
    this.kept.set(index, item);
    item.then(
      (value) => {
        const size = bytesIn(value);
        // The first that fit are kept: the latest would be thrown out before they are wanted again in a pass over all.
        if (this.bytes + size > this.maxBytes) this.kept.delete(index);
        else this.bytes += size;
      },
      // A failed load must fail again, not be remembered.
      () => this.kept.delete(index),
    );
    return item;
  }
}

/** How the window of a `SmartCacheDataset` moves. */
export interface SmartCacheOptions extends Omit<CacheOptions, "maxBytes"> {
  /** Part of the window that is replaced after each epoch; default 0.1. */
  readonly replaceRate?: number;
  /** Shuffle the items once, before the first window; default true. */
  readonly shuffle?: boolean;
  /** Of that shuffle; default 0. */
  readonly seed?: number;
}

/**
 * A window of `cacheNum` items that is kept in memory and moves on by ⌈cacheNum · replaceRate⌉ items with each epoch, to the beginning again behind
 * the last. So an epoch has `cacheNum` items, and all are seen in the long run. MONAI's `SmartCacheDataset`; but which items an epoch has follows from its
 * number, so that it can be made again, and new ones are computed when they are first asked for, which in a loader is ahead of time.
 * @throws ConfigError for options out of range
 */
export class SmartCacheDataset<S = Item, T = S> implements Dataset<T> {
  /** Items in the window. */
  readonly length: number;
  /** How many the window moves on by. */
  readonly replaced: number;
  readonly movesBy: number;
  private readonly cut: CutSource<S, T>;
  private readonly order: readonly number[];
  private kept = new Map<number, Promise<T | T[]>>();
  private keptEpoch = 0;

  constructor(data: DataSource<S>, transform: TransformList<S, T> = [], options: SmartCacheOptions = {}) {
    expectOptions(
      "SmartCacheDataset",
      options,
      "replaceRate:number shuffle:boolean seed:number cacheNum:number cacheRate:number",
    );
    const { replaceRate = 0.1, shuffle = true, seed = 0, ...kept } = options;
    if (!(replaceRate > 0))
      throw new ConfigError(`SmartCacheDataset: replaceRate is ${replaceRate}; expected more than 0, or use CacheDataset`);
    this.cut = new CutSource("SmartCacheDataset", data, transform);
    const total = this.cut.source.length;
    if (this.cut.source.stream)
      throw new ConfigError("SmartCacheDataset: the data are a stream of patches; keep the images and make patches of them");
    this.length = keptItems("SmartCacheDataset", total, kept);
    this.replaced = Math.min(Math.ceil(this.length * replaceRate), total - this.length);
    this.movesBy = this.replaced;
    this.order = Array.from({ length: total }, (_, i) => i);
    if (shuffle) this.order = new RandomState(seed).permutation(this.order);
  }

  /** Indices of the source that epoch `epoch` shows. */
  indices(epoch: number): number[] {
    return Array.from({ length: this.length }, (_, i) => this.at(i, epoch));
  }

  nameOf(index: number, epoch = 0): string | undefined {
    return this.cut.source.nameOf?.(this.at(index, epoch));
  }
  async get(index: number, random: RandomSource, epoch = 0): Promise<T | T[]> {
    return applyTransforms(this.cut.after, await this.fixed(this.at(index, epoch), epoch), random);
  }

  private at(index: number, epoch: number): number {
    return this.order[(epoch * this.replaced + index) % this.order.length];
  }

  private fixed(at: number, epoch: number): Promise<T | T[]> {
    if (epoch !== this.keptEpoch) {
      const shown = new Set(this.indices(epoch));
      this.kept = new Map([...this.kept].filter(([i]) => shown.has(i)));
      this.keptEpoch = epoch;
    }
    const known = this.kept.get(at);
    if (known) return known;
    const item = this.cut.fixed(at);
    this.kept.set(at, item);
    item.catch(() => this.kept.delete(at));
    return item;
  }
}
