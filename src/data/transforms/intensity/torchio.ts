/** @file Transforms of intensity under TorchIO's names and with its semantics: `RescaleIntensity`, `ZNormalization`, `RandomGamma`, `RandomBlur`, `RandomNoise`. */
import { expectArguments } from "../../../host/kinds.ts";
import { ConfigError, DataError, ShapeError } from "../../../host/errors.ts";
import type { HostArray } from "../../../host/array.ts";
import { filterAxis } from "../../../host/filter.ts";
import { normalizedGaussian } from "../../../host/gaussian.ts";
import { raise } from "../../../host/powers.ts";
import { quantiles } from "../../../host/stats.ts";
import { spatialShape } from "../../../host/strided.ts";
import { expectSameChannels } from "../drawn_for.ts";
import { isVolume } from "../moved.ts";
import { millimetersOf } from "../../volume.ts";
import { MaybeTransform, type Transform } from "../transform.ts";
import { ascendingBounds, channels, clamp, type Interval, linear, range } from "./arithmetic.ts";
import { meanAndStd } from "./moments.ts";
import { allOptions } from "../options.ts";
import { measured, type MaskingMethod } from "./measured.ts";

/** The ranges of `RescaleIntensity`. */
export interface RescaleIntensityOptions {
  /** Range of the result; a number v means [−v, v]. Default [0, 1]. */
  readonly outMinMax?: number | Interval;
  /** Percentiles at which the image is clipped first. Default [0, 100]. */
  readonly percentiles?: Interval;
  /** Voxels that the percentiles are taken of. Default null. */
  readonly maskingMethod?: MaskingMethod;
  /** Interval that is mapped; a number v means [−v, v]. Default null: what the clipped image has. */
  readonly inMinMax?: number | Interval | null;
}

/**
 * Clips at percentiles and maps the image's range to `outMinMax`; an image without a range, once clipped, stays as it was. Float32. TorchIO's `RescaleIntensity`; MONAI's is
 * `ScaleIntensityRangePercentiles`.
 *
 * Shapes: any, unchanged.
 * Geometry: kept.
 * @throws ConfigError for percentiles that do not ascend from 0 to 100, ranges that descend and an unknown option, DataError for NaN and an empty mask
 */
export class RescaleIntensity implements Transform {
  private readonly out: Interval;
  private readonly input: Interval | null;
  private readonly percentiles: Interval;
  private readonly maskingMethod: MaskingMethod;

  constructor(options: RescaleIntensityOptions = {}) {
    const defaults = { outMinMax: [0, 1], percentiles: [0, 100], maskingMethod: null, inMinMax: null } as const;
    const all = allOptions(
      "RescaleIntensity",
      options,
      "outMinMax:sizes percentiles:numbers maskingMethod:function inMinMax:sizes",
      defaults,
    );
    this.out = ascendingBounds("RescaleIntensity", "outMinMax", all.outMinMax);
    this.input = all.inMinMax === null ? null : ascendingBounds("RescaleIntensity", "inMinMax", all.inMinMax);
    const [low, high] = all.percentiles;
    if (!(low >= 0 && low <= high && high <= 100))
      throw new ConfigError(`RescaleIntensity: percentiles must ascend from 0 to 100, got [${low}, ${high}]`);
    this.percentiles = all.percentiles;
    this.maskingMethod = all.maskingMethod;
  }

  apply(x: HostArray): HostArray {
    expectArguments("RescaleIntensity", "array", { x });
    const data = new Float32Array(x.data as ArrayLike<number>);
    const values = measured("RescaleIntensity", x, data, this.maskingMethod);
    if (values.length === 0) throw new DataError("RescaleIntensity: the mask is empty; there is nothing to take percentiles of");
    const fractions = this.percentiles.map((p) => p / 100);
    const [low, high] = quantiles(values, fractions);
    clamp(data, low, high);
    const { min, max } = this.input ? { min: this.input[0], max: this.input[1] } : range("RescaleIntensity", data);
    if (!(max > min)) return { ...x, data: new Float32Array(x.data as ArrayLike<number>) };
    linear(data, -min, max - min, this.out[1] - this.out[0], this.out[0]);
    return { ...x, data };
  }
}

