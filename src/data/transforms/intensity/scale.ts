/** @file Scaling of intensities: `ScaleIntensity`, `ScaleIntensityRange`, `ScaleIntensityFixedMean` and the random ones. */
import { expectArguments } from "../../../host/kinds.ts";
import { ConfigError } from "../../../host/errors.ts";
import type { HostArray } from "../../../host/array.ts";
import { required } from "../../../host/defaults.ts";
import { castTo, type DTypeName } from "../shape/cast.ts";
import type { Transform } from "../transform.ts";
import { TypedMaybeTransform } from "./typed_maybe.ts";
import {
  type Bounds,
  boundsOf,
  clamp,
  computed,
  finish,
  type Floats,
  type IntensityRanges,
  linear,
  multiply,
  range,
  rescale,
  scaleRange,
} from "./arithmetic.ts";
import { meanOf } from "./moments.ts";
import { expectSameChannels } from "../drawn_for.ts";
import { allOptions } from "../options.ts";

/** Element type of the result: a name, or null for that of the input. Default "float32". */
export interface OutputType {
  /** NumPy's name, or null for that of the input. Default "float32". */
  readonly dtype?: DTypeName | null;
}

/** The range or factor of `ScaleIntensity`. */
export interface ScaleIntensityOptions extends OutputType {
  /** Start of the target range, default 0. Set both ends to null to use `factor`. */
  readonly minv?: number | null;
  /** End of the target range, default 1. */
  readonly maxv?: number | null;
  /** Without a range: x · (1 + factor); null (default) changes nothing. */
  readonly factor?: number | null;
  /** Each channel by its own minimum and maximum. Default false. */
  readonly channelWise?: boolean;
}

/**
 * (x − min) / (max − min) · (maxv − minv) + minv; a flat image becomes x · minv. MONAI's `ScaleIntensity`.
 *
 * Shapes: any, unchanged; `[C, …]` with `channelWise`.
 * Geometry: kept.
 * @throws DataError when the image holds NaN, ShapeError for an empty one, ConfigError for an unknown option or `dtype`
 */
export class ScaleIntensity implements Transform {
  private readonly options: Required<ScaleIntensityOptions>;

  constructor(options: ScaleIntensityOptions = {}) {
    const defaults = { minv: 0, maxv: 1, factor: null, channelWise: false, dtype: "float32" } as const;
    this.options = allOptions(
      "ScaleIntensity",
      options,
      "minv:number maxv:number factor:number channelWise:boolean dtype:text",
      defaults,
    );
  }

  apply(x: HostArray): HostArray {
    expectArguments("ScaleIntensity", "array", { x });
    const { minv, maxv, factor, channelWise, dtype } = this.options;
    if (minv === null && maxv === null) {
      const data = computed(x, x.data, false, (from, to) => multiply(from, 1 + (factor ?? 0), to));
      return finish("ScaleIntensity", data, x, dtype);
    }
    // With an explicit type MONAI converts before it computes.
    const given = dtype === null ? x.data : castTo("ScaleIntensity", x, dtype).data;
    const data = computed(x, given, channelWise, (from, to) => rescale("ScaleIntensity", from, minv, maxv, to));
    return finish("ScaleIntensity", data, x, dtype);
  }
}

/** The two ranges of `ScaleIntensityRange`. */
export interface ScaleIntensityRangeOptions extends IntensityRanges, OutputType {}

/**
 * (x − aMin) / (aMax − aMin) · (bMax − bMin) + bMin; for aMin = aMax: x − aMin + bMin. MONAI's `ScaleIntensityRange`.
 *
 * Shapes: any, unchanged.
 * Geometry: kept.
 * @throws ConfigError for aMin and aMax that are not finite, and an unknown option or `dtype`
 */
export class ScaleIntensityRange implements Transform {
  private readonly options: Required<ScaleIntensityRangeOptions>;

  constructor(options: ScaleIntensityRangeOptions) {
    const defaults = { aMin: required, aMax: required, bMin: null, bMax: null, clip: false, dtype: "float32" } as const;
    this.options = allOptions(
      "ScaleIntensityRange",
      options,
      "aMin:number aMax:number bMin:number bMax:number clip:boolean dtype:text",
      defaults,
    );
    if (!Number.isFinite(options.aMin) || !Number.isFinite(options.aMax)) {
      throw new ConfigError(`ScaleIntensityRange: aMin and aMax must be finite numbers, got ${options.aMin}, ${options.aMax}`);
    }
  }

  apply(x: HostArray): HostArray {
    expectArguments("ScaleIntensityRange", "array", { x });
    const data = computed(x, x.data, false, (from, to) => scaleRange(from, to, this.options));
    // MONAI converts only what it scaled.
    const { aMin, aMax, dtype } = this.options;
    return aMin === aMax ? { ...x, data } : finish("ScaleIntensityRange", data, x, dtype);
  }
}

/** The factor of `ScaleIntensityFixedMean`, and what it leaves as it is. */
export interface ScaleIntensityFixedMeanOptions extends OutputType {
  /** x · (1 + factor). Default 0. */
  readonly factor?: number;
  /** Clip to the range that the image had. Default false. */
  readonly preserveRange?: boolean;
  /** Scale around the mean, which stays. Default true. */
  readonly fixedMean?: boolean;
  /** Each channel by its own mean and range. Default false. */
  readonly channelWise?: boolean;
}

/**
 * (x − mean) · (1 + factor) + mean, clipped to the image's range on request. MONAI's `ScaleIntensityFixedMean`.
 *
 * Shapes: any, unchanged; `[C, …]` with `channelWise`.
 * Geometry: kept.
 * @throws DataError when the image holds NaN and `preserveRange` is set, ConfigError for an unknown option or `dtype`
 */
