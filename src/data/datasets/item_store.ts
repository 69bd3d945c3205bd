/** @file Where prepared items are kept. */

/** Keeps bytes under names. A write that is cut short must not leave a file under the name. */
export interface ItemStore {
  /** Undefined if there is nothing under the name. */
  read(name: string): Promise<Uint8Array | undefined>;
  /** Keeps `bytes` under `name`, in place of what was there. */
  write(name: string, bytes: Uint8Array): Promise<void>;
  /**
   * What tells the contents of the file or folder at `path` from others that it had before, such as size and time; undefined where there is none. A store
   * without it, such as a page's, takes paths for what they say: give `File` objects there, or a `version`.
   */
  stamp?(path: string): Promise<string | undefined>;
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
