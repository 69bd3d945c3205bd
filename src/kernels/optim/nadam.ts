/** @file Updates of NAdam. */

import { update } from "../../tensor/kernel.ts";
import { nadamShader } from "../shaders/optim/nadam.gen.ts";
import { nadamTickShader } from "../shaders/optim/nadam_tick.gen.ts";
import { type FlatBuffers, tick, updateCall, type UpdateOptions } from "./update.ts";

export { NadamState } from "../shaders/lib/nadam.gen.ts";

/** Advances `state` (`NadamState`), then updates weight and moments: mean and square. */
export function nadam(buffers: FlatBuffers, decoupled: boolean, options: UpdateOptions = {}): void {
  const [mean, square] = buffers.moments;
  tick(nadamTickShader, buffers, options);
  const call = updateCall("nadam", buffers, decoupled, options);
  buffers.weight.device.run(nadamShader({ ...call, bind: { ...call.bind, mean: update(mean), square: update(square) } }));
}
