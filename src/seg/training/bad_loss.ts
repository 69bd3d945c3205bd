/** @file Steps whose loss is zero or not finite: what is one, on the device and on the host alike, and what such a step must leave as it was. */

import { abs, isFinite, lt, where } from "../../autograd/pointwise.ts";
import { noGrad } from "../../autograd/tape.ts";
import { BatchNorm } from "../../nn/layers/norm.ts";
import type { Module } from "../../nn/module.ts";
import { full } from "../../kernels/view.ts";
import type { Tensor } from "../../tensor/tensor.ts";

/**
 * "stop": a loss that is not finite ends training. "skip": a step whose loss is zero or not finite changes nothing, and is counted; its optimizer needs
 * no host for that.
 */
export type BadLossPolicy = "stop" | "skip";

// Devices may take what is below it for 0.
const leastNormal = 2 ** -126;

/** Whether a step with this loss is skipped. */
export const isBadLoss = (loss: number): boolean => !(Math.abs(loss) >= leastNormal && Number.isFinite(loss));

/** The same on the device: 1 or 0, without gradient. */
export const badLoss = (loss: Tensor): Tensor =>
  noGrad(() => {
    const one = full(loss.device, loss.shape, 1);
    return where(isFinite(loss), where(lt(abs(loss), leastNormal), one, 0), one);
  });

/**
 * Notes the running statistics of a model's batch norms, which a forward pass moves.
 * @returns brings them back where the scalar it is given is not 0
 */
export function holdStatistics(model: Module): (bad: Tensor) => void {
  const tensors = [...model.modules()].flatMap((m) =>
    m instanceof BatchNorm && m.running_mean && m.running_var ? [m.running_mean, m.running_var] : [],
  );
  const held = tensors.map((t) => {
    const copy = t.device.empty(t.shape);
    t.device.stream.copy(t, copy, 0);
    return copy;
  });
  return (bad) => noGrad(() => tensors.forEach((t, i) => t.device.stream.copy(where(bad, held[i], t), t, 0)));
}
