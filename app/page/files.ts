/** @file Files from drops and from pickers, folders walked through, with their paths. */

import type { PickedFile } from "../protocol.ts";

export interface Picked {
  readonly files: readonly PickedFile[];
  /** Of the folder, or of the only file. */
  readonly name: string;
  /** The folder itself, which the browser may keep for another visit. */
  readonly folder?: FileSystemDirectoryHandle;
}

/** A name without marks that turn the writing of what stands behind it, by which a name can pass for another. */
const plain = (path: string): string => path.replace(/[\u202a-\u202e\u2066-\u2069]/g, "");

/** The files of an input, also of one that takes folders. */
export function filesOfInput(input: HTMLInputElement): Picked {
  const files = [...(input.files ?? [])].map((file) => ({ path: plain(file.webkitRelativePath || file.name), file }));
  input.value = ""; // so that the same files can be chosen again
  return { files, name: nameOf(files) };
}

const nameOf = (files: readonly PickedFile[]): string => files[0]?.path.split("/")[0] ?? "";

interface EntryReader {
  readEntries(done: (entries: Entry[]) => void, failed: (error: unknown) => void): void;
}

/** An entry of a drop, which every browser has; handles only some. */
interface Entry {
  readonly isFile: boolean;
  readonly fullPath: string;
  readonly name: string;
  file?(done: (file: File) => void, failed: (error: unknown) => void): void;
  createReader?(): EntryReader;
}

async function walk(entry: Entry, found: PickedFile[]): Promise<void> {
  if (entry.isFile) {
    const file = await new Promise<File>((done, failed) => entry.file!(done, failed));
    found.push({ path: plain(entry.fullPath.replace(/^\//, "")), file });
    return;
  }
  const reader = entry.createReader!();
  for (;;) {
    // A reader gives some hundred at a time.
    const some = await new Promise<Entry[]>((done, failed) => reader.readEntries(done, failed));
    if (some.length === 0) return;
    for (const inner of some) await walk(inner, found);
  }
}

interface HandleItem {
  getAsFileSystemHandle?(): Promise<FileSystemHandle | null>;
}

/** What was dropped. Its items are only there until this function first waits. */
export async function filesOfDrop(data: DataTransfer): Promise<Picked> {
  const items = [...data.items].filter((i) => i.kind === "file");
  const entries = items.map((i) => i.webkitGetAsEntry?.() as Entry | null);
  const given = [...data.files];
  const handle = items.length === 1 ? (items[0] as HandleItem).getAsFileSystemHandle?.().catch(() => null) : undefined;
  const found: PickedFile[] = [];
  if (entries.length > 0 && entries.every((e) => e !== null)) for (const entry of entries) await walk(entry, found);
  else found.push(...given.map((file) => ({ path: plain(file.name), file })));
  const folder = (await handle) ?? undefined;
  return {
    files: found,
    name: nameOf(found),
    ...(folder?.kind === "directory" && { folder: folder as FileSystemDirectoryHandle }),
  };
}

interface PickerWindow {
  showDirectoryPicker?(options: object): Promise<FileSystemDirectoryHandle>;
}

/** Whether folders can be picked in a way that the browser remembers. */
export const picksFolders = "showDirectoryPicker" in globalThis;

async function walkHandle(folder: FileSystemDirectoryHandle, path: string, found: PickedFile[]): Promise<void> {
  for await (const [name, handle] of folder.entries()) {
    if (handle.kind === "file")
      found.push({ path: plain(`${path}/${name}`), file: await (handle as FileSystemFileHandle).getFile() });
    else await walkHandle(handle as FileSystemDirectoryHandle, `${path}/${name}`, found);
  }
}

/** Asks for a folder; undefined if the user changed their mind. */
export async function pickFolder(): Promise<Picked | undefined> {
  try {
    const folder = await (globalThis as PickerWindow).showDirectoryPicker!({ mode: "read" });
    const files: PickedFile[] = [];
    await walkHandle(folder, folder.name, files);
    return { files, name: folder.name, folder };
  } catch (error) {
    if ((error as DOMException).name === "AbortError") return undefined;
    throw error;
  }
}
