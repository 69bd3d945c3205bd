/** @file Files of weights on disk, in every format that is read. */

import { readFileSync } from "node:fs";
import { open } from "node:fs/promises";
import { dirname, join } from "node:path";
import { readOnnxFile } from "../../onnx/index.ts";
import { FormatError } from "../../host/errors.ts";
import { expectOptions } from "../../host/options.ts";
import type { WeightsFile } from "../../weights/file.ts";
import { readWeights } from "../../weights/read.ts";
import { readTfjs, type TfjsModel } from "../../weights/tfjs/file.ts";
import { tfjsLayers, tfjsStateDict } from "../../weights/tfjs/layers.ts";

/** Options of `readWeightsFile`. */
export interface ReadWeightsFileOptions {
  /** Path of names to the state dict of a PyTorch checkpoint that holds several. */
  readonly key?: string | undefined;
}

/**
 * The tensors of a file by name: safetensors and PyTorch checkpoints (what they are, their bytes say), ONNX initializers (`.onnx`) and
 * TensorFlow.js models (`.json`). The weights of layers models are given by the names and in the layout of `layersModel`; those of graph models,
 * and of models with layers that are not supported, as they are in the file.
 * @throws FormatError for a damaged file, another format, or what is not supported
 * @param path of the file
 */
export async function readWeightsFile(path: string, options: ReadWeightsFileOptions = {}): Promise<WeightsFile> {
  expectOptions("readWeightsFile", options, "key");
  const { key } = options;
  const bytes = await readBytes(path);
  if (/\.onnx$/i.test(path)) return readOnnxFile(bytes, { source: path, external: filesBeside(path) });
  if (/\.json$/i.test(path)) {
    return tfjsWeights(await readTfjs(bytes, (shard) => readBytes(join(dirname(path), shard)), path));
  }
  return readWeights(bytes, { source: path, ...(key === undefined ? {} : { key }) });
}

/** A whole file; fs.readFile stops at 2 GiB. */
async function readBytes(path: string): Promise<Uint8Array> {
  const file = await open(path).catch((error: NodeJS.ErrnoException) => {
    throw cannotOpen(path, error);
  });
  try {
    const stat = await file.stat();
    if (!stat.isFile()) throw new FormatError(`cannot open ${path}: it is a folder; give the path of the file of weights`);
    const { size } = stat;
    const bytes = new Uint8Array(size);
    for (let at = 0; at < size;) {
      const { bytesRead } = await file.read(bytes, at, Math.min(size - at, 2 ** 30), at).catch((cause: Error) => {
        throw new FormatError(`${path} cannot be read to its end: ${cause.message}`, { cause });
      });
      if (bytesRead === 0) throw new FormatError(`${path}: the file became shorter while it was read`);
      at += bytesRead;
    }
    return bytes;
  } finally {
    await file.close();
  }
}

function tfjsWeights(model: TfjsModel): WeightsFile {
  const rest = { metadata: new Map<string, string>(), skipped: model.skipped };
  if (model.format === "graph-model")
    return { format: "TensorFlow.js graph model, in TensorFlow's layout", tensors: model.weights, ...rest };
  try {
    return { format: "TensorFlow.js layers model", tensors: tfjsStateDict(tfjsLayers(model)), ...rest };
  } catch (error) {
    if (!(error instanceof FormatError)) throw error;
    const why = error.message.slice(model.source.length + 2);
    return {
      format: `TensorFlow.js layers model, in Keras's layout because it cannot be run here (${why})`,
      tensors: model.weights,
      ...rest,
    };
  }
}

/** Reads files beside a model, each once. */
function filesBeside(path: string): (location: string) => Uint8Array {
  const files = new Map<string, Uint8Array>();
  return (location) => {
    let bytes = files.get(location);
    if (!bytes) files.set(location, (bytes = readSync(join(dirname(path), location))));
    return bytes;
  };
}

function readSync(path: string): Uint8Array {
  try {
    return readFileSync(path);
  } catch (error) {
    throw cannotOpen(path, error as NodeJS.ErrnoException);
  }
}

const cannotOpen = (path: string, error: NodeJS.ErrnoException): FormatError =>
  new FormatError(`cannot open ${path}: ${error.code === "ENOENT" ? "there is no such file" : error.message}`, { cause: error });
