/** @file Moving averages of weights. */

import { update } from "../../tensor/kernel.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import { emaShader } from "../shaders/optim/ema.gen.ts";
import { flat } from "../lib/workgroups.ts";

/** Moves `shadow` towards `weight` by the share 1 − decay. */
export function ema(shadow: Tensor, weight: Tensor, decay: number): void {
  const { words, workgroups } = flat(shadow.device, "ema", shadow.size);
  shadow.device.run(emaShader({ params: { ...words, share: 1 - decay }, bind: { weight, shadow: update(shadow) }, workgroups }));
}
