/** @file A disk that fails: of the calls of the file system below a folder, one by its number is refused, as a full disk or a failing drive refuses it. */

import fs from "node:fs";
import { syncBuiltinESMExports } from "node:module";
import { devNull } from "node:os";
import { resolve } from "node:path";

/** What a call does, and how the system refuses that. */
const codes = {
  open: "EMFILE",
  read: "EIO",
  write: "ENOSPC",
  sync: "EIO",
  close: "EIO",
  rename: "EXDEV",
  mkdir: "ENOSPC",
  stat: "EIO",
  readdir: "EIO",
} as const;
type Kind = keyof typeof codes;
type Call = (...args: unknown[]) => unknown;

let watched: { readonly folder: string; readonly fails: number; calls: number; failed: string | undefined } | undefined;

/** The error of this call, if it is the one. */
function refusal(kind: Kind, path: unknown): Error | undefined {
  if (!watched || typeof path !== "string" || !resolve(path).startsWith(watched.folder)) return undefined;
  if (++watched.calls !== watched.fails) return undefined;
  watched.failed = `${kind} ${resolve(path).slice(watched.folder.length)}`;
  // The system names no path where a handle is read or written.
  return Object.assign(new Error(`${codes[kind]}: made up, ${kind}`), { code: codes[kind], syscall: kind });
}

/** Puts another function in a method's place, which gets the one that was there. */
function replace(owner: object, name: string, made: (real: Call) => Call): void {
  const methods = owner as Record<string, Call>;
  const real = methods[name];
  methods[name] = Object.assign(made(real), real);
}

const refusing = (owner: object, kind: Kind, names: readonly string[], later: boolean): void => {
  for (const name of names)
    replace(owner, name, (real) => (path, ...rest) => {
      const error = refusal(kind, path);
      if (!error) return real.call(owner, path, ...rest);
      if (later) return Promise.reject(error);
      throw error;
    });
};

const paths = new WeakMap<object, string>();

/** Methods of an open file: what is refused of a write is written by half. */
function watchHandles(prototype: object): void {
  const watch = (kind: Kind, name: string, before?: (file: fs.promises.FileHandle, args: unknown[]) => Promise<unknown>): void =>
    replace(
      prototype,
      name,
      (real) =>
        async function (this: fs.promises.FileHandle, ...args: unknown[]) {
          const error = refusal(kind, paths.get(this));
          if (!error) return real.apply(this, args);
          await before?.(this, args);
          throw error;
        },
    );
  const { write } = prototype as Record<string, (...args: unknown[]) => Promise<unknown>>;
  const half = (file: fs.promises.FileHandle, [content]: unknown[]) =>
    typeof content === "string" || content instanceof Uint8Array
      ? write.call(file, Buffer.from(content as string).subarray(0, content.length >> 1))
      : Promise.resolve();
  for (const name of ["writeFile", "appendFile"]) watch("write", name, half);
  watch("sync", "sync");
  watch("stat", "stat");
  watch("read", "read");
}

async function install(): Promise<void> {
  const { promises } = fs;
  const file = await promises.open(devNull);
  watchHandles(Object.getPrototypeOf(file) as object);
  await file.close();
  replace(promises, "open", (real) => async (path, ...rest) => {
    const error = refusal("open", path);
    if (error) throw error;
    const opened = (await real.call(promises, path, ...rest)) as fs.promises.FileHandle;
    paths.set(opened, String(path));
    // Each file has a `close` of its own; it is closed even so.
    const { close } = opened;
    opened.close = async () => {
      const error = refusal("close", path);
      await close();
      if (error) throw error;
    };
    return opened;
  });
  refusing(promises, "read", ["readFile"], true);
  refusing(promises, "rename", ["rename"], true);
  refusing(promises, "mkdir", ["mkdir"], true);
  refusing(promises, "stat", ["stat"], true);
  refusing(promises, "readdir", ["readdir"], true);
  refusing(fs, "open", ["openAsBlob"], true);
  refusing(fs, "read", ["readFileSync"], false);
  refusing(fs, "readdir", ["readdirSync"], false);
  refusing(fs, "stat", ["statSync"], false);
  syncBuiltinESMExports();
}
let installed: Promise<void> | undefined;

/** Runs `task` while the `fails`-th call below `folder` is refused. @returns its result and what was refused, undefined if there were fewer calls */
export async function onFailingDisk<T>(
  folder: string,
  fails: number,
  task: () => Promise<T>,
): Promise<{ result: T; failed: string | undefined }> {
  await (installed ??= install());
  const own = (watched = { folder, fails, calls: 0, failed: undefined });
  try {
    const result = await task();
    return { result, failed: own.failed };
  } finally {
    watched = undefined;
  }
}
