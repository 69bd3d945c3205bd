/** @file Rotations by any angle: `Rotate`, `RandRotate`. */
import { expectArguments } from "../../../host/kinds.ts";
import { ConfigError, ShapeError } from "../../../host/errors.ts";
import type { HostArray } from "../../../host/array.ts";
import { product, translation } from "../../../host/matrix.ts";
import { spatialShape } from "../../../host/strided.ts";
import { perAxis, checkedOptions } from "../options.ts";
import { MaybeTransform, type LabelSafe, type Transform } from "../transform.ts";
import { rotation } from "./affine_matrix.ts";
import { checkSampling } from "./sample.ts";
import { labelSampling, type ResampleOptions, resampled, resampleOptionNames } from "./resampled.ts";

/** Options of `Rotate`. */
export interface RotateOptions extends ResampleOptions {
  /** Radians: one angle in 2-D; about the first, second and third axis in 3-D, where one number is all three. */
  readonly angle: number | readonly number[];
  /** Keep the image's size (default), or take the one that holds all of it. */
  readonly keepSize?: boolean;
  /** What places are computed in, by which those halfway between voxels go to the one or the other, as MONAI's do. Default "float32". */
  readonly dtype?: "float32" | "float64";
}

/**
 * Rotates about the image's center. Outside is by default the border. MONAI's `Rotate`.
 *
 * Shapes: `[C, …]` → `[C, …]`; without `keepSize` as large as the rotated image. 2-D and 3-D.
 * Geometry: kept: the affine turns too.
 * @throws ShapeError for other than 2 or 3 spatial axes, ConfigError for a wrong number of angles and unknown options
 */
export class Rotate implements Transform, LabelSafe {
  /** Names and kinds of the options it takes. */
  static readonly options: string = `angle:sizes! keepSize:boolean dtype:text ${resampleOptionNames}`;
  private readonly options: RotateOptions;

  constructor(options: RotateOptions) {
    checkedOptions("Rotate", options, Rotate.options);
    checkSampling("Rotate", options);
    checkPrecision("Rotate", options);
    this.options = options;
  }

  /** Nearest: a mixture of class numbers is no class. A chosen mode holds if it takes voxels as they are. */
  forLabels(): Transform {
    return new Rotate(labelSampling(this.options));
  }

  apply(x: HostArray): HostArray {
    expectArguments("Rotate", "array", { x });
    return rotate("Rotate", x, this.options);
  }
}

function rotate(op: string, x: HostArray, { angle, keepSize = true, dtype = "float32", ...sampling }: RotateOptions): HostArray {
  const from = spatialShape(op, x);
  const dims = from.length;
  if (dims !== 2 && dims !== 3) throw new ShapeError(`${op}: expected 2 or 3 spatial axes, got shape [${x.shape.join(", ")}]`);
  const turn = rotation(op, dims, perAxis(op, "angle", angle, dims === 2 ? 1 : 3));
  const to = keepSize ? from : from.map((_, r) => Math.floor(extent(turn[r], from) + 0.5));
  const matrix = product(translation(from.map((s) => (s - 1) / 2)), turn, translation(to.map((s) => -(s - 1) / 2)));
  return resampled(op, x, to, matrix, sampling, dtype);
}

function checkPrecision(op: string, { dtype = "float32" }: { readonly dtype?: string }): void {
  if (dtype !== "float32" && dtype !== "float64")
    throw new ConfigError(`${op}: dtype must be "float32" or "float64", got ${JSON.stringify(dtype)}`);
}

/** How far the corners of a box spread along a direction. */
const extent = (row: readonly number[], size: readonly number[]): number =>
  size.reduce((sum, s, c) => sum + Math.abs(row[c]) * s, 0);

/** Radians from −range to range, or from the first to the second. */
export type AngleRange = number | readonly [number, number];

/** Options of `RandRotate`. */
export interface RandRotateOptions extends ResampleOptions {
  /** Angles in 2-D, or about the first axis. Default 0. In radians. */
  readonly rangeX?: AngleRange;
  /** About the second axis of a volume, in radians. Default 0. */
  readonly rangeY?: AngleRange;
  /** About the third axis of a volume, in radians. Default 0. */
  readonly rangeZ?: AngleRange;
  /** Default 0.1. */
  readonly prob?: number;
  /** Keep the image's size, in place of one that holds all of the rotated image. Default true. */
  readonly keepSize?: boolean;
  /** What places are computed in, by which those halfway between voxels go to the one or the other, as MONAI's do. Default "float32". */
  readonly dtype?: "float32" | "float64";
}

/**
 * With probability `prob` (default 0.1) rotates by angles drawn from ranges. MONAI's `RandRotate`.
 *
 * Shapes: `[C, …]` → `[C, …]`; without `keepSize` as large as the rotated image. 2-D and 3-D.
 * Geometry: kept: the affine turns too.
 * Draws: `rand()` against `prob`; where it acts, `uniform(low, high)` for x, y and z.
 * @throws ShapeError for other than 2 or 3 spatial axes, ConfigError for a `prob` outside 0 … 1 and unknown options
 */
export class RandRotate extends MaybeTransform {
  /** Names and kinds of the options it takes. */
  static readonly options: string = `rangeX:sizes rangeY:sizes rangeZ:sizes prob:number keepSize:boolean dtype:text ${resampleOptionNames}`;
  private readonly ranges: readonly (readonly [number, number])[];
  private readonly rest: Omit<RotateOptions, "angle">;
  private angles: number[] = [];

  constructor(options: RandRotateOptions = {}) {
    const { rangeX = 0, rangeY = 0, rangeZ = 0, prob = 0.1, ...rest } = checkedOptions("RandRotate", options, RandRotate.options);
    super("RandRotate", prob);
    checkSampling("RandRotate", rest);
    checkPrecision("RandRotate", rest);
    this.ranges = [rangeX, rangeY, rangeZ].map((r) => rangeOf("RandRotate", r));
    this.rest = rest;
  }

  protected draw(): void {
    this.angles = this.ranges.map(([low, high]) => this.random.uniform(low, high));
  }
  protected act(x: HostArray): HostArray {
    return rotate("RandRotate", x, { ...this.rest, angle: x.shape.length === 3 ? this.angles[0] : this.angles });
  }
  protected override actOnLabel(x: HostArray): HostArray {
    return rotate("RandRotate", x, { ...labelSampling(this.rest), angle: x.shape.length === 3 ? this.angles[0] : this.angles });
  }
}

/** `[−r, r]` of a number, in rising order. */
function rangeOf(op: string, range: AngleRange): readonly [number, number] {
  if (typeof range === "number") return [-Math.abs(range), Math.abs(range)];
  if (range.length === 2) return range;
  throw new ConfigError(`${op}: a range is one number or two, got [${String(range)}]`);
}
