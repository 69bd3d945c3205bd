/** @file Updates of Adam, AdamW and AMSGrad. */

import { update } from "../../tensor/kernel.ts";
import { adamShader } from "../shaders/optim/adam.gen.ts";
import { adamTickShader } from "../shaders/optim/adam_tick.gen.ts";
import { type FlatBuffers, tick, updateCall, type UpdateOptions } from "./update.ts";

export { AdamState } from "../shaders/lib/adam.gen.ts";

/** Advances Adam's bias corrections in `state` (`AdamState`), then updates weight and moments: mean, square and, for AMSGrad, the largest square. */
export function adam(buffers: FlatBuffers, decoupled: boolean, options: UpdateOptions = {}): void {
  const [mean, square, largest] = buffers.moments;
  tick(adamTickShader, buffers, options);
  const { bind: shared, variant, ...call } = updateCall("adam", buffers, decoupled, options);
  const given = { ...call, variant: [largest ? "amsgrad" : "plain", variant].filter(Boolean).join(" ") };
  const bind = { ...shared, mean: update(mean), square: update(square) };
  buffers.weight.device.run(
    largest
      ? adamShader.largest({ ...given, bind: { ...bind, largest: update(largest) } })
      : adamShader.latest({ ...given, bind }),
  );
}
