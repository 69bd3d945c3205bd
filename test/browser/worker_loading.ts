/** @file A loader with workers, run in Node and in a page: what comes, in order. */

import { decollate } from "../../src/data/datasets/collate.ts";
import { DataLoader, type DataLoaderOptions } from "../../src/data/loading/loader.ts";
import type { WorkerDatasetArgs } from "./worker_dataset.ts";

/** Ids, draws and names of the batches of two epochs; of the second without its first `skip` batches. */
export async function loaded(module: string, args: WorkerDatasetArgs, options: DataLoaderOptions, skip = 0): Promise<unknown[]> {
  const loader = new DataLoader({ module, args }, { batchSize: 3, shuffle: true, ...options });
  const out: unknown[] = [];
  try {
    for (const [epoch, from] of [
      [0, 0],
      [1, skip],
    ]) {
      for await (const batch of loader.epoch(epoch, { skip: from })) {
        out.push([
          Array.from(batch.id.data),
          Array.from(batch.draw.data),
          batch.image.data[5],
          decollate(batch).map((item) => item.name),
        ]);
      }
    }
  } finally {
    await loader.close();
  }
  return out;
}

/** The message of the error that loading ends with. */
export async function failure(module: string, args: WorkerDatasetArgs, options: DataLoaderOptions): Promise<string> {
  try {
    await loaded(module, args, options);
    return "none";
  } catch (error) {
    return `${(error as Error).name}: ${(error as Error).message}`;
  }
}
