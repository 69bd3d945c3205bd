/** @file What the readers of weight files share: their result, their error, and a bound on memory. */

import { FormatError } from "../host/errors.ts";
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

/** Makes the error for a problem of the file at hand. */
export type Fail = (problem: string) => FormatError;

export const failing =
  (source: string): Fail =>
  (problem) =>
    new FormatError(`${source}: ${problem}`);

/**
 * The memory that reading a file may take beside the file itself: three times its size, plus 16 MiB for the objects that many small
 * tensors are described by. Whatever a file promises is taken from here before it is allocated.
 */
export class Budget {
  private left: number;
  private readonly fail: Fail;

  constructor(fileBytes: number, fail: Fail) {
    this.left = 3 * fileBytes + 2 ** 24;
    this.fail = fail;
  }

  /** Throws `FormatError` when the file asks for more than it may. */
  take(bytes: number, what: string): void {
    this.left -= bytes;
    if (!(this.left >= 0)) throw this.fail(`${what} would take more memory than four times the file's size.`);
  }

  /** Puts back what is no longer needed. */
  give(bytes: number): void {
    this.left += bytes;
  }
}
