/** @file A run in a browser's private file system, or in any folder that the user has opened for the page. */

import { ConfigError } from "../../host/errors.ts";
import { expectFields } from "../../host/kinds.ts";
import type { RunStore } from "./store.ts";
import type { FileSystemDirectoryHandle } from "../../host/platform.ts";

const isMissing = (error: unknown): boolean => (error as Partial<DOMException>).name === "NotFoundError";

/** What the lock of a folder is called: its path in the private file system; of a folder of the disk a page only knows the name. */
async function lockName(folder: FileSystemDirectoryHandle): Promise<string> {
  const path = await (await navigator.storage.getDirectory()).resolve(folder);
  return path ? `voxgrad run ${path.join("/")}` : `voxgrad run on disk ${folder.name}`;
}

/** Of the Web Locks API, which the browser frees when a tab or worker ends, however it does. */
async function lock(folder: FileSystemDirectoryHandle): Promise<() => Promise<void>> {
  const name = await lockName(folder);
  return new Promise((resolve, reject) => {
    const held = navigator.locks.request(name, { ifAvailable: true }, (free) => {
      if (!free)
        throw new ConfigError(`opfsStore: the run "${folder.name}" is being trained in another tab; pause it there first`);
      return new Promise<void>((release) => {
        resolve(async () => {
          release();
          await held;
        });
      });
    });
    held.catch(reject);
  });
}

/**
 * Keeps a run in a folder of the File System API: `navigator.storage.getDirectory()` for the origin's private one, or what
 * `showDirectoryPicker()` gave. Files are written beside and moved over the old ones when closed, as the API promises. Of all tabs and workers of the
 * origin one may train into it at a time; of folders on the disk those of one name count as one.
 */
export function opfsStore(folder: FileSystemDirectoryHandle): RunStore {
  expectFields("opfsStore", "folder", folder, { getFileHandle: "function" });
  const handle = async (file: string, create: boolean): Promise<FileSystemFileHandle | undefined> => {
    const [name, ...folders] = file.split("/").reverse();
    try {
      let at = folder;
      for (const part of folders.reverse()) at = await at.getDirectoryHandle(part, { create });
      return await at.getFileHandle(name, { create });
    } catch (error) {
      if (!create && isMissing(error)) return undefined;
      throw error;
    }
  };
  const put = async (file: string, content: Uint8Array | string, keepExistingData: boolean): Promise<void> => {
    const target = (await handle(file, true))!;
    const stream = await target.createWritable({ keepExistingData });
    try {
      if (keepExistingData) await stream.seek((await target.getFile()).size);
      await stream.write(content as Uint8Array<ArrayBuffer> | string);
    } catch (error) {
      await stream.abort().catch(() => undefined); // the first error is the one to tell
      throw error;
    }
    await stream.close();
  };
  return {
    name: folder.name || "the browser's storage",
    async read(file) {
      const found = await (await handle(file, false))?.getFile();
      return found && new Uint8Array(await found.arrayBuffer());
    },
    write: (file, content) => put(file, content, false),
    append: (file, text) => put(file, text, true),
    has: async (file) => (await handle(file, false)) !== undefined,
    lock: () => lock(folder),
  };
}
