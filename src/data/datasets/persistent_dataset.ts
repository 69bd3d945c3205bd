/** @file PersistentDataset: prepared items kept in a store (a folder, a browser's private file system), so that the next run begins with them. */

import { expectKinds, expectFields } from "../../host/kinds.ts";
import { expectOptions } from "../../host/options.ts";
import { ConfigError, FormatError } from "../../host/errors.ts";
import type { RandomSource } from "../../host/random/numpy.ts";
import type { Item } from "../transforms/transform.ts";
import { CutSource } from "./cut_source.ts";
import { applyTransforms, type Dataset, type DataSource, type StreamPlan, type TransformList } from "./dataset.ts";
import { decodeItem, encodeItem } from "./item_codec.ts";

/** Keeps bytes under names. A write that is cut short must not leave a file under the name. */
export interface ItemStore {
  /** Undefined if there is nothing under the name. */
  read(name: string): Promise<Uint8Array | undefined>;
  /** Keeps `bytes` under `name`, in place of what was there. */
  write(name: string, bytes: Uint8Array): Promise<void>;
}

/** How items are named in the store. */
export interface PersistentOptions {
  /** Where items are kept: a folder, memory, or what else has `read` and `write`. */
  readonly store: ItemStore;
  /** Part of every name: change it when the transforms mean something else although their names and options do not show it. */
  readonly version?: string;
}

/**
 * Items as they are after the transforms before the first random one, computed once for all runs: under the hash of the item and of what the
 * transforms say of themselves (class, options; a marked function's text). MONAI's `PersistentDataset`. Items must be data: paths, names, numbers, arrays.
 * A damaged file is computed anew.
 */
export class PersistentDataset<T = Item> implements Dataset<T> {
  private readonly cut: CutSource<T>;
  private readonly store: ItemStore;
  private readonly prefix: string;

  constructor(data: DataSource<T>, transform: TransformList<T>, options: PersistentOptions) {
    expectOptions("PersistentDataset", options, "store version:text");
    const { store, version = "" } = options;
    expectFields("PersistentDataset", "store", store, { read: "function", write: "function" });
    this.cut = new CutSource("PersistentDataset", data, transform);
    this.store = store;
    this.prefix = JSON.stringify([version, this.cut.before.map(description)]);
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
      const name = `${await itemHash(this.prefix, encodeItem(item))}.item`;
      const found = await this.store.read(name);
      const known = found && readableItem(found, name);
      if (known) return known.value as T | T[];
      const value = await prepared();
      await this.store.write(name, encodeItem(value));
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

/** What a transform says of itself: its class and what it holds. */
function description(transform: unknown): unknown {
  if (typeof transform === "function") return String(transform);
  if (ArrayBuffer.isView(transform)) return Array.from(transform as Uint8Array);
  if (Array.isArray(transform)) return transform.map(description);
  if (typeof transform !== "object" || transform === null) return typeof transform === "bigint" ? String(transform) : transform;
  const entries = Object.entries(transform).map(([key, value]) => [key, description(value)]);
  return [transform.constructor?.name ?? "", entries];
}

/** What items are named by: 32 hexadecimal digits of SHA-256. Throws `ConfigError` where a page has no such thing. Of `prefix` and then `bytes`. */
export async function itemHash(prefix: string, bytes: Uint8Array): Promise<string> {
  expectKinds("itemHash", { text: { prefix }, bytes: { bytes } });
  const { subtle } = globalThis.crypto;
  if (!subtle)
    throw new ConfigError(
      "PersistentDataset: this page has no crypto.subtle to name items with; serve it by https or from localhost",
    );
  const head = new TextEncoder().encode(prefix);
  const all = new Uint8Array(head.length + bytes.length);
  all.set(head);
  all.set(bytes, head.length);
  const digest = new Uint8Array(await subtle.digest("SHA-256", all));
  return Array.from(digest.subarray(0, 16), (b) => b.toString(16).padStart(2, "0")).join("");
}

/** Keeps items in memory: for tests, and where nothing else is. `files` has the bytes by name. */
export function memoryItemStore(): ItemStore & { readonly files: Map<string, Uint8Array> } {
  const files = new Map<string, Uint8Array>();
  return {
    files,
    read: (name) => Promise.resolve(files.get(name)),
    write: (name, bytes) => Promise.resolve(void files.set(name, bytes)),
  };
}
