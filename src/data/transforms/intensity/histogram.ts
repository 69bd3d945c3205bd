/** @file Changes of the histogram: `HistogramNormalize`, `RandHistogramShift`. */
import { expectArguments } from "../../../host/kinds.ts";
import { ConfigError, ShapeError } from "../../../host/errors.ts";
import type { HostArray, TypedArray } from "../../../host/array.ts";
import { type Histogram, histogramOf } from "../../../host/histogram.ts";
import { workingCopy } from "../shape/cast.ts";
import { MaybeTransform, type Transform } from "../transform.ts";
import { finish, type Floats, intoType, range, rescale } from "./arithmetic.ts";
import type { OutputType } from "./scale.ts";
import { allOptions } from "../options.ts";

/** The histogram of `HistogramNormalize`. */
export interface HistogramNormalizeOptions extends OutputType {
  /** Default 256. */
  readonly numBins?: number;
  /** Least value of the result. Default 0. */
  readonly min?: number;
  /** Greatest value of the result. Default 255. */
  readonly max?: number;
  /** Voxels that count, those that are not 0; of the image's shape. Default null: all. */
  readonly mask?: HostArray | null;
}

/**
 * Equalizes the histogram: each value becomes its share of smaller ones, from `min` to `max`. Integer images have a bin per value. MONAI's
 * `HistogramNormalize`.
 *
 * Shapes: any, unchanged.
 * Geometry: kept.
 * @throws ConfigError for a number of bins below 1 and an unknown option, ShapeError for a mask of another shape and an empty image, DataError for NaN
 */
export class HistogramNormalize implements Transform {
  private readonly options: Required<HistogramNormalizeOptions>;

  constructor(options: HistogramNormalizeOptions = {}) {
    const defaults = { numBins: 256, min: 0, max: 255, mask: null, dtype: "float32" } as const;
    this.options = allOptions(
      "HistogramNormalize",
      options,
      "numBins:number min:number max:number mask:array dtype:text",
      defaults,
    );
    const { numBins } = this.options;
    if (!(Number.isInteger(numBins) && numBins >= 1))
      throw new ConfigError(`HistogramNormalize: numBins must be an integer from 1 up, got ${numBins}`);
  }

  apply(x: HostArray, mask: HostArray | null = this.options.mask): HostArray {
    expectArguments("HistogramNormalize", "array", { x });
    const { numBins, min, max, dtype } = this.options;
    const counted = mask === null ? x.data : selected(x, mask);
    range("HistogramNormalize", counted);
    const { counts, centers } = histogramOf(counted, numBins);
    const shares = new Float32Array(counts);
    for (let i = 1, sum = counts[0]; i < shares.length; i++) shares[i] = sum += counts[i];
    rescale("HistogramNormalize", shares, min, max);
    // Float64, of which a cast to integers cuts the right ones.
    const data = interpolate(x.data, centers, shares, new Float64Array(x.data.length));
    return finish("HistogramNormalize", data, x, dtype);
  }
}

function selected(x: HostArray, mask: HostArray): TypedArray {
  const size = mask.data.length;
  if (size !== x.data.length) {
    throw new ShapeError(
      `HistogramNormalize: the mask has shape [${mask.shape.join(", ")}], the image [${x.shape.join(", ")}]; they must be the same`,
    );
  }
  return x.data.filter((_, i) => mask.data[i] !== 0);
}

/** Values between the points (at[i], to[i]) in proportion, beyond the ends those of the ends; `at` ascends in almost equal steps. */
function interpolate(x: TypedArray, at: Histogram["centers"], to: ArrayLike<number>, out: Float64Array): Float64Array {
  const last = at.length - 1;
  const perStep = last > 0 ? last / (at[last] - at[0]) : 0;
  for (let i = 0; i < x.length; i++) {
    const v = x[i];
    if (!(v > at[0])) out[i] = v === v ? to[0] : NaN;
    else if (v >= at[last]) out[i] = to[last];
    else {
      let j = Math.min(Math.floor((v - at[0]) * perStep), last - 1);
      while (v < at[j]) j--;
      while (v >= at[j + 1]) j++;
      out[i] = ((to[j + 1] - to[j]) / (at[j + 1] - at[j])) * (v - at[j]) + to[j];
    }
  }
  return out;
}

