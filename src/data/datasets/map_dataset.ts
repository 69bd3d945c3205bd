/** @file Datasets that map or choose: a source with a transform, a part of a source, several as one. */

import { expectArguments } from "../../host/kinds.ts";
import { ConfigError } from "../../host/errors.ts";
import type { RandomSource } from "../../host/random/numpy.ts";
import type { Item } from "../transforms/transform.ts";
import {
  applyTransforms,
  type Dataset,
  datasetOf,
  type DataSource,
  type Link,
  linksOf,
  unmixed,
  type StreamPlan,
  type TransformList,
} from "./dataset.ts";

/**
 * A source with a transform, computed on each access. MONAI's `Dataset`.
 *
 * `get` throws what the source and its transforms throw; a multi-sample transform makes it give a list. `S` are the items of the source, `T` what the
 * transform makes of them.
 */
export class MapDataset<S = Item, T = S> implements Dataset<T> {
  private readonly source: Dataset<S>;
  private readonly transforms: readonly Link<T>[];

  constructor(data: DataSource<S>, transform: TransformList<S, T> = []) {
    this.source = datasetOf("MapDataset", data);
    this.transforms = linksOf("MapDataset", transform);
  }

  get length(): number {
    return this.source.length;
  }
  get stream(): StreamPlan | undefined {
    return this.source.stream;
  }

  get samplesPerItem(): number | undefined {
    return this.source.samplesPerItem;
  }

  get movesBy(): number | undefined {
    return this.source.movesBy;
  }

  nameOf(index: number, epoch?: number): string | undefined {
    return this.source.nameOf?.(index, epoch);
  }
  async get(index: number, random: RandomSource, epoch?: number): Promise<T | T[]> {
    return applyTransforms(this.transforms, (await this.source.get(index, random, epoch)) as unknown as T, random);
  }
}

/** Some items of a source, in the order of `indices`; one may come more than once. PyTorch's `Subset`. */
export class Subset<T = Item> implements Dataset<T> {
  /** Which items of the source these are. */
  readonly indices: readonly number[];
  private readonly source: Dataset<T>;

  /** @throws ConfigError for an index that the source does not have */
  constructor(data: DataSource<T>, indices: readonly number[]) {
    this.source = datasetOf("Subset", data);
    expectArguments("Subset", "numbers", { indices });
    const bad = indices.find((i) => !Number.isInteger(i) || i < 0 || i >= this.source.length);
    if (bad !== undefined)
      throw new ConfigError(`Subset: there is no item ${bad}; the data have items 0 to ${this.source.length - 1}`);
    this.indices = indices;
  }

  get length(): number {
    return this.indices.length;
  }
  get stream(): StreamPlan | undefined {
    return this.source.stream;
  }
  get samplesPerItem(): number | undefined {
    return this.source.samplesPerItem;
  }
  get movesBy(): number | undefined {
    return this.source.movesBy;
  }
  nameOf(index: number, epoch?: number): string | undefined {
    return this.source.nameOf?.(this.indices[index], epoch);
  }
  get(index: number, random: RandomSource, epoch?: number): T | T[] | Promise<T | T[]> {
    return this.source.get(this.indices[index], random, epoch);
  }
}

/** That of the first source whose window moves: with it all of the items are others in another epoch. */
const moveOf = (sources: readonly Dataset<unknown>[]): number | undefined =>
  sources.find((s) => s.movesBy !== undefined)?.movesBy;

/** The items of several sources, one source after the other. PyTorch's `ConcatDataset`. */
export class ConcatDataset<T = Item> implements Dataset<T> {
  readonly length: number;
  private readonly sources: readonly Dataset<T>[];

  /** @throws ConfigError for a `ShuffleBuffer`, and if only some of the sources are streams of patches, for their samples are counted in another way */
  constructor(sources: readonly DataSource<T>[]) {
    expectArguments("ConcatDataset", "list", { sources });
    this.sources = sources.map((s) => unmixed("ConcatDataset", s));
    this.length = this.sources.reduce((n, s) => n + s.length, 0);
    if (this.sources.some((s) => (s.stream === undefined) !== (this.sources[0].stream === undefined)))
      throw new ConfigError(
        "ConcatDataset: some of the sources are streams of patches and some are not; make patches of all or of none",
      );
  }

  get stream(): StreamPlan | undefined {
    return this.sources[0]?.stream;
  }
  get samplesPerItem(): number | undefined {
    const [first] = this.sources;
    return this.sources.every((s) => s.samplesPerItem === first.samplesPerItem) ? first?.samplesPerItem : undefined;
  }
  get movesBy(): number | undefined {
    return moveOf(this.sources);
  }
  nameOf(index: number, epoch?: number): string | undefined {
    const { source, at } = this.place(index);
    return source.nameOf?.(at, epoch);
  }
  get(index: number, random: RandomSource, epoch?: number): T | T[] | Promise<T | T[]> {
    const { source, at } = this.place(index);
    return source.get(at, random, epoch);
  }

  private place(index: number): { readonly source: Dataset<T>; readonly at: number } {
    let at = index;
    for (const source of this.sources) {
      if (at < source.length) return { source, at };
      at -= source.length;
    }
    throw new ConfigError(`ConcatDataset: there is no item ${index}; the sources have ${this.length}`);
  }
}

/** Items put together of those with one index in several sources: later entries win. As long as the shortest. MONAI's `ZipDataset`. */
export class ZipDataset implements Dataset {
  readonly length: number;
  private readonly sources: readonly Dataset[];
  private readonly transforms: readonly Link<Item>[];

  constructor(sources: readonly DataSource[], transform: TransformList<Item> = []) {
    expectArguments("ZipDataset", "list", { sources });
    this.sources = sources.map((s) => unmixed("ZipDataset", s));
    this.length = Math.min(...this.sources.map((s) => s.length));
    this.transforms = linksOf("ZipDataset", transform);
  }

  get movesBy(): number | undefined {
    return moveOf(this.sources);
  }
  nameOf(index: number, epoch?: number): string | undefined {
    for (const source of this.sources) {
      const name = source.nameOf?.(index, epoch);
      if (name !== undefined) return name;
    }
    return undefined;
  }
  async get(index: number, random: RandomSource, epoch?: number): Promise<Item | Item[]> {
    const items: Item[] = [];
    for (const source of this.sources) {
      const item = await source.get(index, random, epoch);
      if (Array.isArray(item))
        throw new ConfigError(`ZipDataset: a source gives ${item.length} items for index ${index}; expected one`);
      items.push(item);
    }
    return applyTransforms<Item>(this.transforms, Object.assign({}, ...items) as Item, random);
  }
}
