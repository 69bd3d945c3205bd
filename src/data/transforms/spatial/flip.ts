/** @file Mirroring along spatial axes: `Flip`, `RandFlip`, `RandAxisFlip`. */
import { expectArguments } from "../../../host/kinds.ts";
import { ConfigError } from "../../../host/errors.ts";
import type { HostArray } from "../../../host/array.ts";
import { arrayAxis, spatialShape } from "../../../host/strided.ts";
import { turn } from "../moved.ts";
import { MaybeTransform, type Transform } from "../transform.ts";
import { checkedOptions } from "../options.ts";

/**
 * Mirrors the given spatial axes (negative from the end); all of them when `spatialAxis` is undefined. MONAI's `Flip`.
 *
 * Shapes: `[C, …]` → `[C, …]`.
 * Geometry: kept.
 * @throws ShapeError for an axis outside the image
 */
export class Flip implements Transform {
  /** Names and kinds of the options it takes. */
  static readonly options: string = "spatialAxis:sizes";
  private readonly spatialAxis: number | readonly number[] | undefined;

  constructor(options: { readonly spatialAxis?: number | readonly number[] } = {}) {
    const { spatialAxis } = checkedOptions("Flip", options, Flip.options);
    this.spatialAxis = spatialAxis;
  }

  apply(x: HostArray): HostArray {
    expectArguments("Flip", "array", { x });
    return flip("Flip", x, this.spatialAxis);
  }
}

/**
 * Mirrors the given spatial axes with probability `prob` (default 0.1); all of them when `spatialAxis` is undefined. MONAI's `RandFlip`.
 *
 * Shapes: `[C, …]` → `[C, …]`.
 * Geometry: kept.
 * Draws: `rand()` against `prob`.
 * @throws ConfigError for a `prob` outside 0 … 1, ShapeError for an axis outside the image
 */
export class RandFlip extends MaybeTransform {
  /** Names and kinds of the options it takes. */
  static readonly options: string = "prob:number spatialAxis:sizes";
  private readonly spatialAxis: number | readonly number[] | undefined;

  constructor(options: { readonly prob?: number; readonly spatialAxis?: number | readonly number[] } = {}) {
    const { prob = 0.1, spatialAxis } = checkedOptions("RandFlip", options, RandFlip.options);
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
 * Geometry: kept.
 * Draws: `rand()` against `prob`; where it acts, `randint(axes)`.
 * @throws ConfigError for a `prob` outside 0 … 1
 */
export class RandAxisFlip extends MaybeTransform {
  /** Names and kinds of the options it takes. */
  static readonly options: string = "prob:number";
  private axis = 0;

  constructor(options: { readonly prob?: number } = {}) {
    const { prob = 0.1 } = checkedOptions("RandAxisFlip", options, RandAxisFlip.options);
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
  const axes = spatialShape(op, x).map((_, i) => i);
  if (spatialAxis !== undefined && typeof spatialAxis !== "number" && !Array.isArray(spatialAxis))
    throw new ConfigError(`${op}: spatialAxis must be an axis or a list of them, got ${JSON.stringify(spatialAxis)}`);
  const named = typeof spatialAxis === "number" ? [spatialAxis] : (spatialAxis ?? axes);
  const flipped = new Set(named.map((a) => arrayAxis(op, a, x) - 1));
  return turn(
    op,
    x,
    axes,
    axes.map((a) => flipped.has(a)),
  );
}