export class ScaleIntensityFixedMean implements Transform {
  private readonly options: Required<ScaleIntensityFixedMeanOptions>;

  constructor(options: ScaleIntensityFixedMeanOptions = {}) {
    const defaults = { factor: 0, preserveRange: false, fixedMean: true, channelWise: false, dtype: "float32" } as const;
    this.options = allOptions(
      "ScaleIntensityFixedMean",
      options,
      "factor:number preserveRange:boolean fixedMean:boolean channelWise:boolean dtype:text",
      defaults,
    );
  }

  apply(x: HostArray): HostArray {
    expectArguments("ScaleIntensityFixedMean", "array", { x });
    const { factor, preserveRange, fixedMean, channelWise, dtype } = this.options;
    const data = computed(x, x.data, channelWise, (from, to) => scaleAround(from, to, 1 + factor, fixedMean, preserveRange));
    return finish("ScaleIntensityFixedMean", data, x, dtype);
  }
}

/** (x − mean) · factor + mean, or x · factor; clipped to the range from before with `preserveRange`. */
export function scaleAround(from: Floats, to: Floats, factor: number, fixedMean: boolean, preserveRange: boolean): void {
  const before = preserveRange ? range("ScaleIntensityFixedMean", from) : undefined;
  const mean = fixedMean ? meanOf(from).mean : 0;
  if (fixedMean) linear(from, -mean, 1, factor, mean, to, before?.min, before?.max);
  else {
    multiply(from, factor, to);
    if (before) clamp(to, before.min, before.max);
  }
}

/** What `RandScaleIntensity` draws. */
export interface RandScaleIntensityOptions extends OutputType {
  /** f is drawn from this range; a number v means [−v, v]. */
  readonly factors: Bounds;
  /** Default 0.1. */
  readonly prob?: number;
  /** One draw per channel. Default false. */
  readonly channelWise?: boolean;
}

/**
 * x · (1 + f), f uniform in `factors`, with probability `prob` (default 0.1). The result has the type `dtype` whether or not the transform acts. MONAI's
 * `RandScaleIntensity`.
 *
 * Shapes: any, unchanged; `[C, …]` with `channelWise`.
 * Geometry: kept.
 * Draws: `rand()` against `prob`; where it acts, `uniform(...factors)`, once or per channel.
 * @throws ConfigError for a `prob` outside 0 … 1, factors that are not finite and an unknown option
 */
export class RandScaleIntensity extends TypedMaybeTransform {
  private readonly bounds: readonly [number, number];
  private readonly options: Required<RandScaleIntensityOptions>;
  private drawn: number[] = [];

  constructor(options: RandScaleIntensityOptions) {
    const defaults = { factors: required, prob: 0.1, channelWise: false, dtype: "float32" } as const;
    const all = allOptions("RandScaleIntensity", options, "factors:sizes prob:number channelWise:boolean dtype:text", defaults);
    super("RandScaleIntensity", all.prob, all.dtype);
    this.bounds = boundsOf("RandScaleIntensity", "factors", all.factors);
    this.options = all;
  }

  protected draw(x: HostArray): void {
    const count = this.options.channelWise ? x.shape[0] : 1;
    this.drawn = Array.from({ length: count }, () => this.random.uniform(...this.bounds));
  }
  protected act(x: HostArray): HostArray {
    if (this.options.channelWise) expectSameChannels("RandScaleIntensity", x, this.drawn.length);
    const data = computed(x, x.data, this.options.channelWise, (from, to, c) => multiply(from, 1 + this.drawn[c], to));
    return finish("RandScaleIntensity", data, x, this.options.dtype);
  }
}

/** What `RandScaleIntensityFixedMean` draws. */
export interface RandScaleIntensityFixedMeanOptions extends OutputType {
  /** Default 0.1. */
  readonly prob?: number;
  /** f is drawn from this range; a number v means [−v, v]. Default 0. */
  readonly factors?: Bounds;
  /** Scale around the mean, which stays. Default true. */
  readonly fixedMean?: boolean;
  /** Clip to the range that the image had. Default false. */
  readonly preserveRange?: boolean;
}

/**
 * `ScaleIntensityFixedMean` with a factor uniform in `factors`, with probability `prob` (default 0.1). The result has the type `dtype` whether or not the
 * transform acts. MONAI's `RandScaleIntensityFixedMean`.
 *
 * Shapes: any, unchanged.
 * Geometry: kept.
 * Draws: `rand()` against `prob`; where it acts, `uniform(...factors)`.
 * @throws ConfigError for a `prob` outside 0 … 1, factors that are not finite and an unknown option
 */
export class RandScaleIntensityFixedMean extends TypedMaybeTransform {
  private readonly bounds: readonly [number, number];
  private readonly options: Required<RandScaleIntensityFixedMeanOptions>;
  private factor = 0;

  constructor(options: RandScaleIntensityFixedMeanOptions = {}) {
    const defaults = { prob: 0.1, factors: 0, fixedMean: true, preserveRange: false, dtype: "float32" } as const;
    const all = allOptions(
      "RandScaleIntensityFixedMean",
      options,
      "prob:number factors:sizes fixedMean:boolean preserveRange:boolean dtype:text",
      defaults,
    );
    super("RandScaleIntensityFixedMean", all.prob, all.dtype);
    this.bounds = boundsOf("RandScaleIntensityFixedMean", "factors", all.factors);
    this.options = all;
  }

  protected draw(): void {
    this.factor = this.random.uniform(...this.bounds);
  }
  protected act(x: HostArray): HostArray {
    const { fixedMean, preserveRange, dtype } = this.options;
    return new ScaleIntensityFixedMean({ factor: this.factor, fixedMean, preserveRange, dtype }).apply(x);
  }
}
