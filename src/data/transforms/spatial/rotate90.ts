/** @file Quarter turns in a plane of two spatial axes: `Rotate90`, `RandRotate90`. */
import { expectArguments } from "../../../host/kinds.ts";
import { ConfigError } from "../../../host/errors.ts";
import { expectIntegers } from "../../../host/integers.ts";
import type { HostArray } from "../../../host/array.ts";
import { arrayAxis, spatialShape } from "../../../host/strided.ts";
import { turn } from "../moved.ts";
import { MaybeTransform, type Transform } from "../transform.ts";
import { checkedOptions } from "../options.ts";

/** Two spatial axes to turn in. */
export type Plane = readonly [number, number];

/**
 * Turns `k` (default 1) times by 90° from the first of `spatialAxes` (default [0, 1]) to the second. MONAI's `Rotate90`.
 *
 * Shapes: `[C, a, b]` → `[C, b, a]` for odd `k`, else unchanged.
 * Geometry: kept.
 * @throws ConfigError for a `k` that is no integer and for equal axes, ShapeError for an axis outside the image
 */
export class Rotate90 implements Transform {
  /** Names and kinds of the options it takes. */
  static readonly options: string = "k:number spatialAxes:sizes";
  private readonly k: number;
  private readonly spatialAxes: Plane;

  constructor(options: { readonly k?: number; readonly spatialAxes?: Plane } = {}) {
    const { k = 1, spatialAxes = [0, 1] } = checkedOptions("Rotate90", options, Rotate90.options);
    checkPlane("Rotate90", spatialAxes);
    expectIntegers("Rotate90", { k });
    this.k = k;
    this.spatialAxes = spatialAxes;
  }

  apply(x: HostArray): HostArray {
    expectArguments("Rotate90", "array", { x });
    return rotate90("Rotate90", x, this.k, this.spatialAxes);
  }
}

/**
 * With probability `prob` (default 0.1) turns 1 … `maxK` (default 3) times by 90° from the first of `spatialAxes` (default [0, 1]) to the second.
 * MONAI's `RandRotate90`.
 *
 * Shapes: `[C, a, b]` → `[C, b, a]` for odd numbers of turns, else unchanged.
 * Geometry: kept.
 * Draws: `rand()` against `prob`; where it acts, `randint(maxK)`, one less than the turns.
 * @throws ConfigError for a `prob` outside 0 … 1, a `maxK` below 1 and equal axes, ShapeError for an axis outside the image
 */
export class RandRotate90 extends MaybeTransform {
  /** Names and kinds of the options it takes. */
  static readonly options: string = "prob:number maxK:number spatialAxes:sizes";
  private readonly maxK: number;
  private readonly spatialAxes: Plane;
  private k = 0;

  constructor(options: { readonly prob?: number; readonly maxK?: number; readonly spatialAxes?: Plane } = {}) {
    const { prob = 0.1, maxK = 3, spatialAxes = [0, 1] } = checkedOptions("RandRotate90", options, RandRotate90.options);
    super("RandRotate90", prob);
    checkPlane("RandRotate90", spatialAxes);
    expectIntegers("RandRotate90", { maxK }, 1);
    this.maxK = maxK;
    this.spatialAxes = spatialAxes;
  }

  protected draw(): void {
    this.k = this.random.randint(this.maxK) + 1;
  }
  protected act(x: HostArray): HostArray {
    return rotate90("RandRotate90", x, this.k, this.spatialAxes);
  }
}

function checkPlane(op: string, plane: Plane): void {
  if (plane.length !== 2) throw new ConfigError(`${op}: spatialAxes must be two axes, got [${String(plane)}]`);
}

/** One turn from axis a to axis b: out[.., i, .., j, ..] = x[.., j, .., size_b − 1 − i, ..]. */
function rotate90(op: string, x: HostArray, k: number, [first, second]: Plane): HostArray {
  const a = arrayAxis(op, first, x);
  const b = arrayAxis(op, second, x);
  if (a === b) throw new ConfigError(`${op}: spatialAxes must be two different axes, got [${first}, ${second}]`);
  const axes = spatialShape(op, x).map((_, i) => i);
  const flips = axes.map(() => false);
  for (let quarter = ((k % 4) + 4) % 4; quarter > 0; quarter--) {
    [axes[a - 1], axes[b - 1]] = [axes[b - 1], axes[a - 1]];
    [flips[a - 1], flips[b - 1]] = [!flips[b - 1], flips[a - 1]];
  }
  return turn(op, x, axes, flips);
}
