/** @file Contrast and brightness that change smoothly over the image: `RandSmoothFieldAdjustContrast`, `RandSmoothFieldAdjustIntensity`. */
import { expectArguments } from "../../../host/kinds.ts";
import type { HostArray } from "../../../host/array.ts";
import { PartwiseTransform } from "../partwise.ts";
import type { ResizeMode } from "../spatial/resize.ts";
import { fieldRange, SmoothField, type SmoothFieldOptions } from "../spatial/smooth_field.ts";
import { parts, range, workspace } from "./arithmetic.ts";

/** Options of `RandSmoothFieldAdjustContrast` and `RandSmoothFieldAdjustIntensity`. */
export interface RandSmoothFieldOptions extends SmoothFieldOptions {
  /** How the random field is resized. Default "area". */
  readonly mode?: ResizeMode;
  /** Range of the field; a number g means [0.5, g]. Default [0.5, 4.5] for contrast, [0.1, 1] for intensity. */
  readonly gamma?: number | readonly [number, number];
}

/** What both have in common: the field and when it is drawn. */
export abstract class RandSmoothFieldAdjust extends PartwiseTransform {
  /** The field of the last draw. @internal */
  protected readonly field: SmoothField;

  /**
   * @param op name for error messages
   * @param usual range of the field, if none is given
   */
  constructor(op: string, options: RandSmoothFieldOptions, usual: readonly [number, number]) {
    expectArguments(op, "object", { options });
    const { prob = 0.1, gamma = usual, mode = "area", ...rest } = options;
    super(op, prob, 1);
    this.field = new SmoothField(op, rest, mode, { range: fieldRange(op, "gamma", gamma, 0.5), channels: 1, padValue: 1 });
  }

  protected draw(): void {
    this.field.draw(this.parts[0]);
  }
}

/**
 * With probability `prob` (default 0.1) raises the image, scaled to 0 … 1, to powers that change smoothly over it, and scales it back. With `pad` the
 * border is mostly unchanged. MONAI's `RandSmoothFieldAdjustContrast`.
 *
 * Shapes: `[C, …spatialSize]`, unchanged; all channels get one field.
 * Geometry: kept.
 * Draws: `rand()` against `prob`; where it acts, `uniform(...gamma, ∏ randSize)`.
 * @throws ConfigError for sizes, ranges, modes and options that are not as said, ShapeError for an image of another size, DataError when it holds NaN
 */
export class RandSmoothFieldAdjustContrast extends RandSmoothFieldAdjust {
  constructor(options: RandSmoothFieldOptions) {
    super("RandSmoothFieldAdjustContrast", options, [0.5, 4.5]);
  }

  protected act(x: HostArray): HostArray {
    const field = this.field.over(x).data;
    const { from, to } = workspace(x.data);
    const { min, max } = range("RandSmoothFieldAdjustContrast", from);
    const f = from instanceof Float32Array ? Math.fround : (v: number): number => v;
    const span = f(max - min);
    const divisor = f(span + 1e-10);
    const targets = parts(to, x, true);
    parts(from, x, true).forEach((part, c) => {
      const target = targets[c];
      for (let i = 0; i < part.length; i++) target[i] = f(f(f(f(part[i] - min) / divisor) ** field[i]) * span) + min;
    });
    return { ...x, data: to };
  }
}

/**
 * With probability `prob` (default 0.1) multiplies the image by factors that change smoothly over it. With `pad` the border is mostly unchanged. MONAI's
 * `RandSmoothFieldAdjustIntensity`.
 *
 * Shapes: `[C, …spatialSize]`, unchanged; all channels get one field.
 * Geometry: kept.
 * Draws: `rand()` against `prob`; where it acts, `uniform(...gamma, ∏ randSize)`.
 * @throws ConfigError for sizes, ranges, modes and options that are not as said, ShapeError for an image of another size
 */
export class RandSmoothFieldAdjustIntensity extends RandSmoothFieldAdjust {
  constructor(options: RandSmoothFieldOptions) {
    super("RandSmoothFieldAdjustIntensity", options, [0.1, 1]);
  }

  protected act(x: HostArray): HostArray {
    const field = this.field.over(x).data;
    const { from, to } = workspace(x.data);
    const targets = parts(to, x, true);
    parts(from, x, true).forEach((part, c) => {
      const target = targets[c];
      for (let i = 0; i < part.length; i++) target[i] = part[i] * field[i];
    });
    return { ...x, data: to };
  }
}
