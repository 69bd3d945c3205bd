/** @file PersistentDataset: prepared items kept in a store (a folder, a browser's private file system), so that the next run begins with them. */

import { version as library } from "../../host/version.ts";
import { expectKinds, expectFields } from "../../host/kinds.ts";
import { expectOptions } from "../../host/options.ts";
import { FormatError } from "../../host/errors.ts";
import type { RandomSource } from "../../host/random/numpy.ts";
import type { Item } from "../transforms/transform.ts";
import { CutSource } from "./cut_source.ts";
import { applyTransforms, type Dataset, type DataSource, type StreamPlan, type TransformList } from "./dataset.ts";
import { decodeItem } from "./item_codec.ts";
import { itemKey } from "./item_key.ts";
import type { ItemStore } from "./item_store.ts";
import { keepItems } from "./keep_items.ts";

/** How items are named in the store. */
export interface PersistentOptions {
  /** Where items are kept: a folder, memory, or what else has `read` and `write`. */
  readonly store: ItemStore;
  /** Part of every name: change it when the transforms mean something else although their names and options do not show it. */
  readonly version?: string;
  /** Told once, with the store's `error`, that it is full: other items are then prepared each time they are asked for. Default: a warning on the console. */
  readonly onFull?: (error: Error) => void;
}

/**
 * Items as they are after the transforms before the first random one, computed once for all runs: under the hash of the item and of what the
 * transforms say of themselves (text of the class, options; a marked function's text) in this version of voxgrad. MONAI's `PersistentDataset`. Items must be data: paths, names, numbers, arrays,
 * files. A path counts with size and time of what lies there, where the store knows them (`folderItemStore`), so that an edited file is computed anew, as a
 * damaged one of the store is, which a checksum tells. A store that is full ends nothing. What else the transforms read is theirs to know: change `version` with it.
 */
export class PersistentDataset<S = Item, T = S> implements Dataset<T> {
  private readonly cut: CutSource<S, T>;
  private readonly store: ItemStore;
  private readonly prefix: string;
  private readonly keep: (name: string, value: unknown) => Promise<void>;

  constructor(data: DataSource<S>, transform: TransformList<S, T>, options: PersistentOptions) {
    expectOptions("PersistentDataset", options, "store version:text onFull:function");
    const { store, version = "" } = options;
    expectFields("PersistentDataset", "store", store, { read: "function", write: "function" });
    this.cut = new CutSource("PersistentDataset", data, transform);
    this.store = store;
    this.keep = keepItems("PersistentDataset", store, options.onFull);
    this.prefix = JSON.stringify([library, version, this.cut.before.map(({ transform: one }) => description(one))]);
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
    return this.cut.fixed(index, async (item, prepared) => {
      const name = `${await itemKey(this.prefix, item, this.store)}.item`;
      const found = await this.store.read(name);
      const known = found && readableItem(found, name);
      if (known) return known.value as T | T[];
      const value = await prepared();
      await this.keep(name, value);
      return value;
    });
  }
}

/** The item, unless the file is damaged or of an older version. It is the `value` kept in `bytes`; `name` is that of the file. */
export function readableItem(bytes: Uint8Array, name: string): { readonly value: unknown } | undefined {
  expectKinds("readableItem", { bytes: { bytes }, text: { name } });
  try {
    return { value: decodeItem(bytes, name) };
  } catch (error) {
    if (error instanceof FormatError) return undefined;
    throw error;
  }
}

/** What a transform says of itself: the text of its class and what it holds. */
function description(transform: unknown): unknown {
  if (typeof transform === "function") return String(transform);
  if (transform instanceof Map || transform instanceof Set) return [...transform].map(description);
  if (ArrayBuffer.isView(transform)) return Array.from(transform as Float32Array, description);
  if (Array.isArray(transform)) return transform.map(description);
  // JSON has no such numbers: infinity would be what NaN and null are.
  if (typeof transform === "bigint" || (typeof transform === "number" && !Number.isFinite(transform))) return String(transform);
  if (typeof transform !== "object" || transform === null) return transform;
  // These show nothing of what they hold.
  if (transform instanceof Date) return ["Date", transform.getTime()];
  if (transform instanceof RegExp) return ["RegExp", String(transform)];
  const entries = Object.entries(transform).map(([key, value]) => [key, description(value)]);
  // By its text: tools that pack pages give other classes the same name.
  const { constructor } = transform;
  return [constructor === Object ? "" : String(constructor), entries];
}
