/**
 * @file The intensity augmentations of nnU-Net's training (batchgenerators v2): noise, blur, brightness, contrast, gamma. Each one chooses its channels
 * first; what it draws is shared by them or not (`synchronizeChannels`). Whether it acts at all is `prob`, nnU-Net's RandomTransform around it.
 */
import { ConfigError } from "../../../host/errors.ts";
import type { HostArray } from "../../../host/array.ts";
import { required, type Defaults } from "../../../host/defaults.ts";
import { filterAxis } from "../../../host/filter.ts";
import { normalizedGaussian } from "../../../host/gaussian.ts";
import { raise } from "../../../host/powers.ts";
import { roundHalfEven } from "../../../host/rounding.ts";
import { spatialShape } from "../../../host/strided.ts";
import { expectSameChannels, expectSameSpace } from "../drawn_for.ts";
import { MaybeTransform } from "../transform.ts";
import { boundsOf, channels, type Interval, linear, multiply, range } from "./arithmetic.ts";
import { meanAndStd } from "./moments.ts";
import { scaleAround } from "./scale.ts";
import { allOptions } from "../options.ts";

/** Which channels a transform of nnU-Net changes. */
export interface ChannelOptions {
  /** Probability to act at all. Default 1. */
  readonly prob?: number;
  /** Probability of each channel. Default 1. */
  readonly pPerChannel?: number;
  /** One draw for all channels. Default false. */
  readonly synchronizeChannels?: boolean;
}

const channelNames = "prob:number pPerChannel:number synchronizeChannels:boolean";
const channelDefaults = { prob: 1, pPerChannel: 1, synchronizeChannels: false } as const;

/** Draws which channels are changed, and for each of them what `drawChannel` draws. */
export abstract class ChannelTransform<D> extends MaybeTransform {
  private readonly op: string;
  private readonly which: Required<ChannelOptions>;
  private drawn: (D | undefined)[] = [];

  /** @param op name for error messages */
  constructor(op: string, { prob, pPerChannel, synchronizeChannels }: Required<ChannelOptions>) {
    super(op, prob);
    if (!(pPerChannel >= 0 && pPerChannel <= 1))
      throw new ConfigError(`${op}: pPerChannel must be from 0 to 1, got ${pPerChannel}`);
    this.op = op;
    this.which = { prob, pPerChannel, synchronizeChannels };
  }

  protected draw(x: HostArray): void {
    const chosen = Array.from({ length: x.shape[0] }, () => this.random.rand() < this.which.pPerChannel);
    let shared: D | undefined;
    this.drawn = chosen.map((yes) => {
      if (!yes) return undefined;
      if (!this.which.synchronizeChannels) return this.drawChannel(x);
      return (shared ??= this.drawChannel(x));
    });
  }

  protected act(x: HostArray): HostArray {
    expectSameChannels(this.op, x, this.drawn.length);
    const data = new Float32Array(x.data as ArrayLike<number>);
    channels(data, x.shape[0]).forEach((part, c) => {
      const drawn = this.drawn[c];
      if (drawn !== undefined) this.change(part, drawn, x);
    });
    return { ...x, data };
  }

  /** Draws what `change` needs for one channel of `x`, `[C, …]`. */
  protected abstract drawChannel(x: HostArray): D;
  /** Changes a channel in place. `data` are its voxels, `drawn` is what `drawChannel` gave, `x` the whole image `[C, …]`. */
  protected abstract change(data: Float32Array, drawn: D, x: HostArray): void;
}

/** A table of defaults with those of `ChannelOptions`. */
const withChannels = <O extends ChannelOptions>(
  op: string,
  options: O,
  names: string,
  own: Omit<Defaults<O>, keyof ChannelOptions>,
): Required<O> =>
  allOptions(op, options, `${channelNames} ${names}` as never, { ...channelDefaults, ...own } as unknown as Defaults<O>);

/** The noise of `GaussianNoiseTransform`. */
export interface GaussianNoiseTransformOptions extends ChannelOptions {
  /** Range of the standard deviation. Default [0, 0.1]. */
  readonly noiseVariance?: Interval;
}

/**
 * Adds N(0, s²), s uniform in `noiseVariance` (which nnU-Net takes for the deviation). Float32. nnU-Net's `GaussianNoiseTransform`; MONAI's is
 * `RandGaussianNoise`.
 *
 * Shapes: `[C, …]` → `[C, …]`.
 * Geometry: kept.
 * Draws: `rand()` against `prob`, `rand()` per channel, then per chosen channel, or once, `uniform(...noiseVariance)` and `normal(0, s, voxels)`.
 * @throws ConfigError for probabilities outside 0 … 1 and an unknown option
 */
export class GaussianNoiseTransform extends ChannelTransform<Float64Array> {
  private readonly deviation: Interval;
  private space: readonly number[] = [];

