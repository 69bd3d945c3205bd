/** @file DataLoader: every sample once whatever the number of workers, exact resume, errors across threads, no process left hanging. */

import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, describe, expect, test } from "vitest";
import type { Batch } from "../../../src/data/datasets/collate.ts";
import { CacheDataset } from "../../../src/data/datasets/cache_dataset.ts";
import { MapDataset } from "../../../src/data/datasets/map_dataset.ts";
import { PatchDataset } from "../../../src/data/datasets/patch_dataset.ts";
import { ShuffleBuffer } from "../../../src/data/datasets/shuffle_buffer.ts";
import { DataLoader, type DataLoaderOptions } from "../../../src/data/loading/loader.ts";
import type { Item } from "../../../src/data/transforms/transform.ts";
import { ConfigError, DataError, ShapeError } from "../../../src/host/errors.ts";
import build, { type DatasetArgs } from "./loader_dataset.ts";

const module = new URL("./loader_dataset.ts", import.meta.url);
const open: DataLoader[] = [];
afterEach(async () => void (await Promise.all(open.splice(0).map((l) => l.close()))));

function loader(args: DatasetArgs, options: DataLoaderOptions): DataLoader {
  const made = new DataLoader({ module, args }, options);
  open.push(made);
  return made;
}
async function all<T>(from: AsyncIterable<T>): Promise<T[]> {
  const out: T[] = [];
  for await (const x of from) out.push(x);
  return out;
}
/** Batches without the number of the thread that made them. */
const content = (batches: Batch[]) => batches.map(({ thread: _, ...rest }) => rest);
const column = (batches: Batch[], key: string) => batches.flatMap((b) => [...b[key].data]);

describe("dataset A: 35 images, 4 patches each, shuffled", () => {
  const options = { batchSize: 3, seed: 5 };
  test("140 patches, each once, in the same batches for 0, 1, 2 and 3 workers and two epochs", async () => {
    const reference = loader({ kind: "shuffled" }, options);
    expect(await reference.batchesPerEpoch()).toBe(47);
    const epochs = [await all(reference), await all(reference)];
    for (const batches of epochs) {
      expect(batches).toHaveLength(47);
      const names = column(batches, "id").map((id, i) => `${id}.${column(batches, "patch")[i]}`);
      expect(new Set(names).size).toBe(140);
      expect(names).toHaveLength(140);
    }
    expect(column(epochs[0], "draw")).not.toEqual(column(epochs[1], "draw"));
    for (const numWorkers of [1, 2, 3]) {
      const parallel = loader({ kind: "shuffled" }, { ...options, numWorkers, prefetch: numWorkers });
      for (const epoch of epochs) {
        const batches = await all(parallel);
        expect(content(batches)).toEqual(content(epoch));
        expect(new Set(column(batches, "thread")).size).toBe(numWorkers);
      }
    }
  });

  test("another seed, other patches", async () => {
    const [a, b] = await Promise.all([1, 2].map((seed) => all(loader({ kind: "patches" }, { seed, batchSize: 140 }))));
    expect(column(a, "draw")).not.toEqual(column(b, "draw"));
  });
});