/**
 * (x − mean) / std with the standard deviation of a sample. Float32. TorchIO's `ZNormalization`; MONAI's is `NormalizeIntensity`.
 *
 * Shapes: any, unchanged.
 * Geometry: kept. `maskingMethod` gives the mask of the voxels that are measured; default null, all.
 * @throws DataError for a standard deviation of 0, ShapeError for a mask of another shape, ConfigError for an unknown option
 */
export class ZNormalization implements Transform {
  private readonly maskingMethod: MaskingMethod;

  constructor(options: { readonly maskingMethod?: MaskingMethod } = {}) {
    this.maskingMethod = allOptions("ZNormalization", options, "maskingMethod:function", { maskingMethod: null }).maskingMethod;
  }

  apply(x: HostArray): HostArray {
    expectArguments("ZNormalization", "array", { x });
    const data = new Float32Array(x.data as ArrayLike<number>);
    const { mean, std } = meanAndStd(measured("ZNormalization", x, data, this.maskingMethod), 1);
    if (!(std > 0)) throw new DataError(`ZNormalization: the standard deviation of the measured voxels is ${std}`);
    linear(data, -mean, std, 1, 0);
    return { ...x, data };
  }
}

/** What `RandomGamma` draws. */
export interface RandomGammaOptions {
  /** Range of the exponent's logarithm; a number v means [−v, v]. Default [−0.3, 0.3]. */
  readonly logGamma?: number | Interval;
  /** Default 1. */
  readonly prob?: number;
}

/**
 * sign(x) · |x|^γ with a γ drawn for each channel. Float32. TorchIO's `RandomGamma`; MONAI's is `RandAdjustContrast`.
 *
 * Shapes: `[C, …]` → `[C, …]`.
 * Geometry: kept.
 * Draws: `rand()` against `prob`, `uniform(...logGamma)` per channel.
 * @throws ConfigError for a `prob` outside 0 … 1, a range that descends and an unknown option, ShapeError for an array of another number of channels than was drawn for
 */
export class RandomGamma extends MaybeTransform {
  private readonly bounds: Interval;
  private gammas: number[] = [];

  constructor(options: RandomGammaOptions = {}) {
    const { logGamma, prob } = allOptions("RandomGamma", options, "logGamma:sizes prob:number", {
      logGamma: [-0.3, 0.3],
      prob: 1,
    });
    super("RandomGamma", prob);
    this.bounds = ascendingBounds("RandomGamma", "logGamma", logGamma);
  }

  protected draw(x: HostArray): void {
    this.gammas = Array.from({ length: x.shape[0] }, () => Math.exp(this.random.uniform(...this.bounds)));
  }
  protected act(x: HostArray): HostArray {
    expectSameChannels("RandomGamma", x, this.gammas.length);
    const data = new Float32Array(x.data as ArrayLike<number>);
    for (let i = 0; i < data.length; i++) data[i] = Math.abs(data[i]);
    channels(data, x.shape[0]).forEach((part, c) => raise(part, this.gammas[c]));
    for (let i = 0; i < data.length; i++) if (x.data[i] < 0) data[i] = -data[i];
    return { ...x, data };
  }
}

/** What `RandomBlur` draws. */
export interface RandomBlurOptions {
  /**
   * Range of sigma along each axis, in mm of a volume, in voxels of other arrays; a number v means [0, v], one per axis as many such ranges, two per axis
   * the ranges themselves. Default [0, 2].
   */
  readonly std?: number | readonly number[];
  /** Default 1. */
  readonly prob?: number;
}

/**
 * Gaussian smoothing with a drawn sigma per axis, weights cut at 4 sigma and of sum 1, the image mirrored outside. Float32. TorchIO's `RandomBlur`; MONAI's
 * is `RandGaussianSmooth`.
 *
 * Shapes: `[C, …]` → `[C, …]`.
 * Geometry: kept.
 * Draws: `rand()` against `prob`, `uniform(…)` per axis.
 * @throws ConfigError for a `prob` outside 0 … 1, a `std` below 0 or for another number of axes, and an unknown option
 */