  constructor(options: GaussianNoiseTransformOptions = {}) {
    const all = withChannels("GaussianNoiseTransform", options, "noiseVariance:sizes", { noiseVariance: [0, 0.1] });
    super("GaussianNoiseTransform", all);
    this.deviation = boundsOf("GaussianNoiseTransform", "noiseVariance", all.noiseVariance);
  }

  protected drawChannel(x: HostArray): Float64Array {
    this.space = x.shape.slice(1);
    return this.random.normal(0, this.random.uniform(...this.deviation), x.data.length / x.shape[0]);
  }
  protected change(data: Float32Array, noise: Float64Array, x: HostArray): void {
    if (noise.length !== data.length) expectSameSpace("GaussianNoiseTransform", x, this.space);
    for (let i = 0; i < data.length; i++) data[i] += noise[i];
  }
}

/** The filter of `GaussianBlurTransform`. */
export interface GaussianBlurTransformOptions extends ChannelOptions {
  /** Range of sigma in voxels. Default [1, 5]; nnU-Net's training has [0.5, 1]. */
  readonly blurSigma?: Interval;
  /** One sigma for all axes. Default false. */
  readonly synchronizeAxes?: boolean;
}

/**
 * Gaussian smoothing with weights cut at 6 sigma and of sum 1, the image mirrored at its ends. Float32. nnU-Net's `GaussianBlurTransform`; MONAI's is
 * `RandGaussianSmooth`.
 *
 * Shapes: `[C, …]` → `[C, …]`.
 * Geometry: kept.
 * Draws: `rand()` against `prob`, `rand()` per channel, then per chosen channel, or once, `uniform(...blurSigma)` for each axis or all.
 * @throws ConfigError for probabilities outside 0 … 1 and an unknown option
 */
export class GaussianBlurTransform extends ChannelTransform<readonly number[]> {
  private readonly sigma: Interval;
  private readonly synchronizeAxes: boolean;

  constructor(options: GaussianBlurTransformOptions = {}) {
    const all = withChannels("GaussianBlurTransform", options, "blurSigma:sizes synchronizeAxes:boolean", {
      blurSigma: [1, 5],
      synchronizeAxes: false,
    });
    super("GaussianBlurTransform", all);
    this.sigma = boundsOf("GaussianBlurTransform", "blurSigma", all.blurSigma);
    this.synchronizeAxes = all.synchronizeAxes;
  }

  protected drawChannel(x: HostArray): number[] {
    const dims = spatialShape("GaussianBlurTransform", x).length;
    const first = this.random.uniform(...this.sigma);
    return Array.from({ length: dims }, (_, a) => (a === 0 || this.synchronizeAxes ? first : this.random.uniform(...this.sigma)));
  }
  protected change(data: Float32Array, sigmas: readonly number[], x: HostArray): void {
    let blurred = data;
    sigmas.forEach((sigma, a) => {
      blurred = filterAxis(blurred, x.shape.slice(1), a, blurWeights(sigma), "reflect");
    });
    data.set(blurred);
  }
}

/** Sampled at the voxels, on a window of 6 sigma + ½, rounded to an odd number. */
function blurWeights(sigma: number): Float64Array {
  const wanted = 6 * sigma + 0.5;
  const rounded = roundHalfEven(wanted);
  const length = rounded % 2 === 1 ? rounded : rounded + (wanted >= rounded ? 1 : -1);
  return normalizedGaussian(sigma, (length - 1) / 2);
}

/** The factor of `MultiplicativeBrightnessTransform`. */
export interface MultiplicativeBrightnessTransformOptions extends ChannelOptions {
  /** Range of the factor; nnU-Net's training has [0.75, 1.25]. */
  readonly multiplierRange: Interval;
}

/**
 * x · m, m uniform in `multiplierRange`. Float32. nnU-Net's `MultiplicativeBrightnessTransform`; MONAI's is `RandScaleIntensity`.
 *
 * Shapes: `[C, …]` → `[C, …]`.
 * Geometry: kept.
 * Draws: `rand()` against `prob`, `rand()` per channel, then per chosen channel, or once, `uniform(...multiplierRange)`.
 * @throws ConfigError for probabilities outside 0 … 1 and an unknown option
 */
export class MultiplicativeBrightnessTransform extends ChannelTransform<number> {
  private readonly factor: Interval;

  constructor(options: MultiplicativeBrightnessTransformOptions) {
    const all = withChannels("MultiplicativeBrightnessTransform", options, "multiplierRange:sizes", {
      multiplierRange: required,
    });
    super("MultiplicativeBrightnessTransform", all);
    this.factor = boundsOf("MultiplicativeBrightnessTransform", "multiplierRange", all.multiplierRange);
  }

