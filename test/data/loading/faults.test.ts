/** @file DataLoader: whatever goes wrong with an item is an error that names it, and datasets that are not the same in every thread are refused. */

import { afterEach, describe, expect, test } from "vitest";
import { CacheDataset, SmartCacheDataset } from "../../../src/data/datasets/cache_dataset.ts";
import { ConcatDataset, Subset, ZipDataset } from "../../../src/data/datasets/map_dataset.ts";
import { DataLoader } from "../../../src/data/loading/loader.ts";
import { ConfigError, DataError } from "../../../src/host/errors.ts";
import type { Fault } from "./odd_dataset.ts";

const module = new URL("./odd_dataset.ts", import.meta.url);
const open: DataLoader<unknown[]>[] = [];
afterEach(async () => void (await Promise.all(open.splice(0).map((l) => l.close()))));

function loader(args: object, numWorkers: number): DataLoader<unknown[]> {
  const made = new DataLoader({ module, args }, { numWorkers, collate: (items) => [...items] });
  open.push(made);
  return made;
}
async function ids(args: object, numWorkers: number): Promise<unknown[]> {
  const out: unknown[] = [];
  for await (const batch of loader(args, numWorkers)) out.push((batch[0] as { number: unknown }).number);
  return out;
}

describe.each([0, 2])("%i workers: an error names its item", (numWorkers) => {
  test.each([
    ["nothing", DataError, 'item 3 ("lung"): what was thrown is no error: undefined'],
    ["noText", DataError, 'item 3 ("lung"): what was thrown is no error: an object without a text'],
    ["deep", RangeError, 'call stack size exceeded (item 3 ("lung"))'],
  ] as const)("%s", async (fault, kind, words) => {
    const run = ids({ fault }, numWorkers);
    await expect(run).rejects.toThrow(words);
    await expect(run).rejects.toThrow(kind);
  });

  test("once, and not where messages are for reading alone", async () => {
    await expect(ids({ fault: "named" }, numWorkers)).rejects.toThrow(/^the image of item 3 \("lung"\) is dark$/);
    await expect(ids({ fault: "unreadable" }, numWorkers)).rejects.toThrow(/^no$/);
  });

  test.each([NaN, -1, 2.5])("a length of %d is refused; it was an epoch of nothing", async (length) => {
    const run = ids({ length }, numWorkers);
    await expect(run).rejects.toThrow(`the dataset has length ${length}; expected a number of items`);
    await expect(run).rejects.toThrow(ConfigError);
  });
});

test("what cannot leave its worker, and what was left behind by an item before", async () => {
  const run = ids({ fault: "function" satisfies Fault }, 2);
  await expect(run).rejects.toThrow(
    /item 3 \("lung"\) cannot go from its worker to the loader; give plain data.*could not be cloned/,
  );
  await expect(run).rejects.toThrow(DataError);
  await expect(ids({ fault: "leftBehind" satisfies Fault }, 2)).rejects.toThrow(
    /data worker 1 failed: nobody waits.*, after item [135]/,
  );
});

test("the item of a failure is told from what came before it, however late that is heard", async () => {
  const run = ids({ fault: "leftBehind" }, 1).catch((error: Error) => error.message);
  // Both wait for this thread meanwhile.
  await new Promise((resolve) => setTimeout(resolve, 1));
  for (const end = performance.now() + 1500; performance.now() < end;);
  expect(await run).toMatch(/^DataLoader: data worker 0 failed: nobody waits(?! while it prepared item [012]\b).*item [34]/);
});

test("datasets of another length in each thread are refused; items were lost in silence", async () => {
  await expect(ids({ length: "thread" }, 2)).rejects.toThrow(/the workers built datasets of \d+ and \d+ items; the module must/);
});

test("a window that moves on is computed once by all workers together", async () => {
  for (const numWorkers of [0, 2, 3]) {
    const made = new Map<unknown, number>();
    const moving = loader({ window: true }, numWorkers);
    const seen: unknown[] = [];
    for (let epoch = 0; epoch < 5; epoch++)
      for await (const [item] of moving as AsyncIterable<{ number: number; thread: number; made: number }[]>) {
        seen.push(item.number);
        made.set(item.thread, item.made);
      }
    expect(seen).toEqual(Array.from({ length: 30 }, (_, i) => Math.floor(i / 6) + (i % 6)));
    expect([...made.values()].reduce((a, b) => a + b)).toBe(10);
  }
});

test("what keeps items is put around nothing that shows others in each epoch", () => {
  const moving = new SmartCacheDataset([{ id: 0 }, { id: 1 }], [], { cacheNum: 1 });
  const around = [
    moving,
    new Subset(moving, [0]),
    new ConcatDataset([[{ id: 2 }], moving]),
    new ZipDataset([[{ a: 1 }], moving]),
  ];
  for (const source of around)
    expect(() => new CacheDataset(source)).toThrow(/CacheDataset: the source shows other items in each epoch/);
});