describe("epochs", () => {
  test.each(["map", "shuffled", "grid"] as const)("%s: skip gives the rest of an epoch bit for bit", async (kind) => {
    for (const numWorkers of [0, 2]) {
      const whole = loader({ kind, images: 11 }, { batchSize: 3, shuffle: true, numWorkers });
      const batches = content(await all(whole.epoch(4)));
      const fresh = loader({ kind, images: 11 }, { batchSize: 3, shuffle: true, numWorkers });
      for (const skip of [1, 3]) expect(content(await all(fresh.epoch(4, { skip })))).toEqual(batches.slice(skip));
      expect(await all(fresh.epoch(4, { skip: 100 }))).toEqual([]);
    }
  });

  test("shuffle gives every item once, in another order each epoch", async () => {
    const shuffled = loader({ kind: "map", images: 20 }, { shuffle: true, numWorkers: 2 });
    const [first, second] = [column(await all(shuffled), "id"), column(await all(shuffled), "id")];
    expect(first).not.toEqual(second);
    expect(first.toSorted((a, b) => a - b)).toEqual(Array.from({ length: 20 }, (_, i) => i));
  });

  test("grid patches: every one, and batch counts", async () => {
    const grid = loader({ kind: "grid", images: 5 }, { batchSize: 3, numWorkers: 2 });
    expect(await grid.batchesPerEpoch()).toBeUndefined();
    const batches = await all(grid);
    expect(column(batches, "draw")).toHaveLength(20);
    expect(batches[0].image.shape).toEqual([3, 1, 2, 2]);
    expect(batches[0].patchCoords.shape).toEqual([3, 3, 2]);
    expect(batches.at(-1)?.image.shape[0]).toBe(2);
  });

  test("dropLast, and multi-sample transforms on a map dataset", async () => {
    const items = Array.from({ length: 7 }, (_, id) => ({ id }));
    const pairs = { length: 7, get: (i: number) => [items[i], items[i]] };
    const sizes = async (dropLast: boolean) =>
      (await all(new DataLoader(pairs, { batchSize: 2, dropLast }))).map((b) => b.id.shape[0]);
    expect(await sizes(true)).toEqual([4, 4, 4]);
    expect(await sizes(false)).toEqual([4, 4, 4, 2]);
    expect(await new DataLoader(pairs, { batchSize: 2, dropLast: true }).batchesPerEpoch()).toBe(3);
  });

  test("patches that a transform makes more of are counted, or refused", async () => {
    const items = Array.from({ length: 3 }, (_, id) => ({ id }));
    const twice = (item: Item) => [item, item];
    const four = (item: Item) => twice(item).flatMap(twice);
    const patches = new PatchDataset(items, { patchFunc: twice, samplesPerImage: 2 });
    for (const source of [
      new PatchDataset(items, { patchFunc: twice, samplesPerImage: 2, transform: [twice] }),
      new MapDataset<Item>(patches, [twice]),
      new ShuffleBuffer(new MapDataset<Item>(patches, [twice])),
    ])
      await expect(all(new DataLoader(source, { batchSize: 2 }))).rejects.toThrow(
        /image 0 gave 4 patches, where the dataset counts 2 of each/,
      );
    const counted = new DataLoader(new PatchDataset(items, { patchFunc: four, samplesPerImage: 4 }), { batchSize: 2 });
    expect([await counted.batchesPerEpoch(), (await all(counted)).length]).toEqual([6, 6]);
  });

  test("items that lie in themselves, or have an array twice, come from workers as they are", async () => {
    for (const numWorkers of [0, 1]) {
      const items = new DataLoader(
        { module, args: { kind: "map", images: 2, own: true } },
        { numWorkers, collate: ([item]) => item },
      );
      for (const [id, item] of (await all(items)).entries())
        expect([item.image, item.own === item, item.again === item.image]).toEqual([Float32Array.of(id), true, true]);
      await items.close();
    }
  });

  test("a dataset object in this thread, and a collate of one's own", async () => {
    const direct = new DataLoader(await build({ kind: "patches", images: 2 }), {
      batchSize: 4,
      collate: (items) => items.map((i) => `${String(i.id)}.${String(i.patch)}`),
    });
    expect(await all(direct)).toEqual([
      ["0.0", "0.1", "0.2", "0.3"],
      ["1.0", "1.1", "1.2", "1.3"],
    ]);
  });
});

