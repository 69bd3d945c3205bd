/** @file Updates of Adagrad. */

import { update } from "../../tensor/kernel.ts";
import { adagradShader } from "../shaders/optim/adagrad.gen.ts";
import { adagradTickShader } from "../shaders/optim/adagrad_tick.gen.ts";
import { type FlatBuffers, tick, updateCall, type UpdateOptions } from "./update.ts";

export { AdagradState } from "../shaders/lib/adagrad.gen.ts";

/** Updates weight and sum of squares, then counts the step in `state` (`AdagradState`). */
export function adagrad(buffers: FlatBuffers, options: UpdateOptions = {}): void {
  const [square] = buffers.moments;
  const call = updateCall("adagrad", buffers, false, options);
  buffers.weight.device.run(adagradShader({ ...call, bind: { ...call.bind, square: update(square) } }));
  tick(adagradTickShader, buffers, options);
}
