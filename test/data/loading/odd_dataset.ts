/** @file A dataset module that faults.test.ts gives to worker threads: item 3 goes wrong in a way of its own. */

import { threadId } from "node:worker_threads";
import { SmartCacheDataset } from "../../../src/data/datasets/cache_dataset.ts";
import { type Dataset, deterministic } from "../../../src/data/datasets/dataset.ts";
import { MapDataset } from "../../../src/data/datasets/map_dataset.ts";
import type { Item } from "../../../src/data/transforms/transform.ts";

/** What goes wrong. */
export type Fault = keyof typeof faults;

/** Each is run for item 3. */
export const faults = {
  none: (item: Item): Item => item,
  function: (item: Item): Item => ({ ...item, made: () => item }),
  nothing(): Item {
    // oxlint-disable-next-line no-throw-literal
    throw undefined;
  },
  noText(): Item {
    throw Object.create(null);
  },
  deep(item: Item): Item {
    return faults.deep({ ...item });
  },
  named(): Item {
    throw new RangeError('the image of item 3 ("lung") is dark');
  },
  leftBehind(item: Item): Item {
    void Promise.reject(new Error("nobody waits"));
    return item;
  },
  unreadable(): Item {
    throw new DOMException("no", "NotReadableError");
  },
};

/** `length` may be one that is none, or "thread" for another in each; `window` makes it one that moves. */
export default function build({
  fault = "none",
  length,
  window,
}: {
  fault?: Fault;
  length?: number | "thread";
  window?: boolean;
}): Dataset {
  const ids = Array.from({ length: window ? 12 : 6 }, (_, id) => ({ number: id, name: id === 3 ? "lung" : undefined }));
  const load = (item: Item) => (item.number === 3 ? faults[fault](item) : item);
  if (length !== undefined) return { length: length === "thread" ? threadId : length, get: (i) => ids[i] };
  if (!window) return new MapDataset<Item>(ids, load);
  let made = 0;
  const counted = deterministic((item: Item) => (made++, item));
  const moving = new SmartCacheDataset<Item>(ids, [counted], { cacheNum: 6, replaceRate: 0.1, shuffle: false });
  return new MapDataset<Item>(moving, (item: Item) => ({ ...item, made, thread: threadId }));
}