  protected drawChannel(): number {
    return this.random.uniform(...this.factor);
  }
  protected change(data: Float32Array, factor: number): void {
    multiply(data, factor);
  }
}

/** The factor of `ContrastTransform`. */
export interface ContrastTransformOptions extends ChannelOptions {
  /** Range of the factor; nnU-Net's training has [0.75, 1.25]. */
  readonly contrastRange: Interval;
  /** Clip to the range that the channel had. Default true. */
  readonly preserveRange?: boolean;
}

/** Below 1 or above with even chances, then uniform there: nnU-Net's way to draw a factor whose range is not even around 1. */
function aroundOne(random: { rand(): number; uniform(low: number, high: number): number }, [low, high]: Interval): number {
  if (random.rand() < 0.5 && low < 1) return random.uniform(low, 1);
  return random.uniform(Math.max(low, 1), high);
}

/**
 * (x − mean) · m + mean per channel. Float32. nnU-Net's `ContrastTransform`; MONAI's is `RandScaleIntensityFixedMean`.
 *
 * Shapes: `[C, …]` → `[C, …]`.
 * Geometry: kept.
 * Draws: `rand()` against `prob`, `rand()` per channel, then per chosen channel, or once, `rand()` whether below 1, and `uniform(low, high)`.
 * @throws ConfigError for probabilities outside 0 … 1 and an unknown option, DataError for NaN with `preserveRange`
 */
export class ContrastTransform extends ChannelTransform<number> {
  private readonly factor: Interval;
  private readonly preserveRange: boolean;

  constructor(options: ContrastTransformOptions) {
    const all = withChannels("ContrastTransform", options, "contrastRange:sizes preserveRange:boolean", {
      contrastRange: required,
      preserveRange: true,
    });
    super("ContrastTransform", all);
    this.factor = boundsOf("ContrastTransform", "contrastRange", all.contrastRange);
    this.preserveRange = all.preserveRange;
  }

  protected drawChannel(): number {
    return aroundOne(this.random, this.factor);
  }
  protected change(data: Float32Array, factor: number): void {
    scaleAround(data, data, factor, true, this.preserveRange);
  }
}

/** The curve of `GammaTransform`. */
export interface GammaTransformOptions extends ChannelOptions {
  /** Range of the exponent; nnU-Net's training has [0.7, 1.5]. */
  readonly gamma: Interval;
  /** Probability to negate before and after. Default 0. */
  readonly pInvertImage?: number;
  /** Probability to restore mean and (sample) standard deviation. Default 1. */
  readonly pRetainStats?: number;
}

/**
 * ((x − min) / range)^gamma · range + min per channel. Float32. nnU-Net's `GammaTransform`; MONAI's is `RandAdjustContrast`.
 *
 * Shapes: `[C, …]` → `[C, …]`.
 * Geometry: kept.
 * Draws: `rand()` against `prob`, `rand()` per channel, then per chosen channel, or once, `rand()` whether to keep the statistics, whether to invert and
 * whether gamma is below 1, and `uniform(low, high)`. For each channel it draws `gamma`, whether to `retain` mean and deviation and whether to `invert` the
 * image.
 * @throws ConfigError for probabilities outside 0 … 1 and an unknown option, DataError for NaN
 */
export class GammaTransform extends ChannelTransform<{
  readonly retain: boolean;
  readonly invert: boolean;
  readonly gamma: number;
}> {
  private readonly options: Required<GammaTransformOptions>;

  constructor(options: GammaTransformOptions) {
    const all = withChannels("GammaTransform", options, "gamma:numbers pInvertImage:number pRetainStats:number", {
      gamma: required,
      pInvertImage: 0,
      pRetainStats: 1,
    });
    super("GammaTransform", all);
    this.options = { ...all, gamma: boundsOf("GammaTransform", "gamma", all.gamma) };
  }

  protected drawChannel(): { retain: boolean; invert: boolean; gamma: number } {
    const { pRetainStats, pInvertImage, gamma } = this.options;
    const retain = this.random.rand() < pRetainStats;
    const invert = this.random.rand() < pInvertImage;
    return { retain, invert, gamma: aroundOne(this.random, gamma) };
  }
  protected change(data: Float32Array, { retain, invert, gamma }: { retain: boolean; invert: boolean; gamma: number }): void {
    if (invert) multiply(data, -1);
    const before = retain ? meanAndStd(data, 1) : undefined;
    const { min, max } = range("GammaTransform", data);
    linear(data, -min, Math.max(max - min, 1e-7), 1, 0);
    raise(data, gamma);
    linear(data, 0, 1, max - min, min);
    if (before) {
      const { mean, std } = meanAndStd(data, 1);
      linear(data, -mean, 1, before.std / Math.max(std, 1e-7), before.mean);
    }
    if (invert) multiply(data, -1);
  }
}
