/** @file Mirroring along spatial axes: `Flip`, `RandFlip`, `RandAxisFlip`. */
import type { HostArray } from "../../../host/array.ts";
import { stridesOf } from "../../../host/shape.ts";
import { arrayAxis, copyView } from "../../../host/strided.ts";
import { MaybeTransform, type Transform } from "../transform.ts";

/**
 * Mirrors the given spatial axes (negative from the end); all of them when `spatialAxis` is undefined. MONAI's `Flip`.
 *
 * Shapes: `[C, …]` → `[C, …]`.
 * Geometry: dropped.
 * @throws ShapeError for an axis outside the image
 */
export class Flip implements Transform {
  private readonly spatialAxis: number | readonly number[] | undefined;

  constructor({ spatialAxis }: { readonly spatialAxis?: number | readonly number[] } = {}) {
    this.spatialAxis = spatialAxis;
  }

  apply(x: HostArray): HostArray {
    return flip("Flip", x, this.spatialAxis);
  }
}

/**
 * Mirrors the given spatial axes with probability `prob` (default 0.1); all of them when `spatialAxis` is undefined. MONAI's `RandFlip`.
 *
 * Shapes: `[C, …]` → `[C, …]`.
 * Geometry: dropped where it acts, kept where it does not.
 * Draws: `rand()` against `prob`.
 * @throws ConfigError for a `prob` outside 0 … 1, ShapeError for an axis outside the image
 */
export class RandFlip extends MaybeTransform {
  private readonly spatialAxis: number | readonly number[] | undefined;

  constructor({ prob = 0.1, spatialAxis }: { readonly prob?: number; readonly spatialAxis?: number | readonly number[] } = {}) {
    super("RandFlip", prob);
    this.spatialAxis = spatialAxis;
  }

  protected draw(): void {}
  protected act(x: HostArray): HostArray {
    return flip("RandFlip", x, this.spatialAxis);
  }
}

/**
 * Mirrors one spatial axis, drawn evenly, with probability `prob` (default 0.1). MONAI's `RandAxisFlip`.
 *
 * Shapes: `[C, …]` → `[C, …]`.
 * Geometry: dropped where it acts, kept where it does not.
 * Draws: `rand()` against `prob`; where it acts, `randint(axes)`.
 * @throws ConfigError for a `prob` outside 0 … 1
 */
export class RandAxisFlip extends MaybeTransform {
  private axis = 0;

  constructor({ prob = 0.1 }: { readonly prob?: number } = {}) {
    super("RandAxisFlip", prob);
  }

  protected draw(x: HostArray): void {
    this.axis = this.random.randint(x.shape.length - 1);
  }
  protected act(x: HostArray): HostArray {
    return flip("RandAxisFlip", x, this.axis);
  }
}

function flip(op: string, x: HostArray, spatialAxis: number | readonly number[] | undefined): HostArray {
  const spatial =
    spatialAxis === undefined ? x.shape.slice(1).map((_, i) => i) : typeof spatialAxis === "number" ? [spatialAxis] : spatialAxis;
  const strides = stridesOf(x.shape);
  let start = 0;
  for (const axis of new Set(spatial.map((a) => arrayAxis(op, a, x)))) {
    start += strides[axis] * (x.shape[axis] - 1);
    strides[axis] = -strides[axis];
  }
  return copyView(x.data, x.shape, strides, start);
}