export class RandomBlur extends MaybeTransform {
  private readonly std: readonly number[];
  private sigmas: number[] = [];

  constructor(options: RandomBlurOptions = {}) {
    const { std, prob } = allOptions("RandomBlur", options, "std:sizes prob:number", { std: [0, 2], prob: 1 });
    super("RandomBlur", prob);
    this.std = typeof std === "number" ? [0, std] : std;
    const least = Math.min(...this.std);
    if (!(least >= 0)) throw new ConfigError(`RandomBlur: std must be 0 or more, got ${least}`);
  }

  protected draw(x: HostArray): void {
    this.sigmas = rangesPerAxis(this.std, spatialShape("RandomBlur", x).length).map((range) => this.random.uniform(...range));
  }
  protected act(x: HostArray): HostArray {
    let data: Float32Array = new Float32Array(x.data as ArrayLike<number>);
    this.sigmas.forEach((mm, a) => {
      const sigma = isVolume(x) ? mm / (x.spacing[a] * millimetersOf(x)) : mm;
      const tail = Math.floor(4 * sigma + 0.5);
      if (tail > 0) data = filterAxis(data, x.shape, a + 1, normalizedGaussian(sigma, tail), "symmetric");
    });
    return { ...x, data };
  }
}

/** TorchIO's ways of giving ranges: one for all axes, their upper ends, or one per axis. */
function rangesPerAxis(std: readonly number[], dims: number): Interval[] {
  return Array.from({ length: dims }, (_, a) => {
    if (std.length === 2) return [std[0], std[1]];
    if (std.length === dims) return [0, std[a]];
    if (std.length === 2 * dims) return [std[2 * a], std[2 * a + 1]];
    throw new ConfigError(`RandomBlur: std has ${std.length} values for ${dims} spatial axes; give 1, 2, ${dims} or ${2 * dims}`);
  });
}

/** What `RandomNoise` draws. */
export interface RandomNoiseOptions {
  /** Range of the mean; a number v means [−v, v]. Default 0. */
  readonly mean?: number | Interval;
  /** Range of the standard deviation. Default [0, 0.25]. */
  readonly std?: Interval;
  /** Default 1. */
  readonly prob?: number;
}

/**
 * Adds Gaussian noise with drawn mean and standard deviation. Float32. TorchIO's `RandomNoise`; MONAI's is `RandGaussianNoise`.
 *
 * Shapes: any, unchanged.
 * Geometry: kept.
 * Draws: `rand()` against `prob`, `uniform(...mean)`, `uniform(...std)`, `normal(mean, std, elements)`.
 * @throws ConfigError for a `prob` outside 0 … 1, a range that descends and an unknown option, ShapeError for an array of another size than what was drawn for
 */
export class RandomNoise extends MaybeTransform {
  private readonly mean: Interval;
  private readonly std: Interval;
  private noise: Float64Array = new Float64Array();

  constructor(options: RandomNoiseOptions = {}) {
    const { mean, std, prob } = allOptions("RandomNoise", options, "mean:sizes std:sizes prob:number", {
      mean: 0,
      std: [0, 0.25],
      prob: 1,
    });
    super("RandomNoise", prob);
    this.mean = ascendingBounds("RandomNoise", "mean", mean);
    this.std = ascendingBounds("RandomNoise", "std", std);
    if (this.std[0] < 0) throw new ConfigError(`RandomNoise: std must be 0 or more, got ${this.std[0]}`);
  }

  protected draw(x: HostArray): void {
    const mean = this.random.uniform(...this.mean);
    this.noise = this.random.normal(mean, this.random.uniform(...this.std), x.data.length);
  }
  protected act(x: HostArray): HostArray {
    if (x.data.length !== this.noise.length) {
      throw new ShapeError(
        `RandomNoise: drawn for ${this.noise.length} elements, applied to shape [${x.shape.join(", ")}]; give arrays of another shape their own transform`,
      );
    }
    const data = new Float32Array(x.data as ArrayLike<number>);
    for (let i = 0; i < data.length; i++) data[i] += this.noise[i];
    return { ...x, data };
  }
}
