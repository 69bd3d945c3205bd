/** @file What the readers of weight files share: their result, and a bound on memory. */

import { Budget, type Fail } from "../host/bytes/budget.ts";
import type { WeightTensor } from "./elements.ts";

/** What a weight file holds. */
export interface WeightsFile {
  /** What the file is: "safetensors", "PyTorch", "TensorFlow.js" … */
  readonly format: string;
  /** Tensors by name, in the order of the file. */
  readonly tensors: Map<string, WeightTensor>;
  /** Texts and numbers kept beside the tensors. */
  readonly metadata: Map<string, string>;
  /** What was not read, and why: entries that are no tensors, and tensors whose type is not supported. */
  readonly skipped: readonly SkippedEntry[];
}

/** An entry of a weight file that was not read. */
export interface SkippedEntry {
  /** Its name in the file. */
  readonly name: string;
  /** Why, as the end of a sentence about the entry. */
  readonly reason: string;
  /** Type and shape of a tensor, in the words of the file. */
  readonly dtype?: string;
  /** Length of each axis. */
  readonly shape?: readonly number[];
}

/** The reason of what is no tensor. */
export const notATensor = "it is no tensor";

/** What reading a weight file may take beside it: three times its size, plus 16 MiB for the objects that many small tensors are described by. */
export const weightsBudget = (fileBytes: number, fail: Fail): Budget => new Budget(3 * fileBytes + 2 ** 24, fail);

/**
 * Throws where a file has tensors and none of them could be read: one among many is passed over, but a file of nothing else says why at once.
 * @throws FormatError with the reason of the first
 */
export function expectSomeRead(tensors: ReadonlyMap<string, unknown>, skipped: readonly SkippedEntry[], fail: Fail): void {
  const first = skipped.find(({ dtype }) => dtype !== undefined);
  if (tensors.size === 0 && first) throw fail(`tensor "${first.name.slice(0, 200)}": ${first.reason}`);
}
