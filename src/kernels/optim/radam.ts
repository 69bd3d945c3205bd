/** @file Updates of RAdam. */

import { update } from "../../tensor/kernel.ts";
import { radamShader } from "../shaders/optim/radam.gen.ts";
import { radamTickShader } from "../shaders/optim/radam_tick.gen.ts";
import { type FlatBuffers, tick, updateCall, type UpdateOptions } from "./update.ts";

export { RadamState } from "../shaders/lib/radam.gen.ts";

/** Advances `state` (`RadamState`), then updates weight and moments: mean and square. */
export function radam(buffers: FlatBuffers, decoupled: boolean, options: UpdateOptions = {}): void {
  const [mean, square] = buffers.moments;
  tick(radamTickShader, buffers, options);
  const call = updateCall("radam", buffers, decoupled, options);
  buffers.weight.device.run(radamShader({ ...call, bind: { ...call.bind, mean: update(mean), square: update(square) } }));
}
