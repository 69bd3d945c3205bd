/** @file Files of models on a disk (Node). */

import { readdirSync, statSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { basename, dirname, join, relative, sep } from "node:path";
import { FormatError } from "../../host/errors.ts";
import type { ModelFiles } from "./model.ts";

// A results folder of nnU-Net may hold the validation cases of a training; no model is deeper, or has more files that matter.
const most = 50_000;

function filesUnder(folder: string): string[] {
  const found: string[] = [];
  const walk = (path: string, depth: number): void => {
    for (const entry of readdirSync(path, { withFileTypes: true })) {
      if (entry.name.startsWith(".") || found.length >= most) continue;
      const inner = join(path, entry.name);
      if (entry.isDirectory() || (entry.isSymbolicLink() && statSync(inner, { throwIfNoEntry: false })?.isDirectory())) {
        if (depth > 0) walk(inner, depth - 1);
      } else found.push(relative(folder, inner).split(sep).join("/"));
    }
  };
  walk(folder, 3);
  return found;
}

/** A file, with those beside it that are no model of their own: tensors, shards, names of labels. */
function filesBeside(path: string): string[] {
  const own = basename(path);
  const others = readdirSync(dirname(path), { withFileTypes: true }).filter((e) => e.isFile() && e.name !== own);
  return [own, ...others.map((e) => e.name).filter((name) => !/\.(onnx|pth?|safetensors)$/.test(name) && name !== "model.json")];
}

/** The files of a model: of a folder all, of a file it and those beside it. @throws FormatError if there is nothing at the path or it cannot be read */
export function modelFiles(path: string): ModelFiles {
  const said = (cause: unknown) => new FormatError(`cannot read ${path}: ${(cause as Error).message}`, { cause });
  try {
    const isFolder = statSync(path).isDirectory();
    const folder = isFolder ? path : dirname(path);
    return {
      name: path,
      paths: isFolder ? filesUnder(path) : filesBeside(path),
      read: (file) =>
        readFile(join(folder, file)).catch((cause: unknown) => {
          throw new FormatError(`cannot read ${join(folder, file)}: ${(cause as Error).message}`, { cause });
        }),
    };
  } catch (cause) {
    throw said(cause);
  }
}
