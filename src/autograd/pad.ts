/** @file Padding and rolling with gradients. */

import { pad as padKernel, padAxes, padGradient, type PadMode, rollAxes } from "../kernels/pad.ts";
import { expectKind } from "../tensor/kind.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { record } from "./tape.ts";
import { expectOptions } from "../host/options.ts";
import { expectArguments } from "../host/kinds.ts";
import { axisList } from "../host/shape.ts";

export type { PadMode } from "../kernels/pad.ts";

/** Options of `pad`. */
export interface PadOptions {
  /** "constant" (default), "reflect" (without repeating the edge), "replicate" or "circular". */
  readonly mode?: PadMode;
  /** What constant padding is made of; default 0. */
  readonly value?: number;
}

/**
 * PyTorch's `F.pad`: `padding` names pairs from the last axis backwards, `[left, right, top, bottom, front, back]` for volumes; negative numbers
 * crop. Every mode takes any number of axes. Throws `ShapeError` when more is cropped than there is, and for reflection by the size of the axis
 * or more, or wrapping around more than once; `ConfigError` for another mode.
 */
export function pad(x: Tensor, padding: readonly number[], options: PadOptions = {}): Tensor {
  expectOptions("pad", options, "mode value");
  const { mode = "constant", value = 0 } = options;
  expectKind("pad", { x });
  expectArguments("pad", "numbers", { padding });
  const axes = padAxes(x.shape, padding, mode);
  return record("pad", [x], padKernel("pad", x, axes, mode, value), (dy) => [padGradient(dy, axes, mode)], { axes, mode, value });
}

/**
 * Elements moved by `shifts` along `axes`; what leaves at one end comes in at the other. Without axes the elements are rolled in their flat order,
 * as in PyTorch. Throws `ShapeError` unless there is one integer shift per axis.
 */
export function roll(x: Tensor, shifts: number | readonly number[], axes?: number | readonly number[]): Tensor {
  expectKind("roll", { x });
  const by = typeof shifts === "number" ? [shifts] : shifts;
  expectArguments("roll", "numbers", { shifts: by });
  const flat = axes === undefined;
  const list = flat ? [0] : axisList("roll", axes);
  const move = (t: Tensor, amounts: readonly number[]): Tensor => {
    const source = flat ? t.view([t.size]) : t.view(t.shape);
    const rolled = padKernel("roll", source, rollAxes(source.shape, amounts, list), "circular");
    source.dispose();
    const out = rolled.view(t.shape);
    rolled.dispose();
    return out;
  };
  const back = by.map((s) => -s);
  return record("roll", [x], move(x, by), (dy) => [move(dy, back)], { shifts: by, axes });
}
