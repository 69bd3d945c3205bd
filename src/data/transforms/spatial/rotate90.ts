/** @file Quarter turns in a plane of two spatial axes: `Rotate90`, `RandRotate90`. */
import { ConfigError } from "../../../host/errors.ts";
import type { HostArray } from "../../../host/array.ts";
import { stridesOf } from "../../../host/shape.ts";
import { arrayAxis, copyView } from "../../../host/strided.ts";
import { MaybeTransform, type Transform } from "../transform.ts";

export type Plane = readonly [number, number];

/**
 * Turns `k` (default 1) times by 90° from the first of `spatialAxes` (default [0, 1]) to the second. MONAI's `Rotate90`.
 *
 * Shapes: `[C, a, b]` → `[C, b, a]` for odd `k`, else unchanged.
 * Geometry: dropped.
 * @throws ConfigError for a `k` that is no integer and for equal axes, ShapeError for an axis outside the image
 */
export class Rotate90 implements Transform {
  private readonly k: number;
  private readonly spatialAxes: Plane;

  constructor({ k = 1, spatialAxes = [0, 1] }: { readonly k?: number; readonly spatialAxes?: Plane } = {}) {
    if (!Number.isInteger(k)) throw new ConfigError(`Rotate90: k must be an integer, got ${k}`);
    this.k = k;
    this.spatialAxes = spatialAxes;
  }

  apply(x: HostArray): HostArray {
    return rotate90("Rotate90", x, this.k, this.spatialAxes);
  }
}

/**
 * With probability `prob` (default 0.1) turns 1 … `maxK` (default 3) times by 90° from the first of `spatialAxes` (default [0, 1]) to the second.
 * MONAI's `RandRotate90`.
 *
 * Shapes: `[C, a, b]` → `[C, b, a]` for odd numbers of turns, else unchanged.
 * Geometry: dropped where it acts, kept where it does not.
 * Draws: `rand()` against `prob`; where it acts, `randint(maxK)`, one less than the turns.
 * @throws ConfigError for a `prob` outside 0 … 1, a `maxK` below 1 and equal axes, ShapeError for an axis outside the image
 */
export class RandRotate90 extends MaybeTransform {
  private readonly maxK: number;
  private readonly spatialAxes: Plane;
  private k = 0;

  constructor({
    prob = 0.1,
    maxK = 3,
    spatialAxes = [0, 1],
  }: { readonly prob?: number; readonly maxK?: number; readonly spatialAxes?: Plane } = {}) {
    super("RandRotate90", prob);
    if (!Number.isInteger(maxK) || maxK < 1)
      throw new ConfigError(`RandRotate90: maxK must be an integer from 1 up, got ${maxK}`);
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

/** One turn from axis a to axis b: out[.., i, .., j, ..] = x[.., j, .., size_b − 1 − i, ..]. */
function rotate90(op: string, x: HostArray, k: number, [first, second]: Plane): HostArray {
  const a = arrayAxis(op, first, x);
  const b = arrayAxis(op, second, x);
  if (a === b) throw new ConfigError(`${op}: spatialAxes must be two different axes, got [${first}, ${second}]`);
  const shape = [...x.shape];
  const strides = stridesOf(shape);
  let start = 0;
  for (let turn = ((k % 4) + 4) % 4; turn > 0; turn--) {
    start += strides[b] * (shape[b] - 1);
    [strides[a], strides[b]] = [-strides[b], strides[a]];
    [shape[a], shape[b]] = [shape[b], shape[a]];
  }
  return copyView(x.data, shape, strides, start);
}
