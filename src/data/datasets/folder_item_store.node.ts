/** @file Where Node keeps items: a folder. */

import { expectArguments } from "../../host/kinds.ts";
import { join } from "node:path";
import { makeFolder, readIfThere, writeFileAtomic } from "../../host/files.node.ts";
import { contentStamp } from "./content_stamp.node.ts";
import type { ItemStore } from "./item_store.ts";

/**
 * A store in a folder, which is made when it is first written to. Several workers and runs may use it at once. A path in an item counts with size and time
 * of its file, of those beside it that it names or that share its name, and of a folder's own files, or those below where it has none.
 */
export function folderItemStore(folder: string): ItemStore {
  expectArguments("folderItemStore", "text", { folder });
  return {
    read: (name) => readIfThere(join(folder, name)),
    async write(name, bytes) {
      // Each time: somebody may clear the folder during a run.
      await makeFolder(folder);
      await writeFileAtomic(join(folder, name), bytes);
    },
    stamp: contentStamp,
  };
}