describe("workers", () => {
  test("live over epochs, keep their caches' arrays, and stop when a loop is left early", async () => {
    const cached = loader({ kind: "map", images: 12 }, { numWorkers: 2, batchSize: 2 });
    const first = await all(cached);
    for await (const batch of cached) {
      expect(batch.image.shape).toEqual([2, 1, 4, 4]);
      break;
    }
    const third = await all(cached);
    expect(column(third, "image")).toEqual(column(first, "image"));
    expect(new Set(column(third, "thread"))).toEqual(new Set(column(first, "thread")));
  });

  test("errors keep class and message, in their turn, and the loader goes on", async () => {
    const failing = loader({ kind: "map", images: 6, failAt: 3 }, { numWorkers: 2 });
    for (let attempt = 0; attempt < 2; attempt++) {
      const seen: number[] = [];
      const run = (async () => {
        for await (const batch of failing) seen.push(batch.id.data[0]);
      })();
      await expect(run).rejects.toThrow(DataError);
      await expect(run).rejects.toThrow("image 3 is empty");
      expect(seen).toEqual([0, 1, 2]);
    }
  });

  test("a worker that dies, a factory that throws, a module that is none", async () => {
    await expect(all(loader({ kind: "map", images: 6, exitAt: 2 }, { numWorkers: 2 }))).rejects.toThrow(
      /data worker 0 ended with code 3 before its work was done while it prepared item 2 \("2"\)/,
    );
    for (const numWorkers of [0, 1]) {
      await expect(all(loader({ kind: "map", throwIn: "factory" }, { numWorkers }))).rejects.toThrow(DataError);
      const none = new DataLoader({ module: new URL("./none.ts", import.meta.url) }, { numWorkers });
      await expect(all(none)).rejects.toThrow(ConfigError);
      const notOne = new DataLoader({ module: new URL("../../../src/host/array.ts", import.meta.url) }, { numWorkers });
      await expect(all(notOne)).rejects.toThrow(/must export a factory/);
      await none.close();
      await notOne.close();
    }
  });

  test("goes on where it ended once the cause is gone", async () => {
    const folder = mkdtempSync(join(tmpdir(), "voxgrad-loader-"));
    const cause = join(folder, "cause");
    const whole = column(await all(loader({ kind: "map", images: 6 }, {})), "draw");
    for (const [fault, numWorkers] of [
      [{ exitAt: 3 }, 2],
      [{ throwIn: "factory" }, 2],
      [{ throwIn: "factory" }, 0],
    ] as const) {
      writeFileSync(cause, "");
      const mended = loader({ kind: "map", images: 6, ...fault, while: cause }, { numWorkers });
      const seen: Batch[] = [];
      const run = async () => {
        for await (const batch of mended.epoch(0)) seen.push(batch);
      };
      await expect(run()).rejects.toThrow(DataError);
      rmSync(cause);
      for await (const batch of mended.epoch(0, { skip: seen.length })) seen.push(batch);
      expect(column(seen, "draw")).toEqual(whole);
    }
    rmSync(folder, { recursive: true });
  });

  test("back-pressure: no more units are begun than prefetch allows", async () => {
    let begun = 0;
    const slow = { length: 100, get: (id: number): Item => (begun++, { id }) };
    const lazy = new DataLoader(slow, { batchSize: 2 });
    for await (const _ of lazy) break;
    expect(begun).toBe(2);

    const counted = loader({ kind: "counted", images: 40 }, { numWorkers: 2 });
    for await (const _ of counted) {
      await new Promise((resolve) => setTimeout(resolve, 100));
      break;
    }
    for await (const { made } of counted) {
      // 2 workers × prefetch 2 ahead of the first batch: worker 0 made at most units 0, 2 and 4, and now one more.
      expect(made.data[0]).toBeLessThanOrEqual(4);
      break;
    }
  });

  test("options out of range", () => {
    const items = new CacheDataset([{ id: 0 }]);
    expect(() => new DataLoader(items, { numWorkers: 2 })).toThrow(/cannot move to another thread/);
    expect(() => new DataLoader(items, { batchSize: undefined, collate: undefined } as object)).not.toThrow();
    for (const bad of [{ batchSize: 0 }, { numWorkers: -1 }, { prefetch: 0 }, { seed: 0.5 }])
      expect(() => new DataLoader(items, bad)).toThrow(ConfigError);
    return expect(
      loader({ kind: "map", throwIn: (() => 0) as never }, { numWorkers: 1 })
        .epoch(0)
        .next(),
    ).rejects.toThrow(/plain data/);
  });

  test("ragged shapes are a readable error", async () => {
    const ragged = new DataLoader(
      [1, 2].map((n) => ({ image: { data: new Float32Array(n), shape: [n] } })),
      { batchSize: 2 },
    );
    await expect(all(ragged)).rejects.toThrow(ShapeError);
  });

  test("a process ends by itself after a loop left early, without close()", () => {
    const dir = mkdtempSync(join(tmpdir(), "voxgrad-loader-"));
    const script = join(dir, "main.ts");
    writeFileSync(
      script,
      `import { DataLoader } from ${JSON.stringify(new URL("../../../src/data/loading/loader.ts", import.meta.url).href)};
       const loader = new DataLoader({ module: ${JSON.stringify(module.href)}, args: { kind: "shuffled" } }, { numWorkers: 2, batchSize: 3 });
       let n = 0;
       for await (const _ of loader) n++;
       for await (const _ of loader) if (++n === 50) break;
       console.log(n);`,
    );
    const run = spawnSync(process.execPath, ["--conditions=voxgrad-source", script], {
      encoding: "utf8",
      timeout: 60_000,
      cwd: new URL("../../..", import.meta.url),
    });
    rmSync(dir, { recursive: true });
    expect([run.status, run.stdout.trim(), run.stderr]).toEqual([0, "50", ""]);
  });
});
