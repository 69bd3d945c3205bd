/** @file Files and folders of a disk (Node) as the files of images. */

import { existsSync, openAsBlob } from "node:fs";
import { readdir, stat } from "node:fs/promises";
import { basename, dirname, isAbsolute, join, normalize } from "node:path";
import { FormatError } from "../../host/errors.ts";
import type { ImageFile, ReadImageOptions } from "./format.ts";
import { isImage } from "./read_image.ts";

/** A file of a disk. Its bytes are read when they are wanted. @throws FormatError if it cannot be opened or is none */
export async function fileAt(path: string, op = "readImage"): Promise<ImageFile> {
  const fail = (cause: Error) => new FormatError(`${op}: cannot open ${path}: ${cause.message}`, { cause });
  const info = await stat(path).catch((cause: Error) => {
    throw fail(cause);
  });
  if (!info.isFile()) throw new FormatError(`${op}: ${path} is not a file`);
  const blob = await openAsBlob(path).catch((cause: Error) => {
    throw fail(cause);
  });
  // A header that is not trusted names no file outside of its folder.
  const beside = async (name: string) => {
    const given = normalize(name.replaceAll("\\", "/"));
    const below = isAbsolute(given) || given.startsWith("..") ? [] : [given];
    const other = [...below, basename(given)].map((part) => join(dirname(path), part)).find((at) => existsSync(at));
    return other === undefined ? undefined : fileAt(other, op);
  };
  return { name: path, blob, beside };
}

/** All files of a folder and the folders in it, by path. */
export const filesBelow = (dir: string): Promise<ImageFile[]> => filesIn(dir, true);

/** The files of a folder by name, or the file itself. */
export async function filesAt(path: string): Promise<ImageFile[]> {
  const info = await stat(path).catch((cause: Error) => {
    throw new FormatError(`readImage: cannot open ${path}: ${cause.message}`, { cause });
  });
  return info.isDirectory() ? filesIn(path, false) : [await fileAt(path)];
}

/**
 * The files among which an image is looked for: the file, those of the folder, or, where none of these is an image, of all folders in it, see readImageFile.
 * @throws FormatError if there is none
 */
export async function imageFilesAt(path: string, { series }: ReadImageOptions = {}): Promise<ImageFile[]> {
  const own = await filesAt(path);
  const isFile = own.length === 1 && own[0].name === path;
  const found = isFile || (series === undefined && (await anyImage(own))) ? own : await filesBelow(path);
  if (found.length === 0) throw new FormatError(`readImage: ${path}: neither the folder nor those in it have files`);
  return found;
}

/** Whether an image is among the files of a folder. Of slices the first one tells. */
async function anyImage(files: readonly ImageFile[]): Promise<boolean> {
  for (const file of files) if (await isImage(file)) return true;
  return false;
}

async function filesIn(dir: string, recursive: boolean): Promise<ImageFile[]> {
  const entries = await readdir(dir, { recursive, withFileTypes: true }).catch((cause: Error) => {
    throw new FormatError(`readImage: cannot read the folder ${dir}: ${cause.message}`, { cause });
  });
  const found = await Promise.all(
    entries
      .filter((e) => !e.name.startsWith("."))
      .map(async (e) => {
        const path = join(e.parentPath, e.name);
        // Data sets of DataLad are links to their files.
        const linked =
          e.isSymbolicLink() &&
          (await stat(path).then(
            (s) => s.isFile(),
            () => false,
          ));
        return e.isFile() || linked ? [path] : [];
      }),
  );
  return Promise.all(
    found
      .flat()
      .sort()
      .map((path) => fileAt(path)),
  );
}
