/** @file Updates of RMSprop. */

import { update } from "../../tensor/kernel.ts";
import { rmspropShader } from "../shaders/optim/rmsprop.gen.ts";
import { type FlatBuffers, updateCall, type UpdateOptions } from "./update.ts";

export { RmspropState } from "../shaders/optim/rmsprop.gen.ts";

/** Updates weight and the moments by `state` (`RmspropState`): square, velocity and mean, which may be one word unless `centered`. */
export function rmsprop(buffers: FlatBuffers, centered: boolean, options: UpdateOptions = {}): void {
  const [square, velocity, mean] = buffers.moments.map((t) => update(t));
  const call = updateCall("rmsprop", buffers, centered, options);
  buffers.weight.device.run(rmspropShader({ ...call, bind: { ...call.bind, square, velocity, mean } }));
}
