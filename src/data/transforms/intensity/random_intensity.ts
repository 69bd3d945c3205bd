/** @file Random changes of intensity: `RandScaleIntensity`, `RandShiftIntensity`, `RandGaussianNoise`, `RandAdjustContrast`. */
import { ConfigError } from "../../../host/errors.ts";
import type { HostArray } from "../../../host/array.ts";
import { castTo, workingCopy } from "../shape/cast.ts";
import { add, channels, multiply } from "./arithmetic.ts";
import { AdjustContrast } from "./intensity.ts";
import { MaybeTransform } from "../transform.ts";

/** A pair of bounds, or v for [−v, v]. */
export type Bounds = number | readonly [number, number];

export interface PerChannel {
  /** Default 0.1. */
  readonly prob?: number;
  /** One draw per channel. Default false. */
  readonly channelWise?: boolean;
}

/**
 * x · (1 + f), f uniform in `factors`, with probability `prob` (default 0.1). The result is float32 whether or not the transform acts. MONAI's
 * `RandScaleIntensity`.
 *
 * Shapes: any, unchanged; `[C, …]` with `channelWise`.
 * Geometry: kept.
 * Draws: `rand()` against `prob`; where it acts, `uniform(...factors)`, once or per channel.
 * @throws ConfigError for a `prob` outside 0 … 1 and factors that are not finite
 */
export class RandScaleIntensity extends MaybeTransform {
  private readonly bounds: readonly [number, number];
  private readonly channelWise: boolean;
  private drawn: number[] = [];

  constructor({ factors, prob = 0.1, channelWise = false }: { readonly factors: Bounds } & PerChannel) {
    super("RandScaleIntensity", prob);
    this.bounds = boundsOf("RandScaleIntensity", "factors", factors);
    this.channelWise = channelWise;
  }

  protected draw(x: HostArray): void {
    this.drawn = Array.from({ length: this.channelWise ? x.shape[0] : 1 }, () => this.random.uniform(...this.bounds));
  }
  override applyDrawn(x: HostArray): HostArray {
    return castTo("RandScaleIntensity", super.applyDrawn(x), "float32");
  }
  protected act(x: HostArray): HostArray {
    const data = workingCopy(x.data);
    channels(data, this.drawn.length).forEach((part, c) => multiply(part, 1 + this.drawn[c]));
    return { ...x, data };
  }
}

/**
 * x + o, o uniform in `offsets`, with probability `prob` (default 0.1). MONAI's `RandShiftIntensity`.
 *
 * Shapes: any, unchanged; `[C, …]` with `channelWise`.
 * Geometry: kept.
 * Draws: `rand()` against `prob`; where it acts, `uniform(...offsets)`, once or per channel.
 * @throws ConfigError for a `prob` outside 0 … 1 and offsets that are not finite
 */
export class RandShiftIntensity extends MaybeTransform {
  private readonly bounds: readonly [number, number];
  private readonly channelWise: boolean;
  private drawn: number[] = [];

  constructor({ offsets, prob = 0.1, channelWise = false }: { readonly offsets: Bounds } & PerChannel) {
    super("RandShiftIntensity", prob);
    this.bounds = boundsOf("RandShiftIntensity", "offsets", offsets);
    this.channelWise = channelWise;
  }

  protected draw(x: HostArray): void {
    this.drawn = Array.from({ length: this.channelWise ? x.shape[0] : 1 }, () => this.random.uniform(...this.bounds));
  }
  protected act(x: HostArray): HostArray {
    const data = workingCopy(x.data);
    channels(data, this.drawn.length).forEach((part, c) => add(part, this.drawn[c]));
    return { ...x, data };
  }
}

/**
 * Adds N(mean, s²) noise with probability `prob` (default 0.1); s is uniform in [0, std], or std itself with `sampleStd: false`. Float32 where it acts.
 * MONAI's `RandGaussianNoise`.
 *
 * Shapes: any, unchanged.
 * Geometry: kept.
 * Draws: `rand()` against `prob`; where it acts, `uniform(0, std)` with `sampleStd`, then `normal(mean, s, elements)`.
 * @throws ConfigError for a `prob` outside 0 … 1, a std below 0, and an array of another size than what was drawn for
 */
export class RandGaussianNoise extends MaybeTransform {
  private readonly mean: number;
  private readonly std: number;
  private readonly sampleStd: boolean;
  private noise = new Float32Array();

  constructor({
    prob = 0.1,
    mean = 0,
    std = 0.1,
    sampleStd = true,
  }: { readonly prob?: number; readonly mean?: number; readonly std?: number; readonly sampleStd?: boolean } = {}) {
    super("RandGaussianNoise", prob);
    if (!(std >= 0)) throw new ConfigError(`RandGaussianNoise: std must be 0 or more, got ${std}`);
    this.mean = mean;
    this.std = std;
    this.sampleStd = sampleStd;
  }

  protected draw(x: HostArray): void {
    const std = this.sampleStd ? this.random.uniform(0, this.std) : this.std;
    this.noise = new Float32Array(this.random.normal(this.mean, std, x.data.length));
  }
  protected act(x: HostArray): HostArray {
    if (x.data.length !== this.noise.length) {
      throw new ConfigError(
        `RandGaussianNoise: drawn for ${this.noise.length} elements, applied to shape [${x.shape.join(", ")}]; give arrays of another shape their own transform`,
      );
    }
    const data = new Float32Array(x.data as ArrayLike<number>);
    for (let i = 0; i < data.length; i++) data[i] += this.noise[i];
    return { ...x, data };
  }
}

/**
 * `AdjustContrast` with gamma uniform in `gamma` (default [0.5, 4.5]; a number g means [0.5, g]), with probability `prob` (default 0.1). MONAI's
 * `RandAdjustContrast`.
 *
 * Shapes: any, unchanged.
 * Geometry: kept.
 * Draws: `rand()` against `prob`; where it acts, `uniform(...gamma)`.
 * @throws ConfigError for a `prob` outside 0 … 1 and a gamma out of range, DataError when the image holds NaN
 */
export class RandAdjustContrast extends MaybeTransform {
  private readonly bounds: readonly [number, number];
  private readonly options: { readonly invertImage?: boolean; readonly retainStats?: boolean };
  private gamma = 1;

  constructor({
    prob = 0.1,
    gamma = [0.5, 4.5],
    ...options
  }: {
    readonly prob?: number;
    readonly gamma?: number | readonly [number, number];
    readonly invertImage?: boolean;
    readonly retainStats?: boolean;
  } = {}) {
    super("RandAdjustContrast", prob);
    if (typeof gamma === "number" && !(gamma > 0.5)) {
      throw new ConfigError(
        `RandAdjustContrast: gamma as one number must be above 0.5 (it is drawn from [0.5, gamma]), got ${gamma}`,
      );
    }
    this.bounds = boundsOf("RandAdjustContrast", "gamma", typeof gamma === "number" ? [0.5, gamma] : gamma);
    this.options = options;
  }

  protected draw(): void {
    this.gamma = this.random.uniform(...this.bounds);
  }
  protected act(x: HostArray): HostArray {
    return new AdjustContrast({ gamma: this.gamma, ...this.options }).apply(x);
  }
}

function boundsOf(op: string, name: string, v: Bounds): readonly [number, number] {
  const [a, b] = typeof v === "number" ? [-v, v] : v;
  if (!Number.isFinite(a) || !Number.isFinite(b))
    throw new ConfigError(`${op}: ${name} must be a number or a pair of numbers, got ${String(v)}`);
  return [Math.min(a, b), Math.max(a, b)];
}
