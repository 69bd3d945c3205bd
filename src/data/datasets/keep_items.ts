/** @file Keeping prepared items while there is room for them. */

import { encodeItem } from "./item_codec.ts";
import type { ItemStore } from "./item_store.ts";

/** Whether a write failed because there was no room: on a disk, under a quota, in a page's storage. */
function isFull(error: unknown): boolean {
  const { code, name } = error as { readonly code?: unknown; readonly name?: unknown };
  return code === "ENOSPC" || code === "EDQUOT" || name === "QuotaExceededError";
}

/**
 * Keeps values in a store until it is full, which `onFull` is told once: what is prepared is right without it, and a training of hours does not end for it.
 * Other errors are the store's.
 */
export function keepItems(
  op: string,
  store: ItemStore,
  onFull: (error: Error) => void = (error) =>
    console.warn(
      `${op}: there is no room to keep more prepared items, so the others are prepared again each time: ${error.message}`,
    ),
): (name: string, value: unknown) => Promise<void> {
  let full = false;
  return async (name, value) => {
    if (full) return;
    try {
      await store.write(name, encodeItem(value));
    } catch (error) {
      if (!isFull(error)) throw error;
      // Several may have been on their way.
      if (!full) onFull(error as Error);
      full = true;
    }
  };
}
