/** @file Items in a folder of the File System API: a write that fails gives its place back, and is told. */

import { expect, test } from "vitest";
import { opfsItemStore } from "../../../src/data/index.ts";

/** A folder on a full disk. */
function fullFolder() {
  const calls: string[] = [];
  const stream = {
    write: () => Promise.reject(new DOMException("no room", "QuotaExceededError")),
    abort: async () => void calls.push("abort"),
    close: async () => void calls.push("close"),
  };
  const folder = { getFileHandle: async () => ({ createWritable: async () => stream }) };
  return { calls, folder: folder as unknown as FileSystemDirectoryHandle };
}

test("a write that finds no room is aborted, and its error is the store's", async () => {
  const { calls, folder } = fullFolder();
  await expect(opfsItemStore(folder).write("a.item", new Uint8Array(1))).rejects.toThrow("no room");
  expect(calls).toEqual(["abort"]);
});
