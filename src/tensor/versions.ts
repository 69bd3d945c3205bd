/**
 * @file When memory was made and last written. A note of the tape remembers the time it was taken; if its gradient reads memory that existed
 * then and was written since, the value it needs is gone. Reads tell more than a list of saved tensors would: an addition does not
 * mind what becomes of its inputs, and whatever a gradient keeps beside them, such as statistics, is covered too.
 */

import { ConfigError } from "../host/errors.ts";

let clock = 0;

/** The time, after it has moved on. */
export const tick = (): number => ++clock;
export const now = (): number => clock;

interface Dated {
  readonly made: number;
  readonly changed: number;
}

let walk: { readonly at: number; readonly op: string } | undefined;

/** Runs the gradient `fn` of an operation `op` that was noted at the time `at`: what it reads must be as it was then. */
export function asOf<T>(at: number, op: string, fn: () => T): T {
  const before = walk;
  walk = { at, op };
  try {
    return fn();
  } finally {
    walk = before;
  }
}

/** Throws `ConfigError` if a gradient is about to read memory that was written after its forward pass. */
export function expectUnchanged({ made, changed }: Dated): void {
  if (!walk || made > walk.at || changed <= walk.at) return;
  throw new ConfigError(
    `grad of ${walk.op}: it needs a tensor that was changed in place after the forward pass, by an optimizer (all its parameters change together), ` +
      "device.write or a captured step; take gradients before that, or run the forward pass again",
  );
}
