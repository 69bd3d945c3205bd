/** @file Reading hostile files: the error for a problem of the file at hand, and a bound on the memory that reading it may take. */

import { FormatError } from "../errors.ts";

/** Makes the error for a problem of the file at hand. */
export type Fail = (problem: string) => FormatError;

/** Errors about a file of this name. */
export const failing =
  (source: string): Fail =>
  (problem) =>
    new FormatError(`${source}: ${problem}`);

/**
 * The memory that reading a file may take beside the file itself: a multiple of its size, plus some for the objects that many small entries
 * are described by. Whatever a file promises is taken from here before it is allocated.
 */
export class Budget {
  /** Makes the error for a problem of the file. */
  readonly fail: Fail;
  private left: number;

  constructor(bytes: number, fail: Fail) {
    this.left = bytes;
    this.fail = fail;
  }

  /** Spends some of it. @throws FormatError when the file asks for more than it may */
  take(bytes: number, what: string): void {
    this.left -= bytes;
    if (!(this.left >= 0)) throw this.fail(`${what} would take more memory than four times the file's size`);
  }

  /** Puts back what is no longer needed. */
  give(bytes: number): void {
    this.left += bytes;
  }
}