/** What `RandHistogramShift` draws. */
export interface RandHistogramShiftOptions {
  /** How many control points, or a range to draw their number from; from 3 up. Default 10. */
  readonly numControlPoints?: number | readonly [number, number];
  /** Default 0.1. */
  readonly prob?: number;
}

/**
 * A piecewise linear, ascending curve of intensities, drawn point by point, with probability `prob` (default 0.1). A flat image stays. MONAI's
 * `RandHistogramShift`.
 *
 * Shapes: any, unchanged.
 * Geometry: kept.
 * Draws: `rand()` against `prob`; where it acts, `randint(least, most + 1)` points, then for each inner one `uniform(the one before, the one after)`.
 * @throws ConfigError for a `prob` outside 0 … 1, fewer than 3 control points and an unknown option, DataError when the image holds NaN
 */
export class RandHistogramShift extends MaybeTransform {
  private readonly points: readonly [number, number];
  private shifted: number[] = [];

  constructor(options: RandHistogramShiftOptions = {}) {
    const { numControlPoints: n, prob } = allOptions("RandHistogramShift", options, "numControlPoints:sizes prob:number", {
      numControlPoints: 10,
      prob: 0.1,
    });
    super("RandHistogramShift", prob);
    const pair = typeof n === "number" ? [n, n] : n;
    if (!Array.isArray(pair) || pair.length !== 2 || !pair.every((v) => Number.isInteger(v) && v >= 3)) {
      throw new ConfigError(
        `RandHistogramShift: numControlPoints must be an integer from 3 up or a pair of them, got ${JSON.stringify(n)}`,
      );
    }
    this.points = [Math.min(...pair), Math.max(...pair)];
  }

  protected draw(): void {
    const count = this.random.randint(this.points[0], this.points[1] + 1);
    this.shifted = evenly(count);
    for (let i = 1; i < count - 1; i++) this.shifted[i] = this.random.uniform(this.shifted[i - 1], this.shifted[i + 1]);
  }
  protected act(x: HostArray): HostArray {
    const data = workingCopy(x.data);
    const { min, max } = range("RandHistogramShift", data);
    if (min === max) return x;
    const type = data.constructor as new (n: Iterable<number>) => Floats;
    const scaled = (points: readonly number[]): Floats => {
      const out = new type(points);
      for (let i = 0; i < out.length; i++) out[i] *= max - min;
      for (let i = 0; i < out.length; i++) out[i] += min;
      return out;
    };
    bend(data, scaled(evenly(this.shifted.length)), scaled(this.shifted));
    return { ...x, data: intoType(data, x.data) };
  }
}

/** From 0 to 1 in even steps, with the bits of NumPy's linspace, since draws lie between them. */
const evenly = (count: number): number[] =>
  Array.from({ length: count }, (_, i) => (i === count - 1 ? 1 : i * (1 / (count - 1))));

/** x becomes m·x + b of its piece in place, as MONAI has it: the piece that ends at or after x. */
function bend(data: Floats, from: Floats, to: Floats): void {
  const last = from.length - 1;
  const [slope, offset] = [
    new (data.constructor as typeof Float64Array)(last),
    new (data.constructor as typeof Float64Array)(last),
  ];
  const f = data instanceof Float32Array ? Math.fround : (v: number): number => v;
  for (let i = 0; i < last; i++) slope[i] = f(to[i + 1] - to[i]) / f(from[i + 1] - from[i]);
  for (let i = 0; i < last; i++) offset[i] = to[i] - f(slope[i] * from[i]);
  const perStep = last / (from[last] - from[0]);
  for (let i = 0; i < data.length; i++) {
    const v = data[i];
    let j = Math.min(Math.max(Math.floor((v - from[0]) * perStep), 0), last - 1);
    while (j > 0 && v <= from[j]) j--;
    while (j < last - 1 && v > from[j + 1]) j++;
    data[i] = f(slope[j] * v) + offset[j];
  }
}
