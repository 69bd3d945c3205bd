/** @file A dataset module that loader.test.ts gives to worker threads. */

import { existsSync } from "node:fs";
import { threadId } from "node:worker_threads";
import { CacheDataset } from "../../../src/data/datasets/cache_dataset.ts";
import { type Dataset, deterministic } from "../../../src/data/datasets/dataset.ts";
import { GridPatchDataset, PatchIterd } from "../../../src/data/datasets/grid_patch_dataset.ts";
import { MapDataset } from "../../../src/data/datasets/map_dataset.ts";
import { PatchDataset } from "../../../src/data/datasets/patch_dataset.ts";
import { ShuffleBuffer } from "../../../src/data/datasets/shuffle_buffer.ts";
import type { RandomSource } from "../../../src/host/random/numpy.ts";
import type { Item } from "../../../src/data/transforms/transform.ts";
import { DataError } from "../../../src/host/errors.ts";

export interface DatasetArgs {
  kind: "map" | "counted" | "patches" | "shuffled" | "grid";
  images?: number;
  failAt?: number;
  exitAt?: number;
  throwIn?: string;
  /** Each item has itself as its `own`. */
  own?: boolean;
  /** What goes wrong does so as long as this file is there. */
  while?: string;
}

/** Items carry image id, patch number, a random draw (or how many this dataset has made) and the thread that made them. */
export default async function build(args: DatasetArgs): Promise<Dataset> {
  const { kind, images = 35, failAt, exitAt, throwIn } = args;
  const wrong = () => args.while === undefined || existsSync(args.while);
  if (throwIn === "factory" && wrong()) throw new DataError("no such disk");
  const ids = Array.from({ length: images }, (_, id) => ({ id }));
  const load = {
    apply: ({ id }: Item): Item => {
      if (id === failAt) throw new DataError(`image ${String(id)} is empty`);
      if (id === exitAt && wrong()) process.exit(3);
      return {
        id,
        thread: threadId,
        image: { data: Float32Array.from({ length: 16 }, (_, i) => 100 * (id as number) + i), shape: [1, 4, 4] },
      };
    },
  };
  if (args.own) {
    const circle = ({ id }: Item): Item => {
      const item: Record<string, unknown> = { id, image: Float32Array.of(id as number) };
      return Object.assign(item, { own: item, again: item.image });
    };
    return new CacheDataset<Item>(ids, deterministic(circle));
  }
  const cached = new CacheDataset<Item>(ids, load);
  let made = 0;
  const count = (item: Item) => ({ ...item, made: ++made });
  if (kind === "counted") return new MapDataset<Item>(cached, count);
  const draw = (item: Item, random: RandomSource) => ({ ...item, draw: random.rand() });
  if (kind === "map") return new MapDataset<Item>(cached, draw);
  if (kind === "grid")
    return new GridPatchDataset(cached, { patchIter: new PatchIterd({ keys: ["image"], patchSize: [2, 2] }), transform: draw });
  const four = (item: Item, random: RandomSource) => [0, 1, 2, 3].map((patch) => ({ ...item, patch, draw: random.rand() }));
  const patches = new PatchDataset<Item>(cached, { patchFunc: four, samplesPerImage: 4 });
  return kind === "patches" ? patches : new ShuffleBuffer<Item>(patches, { bufferSize: 30, seed: 0 });
}
