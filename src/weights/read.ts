/** @file One reader for every weight file that lies in one piece; what it is, its bytes say. */

import { expectArguments } from "../host/kinds.ts";
import { failing } from "../host/bytes/budget.ts";
import { expectOptions } from "../host/options.ts";
import { type WeightsFile } from "./file.ts";
import { readSafetensors } from "./safetensors.ts";
import { withoutPrefixes } from "./torch/state_dict.ts";
import { isTorch, readTorch, type ReadTorchOptions } from "./torch/file.ts";

/**
 * Reads safetensors or a PyTorch checkpoint. Names lose the prefixes `module.` and `_orig_mod.` that wrappers leave, unless they are to be kept.
 * @param bytes the whole file
 * @throws FormatError for a damaged or hostile file or one of another format
 */
export async function readWeights(bytes: Uint8Array, options: ReadTorchOptions = {}): Promise<WeightsFile> {
  expectOptions("readWeights", options, "source:text key:text keepPrefixes:boolean");
  expectArguments("readWeights", "bytes", { bytes });
  const { source = "weights" } = options;
  if (isTorch(bytes)) return readTorch(bytes, { ...options, source });
  // The length of a JSON header, and its first brace.
  if (bytes.length >= 9 && bytes[8] === 0x7b) {
    if (options.key !== undefined) throw failing(source)("a safetensors file has no groups to choose from: leave out the key.");
    const { tensors, ...rest } = readSafetensors(bytes, source);
    return { format: "safetensors", tensors: options.keepPrefixes ? tensors : withoutPrefixes(tensors), ...rest };
  }
  throw failing(source)("this is neither a safetensors file nor a PyTorch checkpoint, or it is damaged at its start.");
}
