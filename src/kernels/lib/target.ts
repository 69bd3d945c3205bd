/** @file How losses take their targets: class indices of any type, or a value for each channel. */

import type { Tensor } from "../../tensor/tensor.ts";
import { CHANNELS, FLOAT_INDEX, INDEX } from "../shaders/lib/target.gen.ts";

/** The override of lib/target, and its name in pipeline keys. */
export function targetKind(target: Tensor, channels: boolean, ofChannels = "channels"): { TARGET: number; name: string } {
  if (channels) return { TARGET: CHANNELS, name: ofChannels };
  return target.dtype === "f32" ? { TARGET: FLOAT_INDEX, name: "float" } : { TARGET: INDEX, name: "index" };
}
