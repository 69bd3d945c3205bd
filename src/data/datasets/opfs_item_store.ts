/** @file Where a browser keeps items: a folder of the File System API. */

import { expectFields } from "../../host/kinds.ts";
import type { FileSystemDirectoryHandle } from "../../host/platform.ts";
import type { ItemStore } from "./item_store.ts";

/** A store in a folder: `navigator.storage.getDirectory()` or one below it, also in workers. Files appear when they are whole. */
export function opfsItemStore(folder: FileSystemDirectoryHandle): ItemStore {
  expectFields("opfsItemStore", "folder", folder, { getFileHandle: "function" });
  return {
    async read(name) {
      try {
        const file = await (await folder.getFileHandle(name)).getFile();
        return new Uint8Array(await file.arrayBuffer());
      } catch (error) {
        if ((error as Partial<DOMException>).name === "NotFoundError") return undefined;
        throw error;
      }
    },
    async write(name, bytes) {
      const stream = await (await folder.getFileHandle(name, { create: true })).createWritable();
      try {
        await stream.write(bytes as Uint8Array<ArrayBuffer>);
      } catch (error) {
        // Else what was written so far keeps its place until the page ends.
        await stream.abort().catch(() => undefined);
        throw error;
      }
      await stream.close();
    },
  };
}
