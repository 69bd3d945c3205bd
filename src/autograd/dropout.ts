/** @file Dropout with its gradient. */

import * as kernels from "../kernels/dropout.ts";
import { sizeOf } from "../host/array.ts";
import { expectOptions } from "../host/options.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { record } from "./tape.ts";

// What a checkpointed block drew, to be drawn again when it is computed again.
let tape: { readonly draws: Tensor[]; next: number | undefined } | undefined;

/** Runs `fn`, noting its draws in `draws`, or with `replay` giving it those again in order. */
export function withDraws<T>(draws: Tensor[], replay: boolean, fn: () => T): T {
  const before = tape;
  tape = { draws, next: replay ? 0 : undefined };
  try {
    return fn();
  } finally {
    tape = before;
  }
}

function nextDraw(generator: Tensor): Tensor {
  if (tape?.next !== undefined) {
    const draw = tape.draws[tape.next++];
    return draw.view(draw.shape);
  }
  const draw = kernels.takeDraw(generator);
  tape?.draws.push(draw.view(draw.shape));
  return draw;
}

/**
 * Dropout (Srivastava et al. 2014): zeroes elements with probability `rate` and scales the rest by 1 / (1 − rate).
 * @param generator u32 `[4]`: 64-bit seed and 64-bit count of draws, moved on by each call
 * @param channels drop whole channels of `[N, C, …]` instead of elements
 * @throws ConfigError for a rate outside [0, 1)
 */
export function dropout(x: Tensor, generator: Tensor, rate: number, options: { readonly channels?: boolean } = {}): Tensor {
  expectOptions("dropout", options, "channels");
  const { channels = false } = options;
  const inner = channels ? sizeOf(x.shape.slice(2)) : 1;
  const draw = nextDraw(generator);
  const y = record("dropout", [x], kernels.dropout(x, draw, rate, inner), (dy) => [kernels.dropout(dy, draw, rate, inner)]);
  // Without a note nobody else frees it.
  if (y.origin === undefined) draw.dispose();
  return y;
}
