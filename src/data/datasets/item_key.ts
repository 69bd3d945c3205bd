/** @file What kept items are named by: what they were made from, with the contents of the files that it names. */

import { isBlob } from "../../host/class_name.ts";
import { expectKinds } from "../../host/kinds.ts";
import { ConfigError } from "../../host/errors.ts";
import { encodeItem, inItself, isPlainRecord } from "./item_codec.ts";
import type { ItemStore } from "./item_store.ts";

/** 32 hexadecimal digits of SHA-256, of `prefix` and then `bytes`. Throws `ConfigError` where a page has no such thing. */
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

/**
 * The hash of what an item was made from. Texts in `item` that are paths count with the stamp of what lies there, a `File` as its name, size and time.
 * @throws ConfigError for a blob without name and time, whose bytes alone would tell it from another
 * @throws DataError for what is no plain data
 */
export async function itemKey(prefix: string, item: unknown, store: Pick<ItemStore, "stamp">): Promise<string> {
  const stamps = new Map<string, string | undefined>();
  const plain = async (value: unknown, around: readonly unknown[] = []): Promise<unknown> => {
    if (typeof value === "string") {
      if (store.stamp && !stamps.has(value)) stamps.set(value, await store.stamp(value));
      return value;
    }
    if (typeof value !== "object" || value === null || ArrayBuffer.isView(value)) return value;
    if (isBlob(value)) return ["File", ...identityOf(value)];
    if (around.includes(value)) throw inItself();
    const within = [...around, value];
    if (Array.isArray(value)) return Promise.all(value.map((v) => plain(v, within)));
    // Of another kind of object encodeItem says what it is.
    if (!isPlainRecord(value)) return value;
    const entries = Object.entries(value).map(async ([key, v]) => [key, await plain(v, within)] as const);
    return Object.fromEntries(await Promise.all(entries));
  };
  const known = await plain(item);
  const there = [...stamps].filter(([, stamp]) => stamp !== undefined).sort(([a], [b]) => (a < b ? -1 : 1));
  return itemHash(prefix, encodeItem([known, there]));
}

function identityOf(blob: Blob): unknown[] {
  const { name, webkitRelativePath, lastModified } = blob as Partial<File>;
  if (name === undefined || lastModified === undefined)
    throw new ConfigError(
      "PersistentDataset: an item holds a Blob, which has neither name nor time to know it again by; give a File, or what it was made from",
    );
  return [webkitRelativePath || name, blob.size, lastModified];
}
