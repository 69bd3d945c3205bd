/** @file What the readers of weight files share: their result, and a bound on memory. */

import { Budget, type Fail } from "../host/bytes/budget.ts";
import type { WeightTensor } from "./elements.ts";

/** What a weight file holds. */
export interface WeightsFile {
  readonly format: string;
  /** Tensors by name, in the order of the file. */
  readonly tensors: Map<string, WeightTensor>;
  /** Texts and numbers kept beside the tensors. */
  readonly metadata: Map<string, string>;
  /** Names of entries beside the tensors that are no tensors; they were not read. */
  readonly skipped: readonly string[];
}

/** What reading a weight file may take beside it: three times its size, plus 16 MiB for the objects that many small tensors are described by. */
export const weightsBudget = (fileBytes: number, fail: Fail): Budget => new Budget(3 * fileBytes + 2 ** 24, fail);
