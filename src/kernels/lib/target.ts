/** @file How losses take their targets: class indices of any type, or a value for each channel. */

import { ConfigError } from "../../host/errors.ts";
import { update } from "../../tensor/kernel.ts";
import type { Device, Tensor } from "../../tensor/tensor.ts";
import { CHANNELS, FLOAT_INDEX, INDEX } from "../shaders/lib/target.gen.ts";

// What lib/target makes of values that are no class index.
const nan = -(2 ** 31);
const between = nan + 1;

/** What a kernel needs that checks class indices: the words to note one in that no class has, and which of them is its own. */
export function classCheck(device: Device, op: string, classes: number, ignored: number | undefined) {
  const { valueFaults } = device;
  const allowed = ignored === undefined || (ignored >= 0 && ignored < classes) ? "" : ` and ${ignored}, which is ignored`;
  const fault = valueFaults.check(`${op} ${classes} ${allowed}`, (value) => {
    if (value === between) {
      return (
        `${op}: a class index is no whole number: labels were interpolated or averaged on the way; take their voxels from the nearest, as ` +
        `transforms do with what onKeys knows as a label (labels: ["label"])`
      );
    }
    const found = value === nan ? "NaN" : String(value);
    return (
      `${op}: a class index is ${found}, outside of the ${classes} classes 0 to ${classes - 1}${allowed}; map the labels to class indices, ` +
      "or name one that is to count for nothing with the option ignoreIndex (nnU-Net's losses: ignoreLabel)"
    );
  });
  return { fault, faults: update(valueFaults.words) };
}

/** Words of a kernel for the class index that counts for nothing, if there is one. Throws `ConfigError`. */
export function ignoring(op: string, ignoreIndex: number | undefined): { ignored: number; ignores: number } {
  if (ignoreIndex !== undefined && !Number.isInteger(ignoreIndex)) {
    throw new ConfigError(`${op}: ignoreIndex must be a whole number, got ${ignoreIndex}`);
  }
  return { ignored: ignoreIndex ?? 0, ignores: ignoreIndex === undefined ? 0 : 1 };
}

/** The override of lib/target, and its name in pipeline keys. */
export function targetKind(target: Tensor, channels: boolean, ofChannels = "channels"): { TARGET: number; name: string } {
  if (channels) return { TARGET: CHANNELS, name: ofChannels };
  return target.dtype === "f32" ? { TARGET: FLOAT_INDEX, name: "float" } : { TARGET: INDEX, name: "index" };
}
