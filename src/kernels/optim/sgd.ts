/** @file Updates of stochastic gradient descent. */

import { update } from "../../tensor/kernel.ts";
import { sgdShader } from "../shaders/optim/sgd.gen.ts";
import { sgdTickShader } from "../shaders/optim/sgd_tick.gen.ts";
import { type FlatBuffers, tick, updateCall, type UpdateOptions } from "./update.ts";

export { SgdState } from "../shaders/lib/sgd.gen.ts";

/** Updates weight and velocity, then counts the step in `state` (`SgdState`). */
export function sgd(buffers: FlatBuffers, nesterov: boolean, options: UpdateOptions = {}): void {
  const [velocity] = buffers.moments;
  const call = updateCall("sgd", buffers, nesterov, options);
  buffers.weight.device.run(sgdShader({ ...call, bind: { ...call.bind, velocity: update(velocity) } }));
  tick(sgdTickShader, buffers, options);
}
