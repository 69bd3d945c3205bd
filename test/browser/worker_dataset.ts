/** @file A dataset module for Web Workers and Node's threads alike: packed volumes are unpacked and transformed where it runs. */

import { CacheDataset } from "../../src/data/datasets/cache_dataset.ts";
import type { Dataset } from "../../src/data/datasets/dataset.ts";
import { MapDataset } from "../../src/data/datasets/map_dataset.ts";
import { PatchDataset } from "../../src/data/datasets/patch_dataset.ts";
import { ShuffleBuffer } from "../../src/data/datasets/shuffle_buffer.ts";
import type { Item } from "../../src/data/transforms/transform.ts";
import type { RandomSource } from "../../src/host/random/numpy.ts";

export interface WorkerDatasetArgs {
  readonly kind: "map" | "patches";
  readonly images: number;
  /** The item that ends its thread. */
  readonly dies?: number;
}

export default function build({ kind, images, dies }: WorkerDatasetArgs): Dataset {
  const ids = Array.from({ length: images }, (_, id) => ({ id, name: `case ${id}` }));
  // A worker that ends itself in the middle of an item.
  const source: Dataset = {
    length: images,
    nameOf: (index) => ids[index].name,
    get: (index) => (index === dies ? new Promise<Item>(() => (globalThis as { close?: () => void }).close?.()) : ids[index]),
  };
  const load = {
    apply: (item: Item): Item => {
      return {
        ...item,
        image: { data: Float32Array.from({ length: 64 }, (_, i) => 100 * Number(item.id) + i), shape: [1, 8, 8] },
      };
    },
  };
  const cached = new CacheDataset<Item>(source, load);
  const draw = (item: Item, random: RandomSource) => ({ ...item, draw: random.rand() });
  if (kind === "map") return new MapDataset<Item>(cached, draw);
  const two = (item: Item, random: RandomSource) => [0, 1].map((patch) => ({ ...item, patch, draw: random.rand() }));
  return new ShuffleBuffer<Item>(new PatchDataset<Item>(cached, { patchFunc: two, samplesPerImage: 2 }), { bufferSize: 5 });
}
