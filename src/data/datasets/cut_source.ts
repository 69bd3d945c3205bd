/** @file What datasets that keep prepared items share: a source and its transforms, cut where the first random one stands. */

import { ConfigError } from "../../host/errors.ts";
import {
  applyTransforms,
  type Dataset,
  datasetOf,
  type DataSource,
  firstRandom,
  itemRandom,
  type Link,
  linksOf,
  type TransformList,
} from "./dataset.ts";

/** A source and the transforms before the first random one, and from it on. */
export class CutSource<S, T> {
  readonly source: Dataset<S>;
  readonly before: readonly Link<T>[];
  readonly after: readonly Link<T>[];

  constructor(op: string, data: DataSource<S>, transform: TransformList<S, T>) {
    this.source = datasetOf(op, data);
    if (this.source.movesBy !== undefined)
      throw new ConfigError(
        `${op}: the source shows other items in each epoch (SmartCacheDataset), of which those of the first would be kept for all; put it around the ${op} instead`,
      );
    const transforms = linksOf(op, transform);
    const first = firstRandom(transforms.map(({ transform: one }) => one));
    this.before = transforms.slice(0, first);
    this.after = transforms.slice(first);
  }

  /** The item before the first random transform. `keep` may find it from what the source has, or has it `prepared` and keeps it. */
  async fixed(
    index: number,
    keep: (item: T | T[], prepared: () => Promise<T | T[]>) => Promise<T | T[]> = (_, prepared) => prepared(),
  ): Promise<T | T[]> {
    // Should the source be random after all, its draws must not depend on the epoch in which the cache was filled.
    const random = itemRandom(0, 0, index);
    const item = (await this.source.get(index, random)) as unknown as T;
    return keep(item, async () => applyTransforms(this.before, item, random));
  }
}
