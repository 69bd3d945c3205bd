/** @file Artifacts of MR images, made in k-space: `GibbsNoise`, `KSpaceSpikeNoise` and the random ones. */
import { expectArguments } from "../../../host/kinds.ts";
import { ConfigError, ShapeError } from "../../../host/errors.ts";
import { type HostArray, sizeOf } from "../../../host/array.ts";
import { required } from "../../../host/defaults.ts";
import { forwardReal, type HalfSpectrum, inverseReal } from "../../../host/spectrum.ts";
import { spatialShape } from "../../../host/strided.ts";
import { unfilledFloats } from "../../../host/unfilled.ts";
import { workingCopy } from "../shape/cast.ts";
import { MaybeTransform, type Transform } from "../transform.ts";
import { channels, type Floats, intoType } from "./arithmetic.ts";
import { addWave, coefficientAt } from "./k_space_point.ts";
import { allOptions } from "../options.ts";

/**
 * Gibbs ringing: frequencies farther from the middle than (1 − alpha) · max(shape) / √2 are cut. `alpha` is from 0 (nothing) to 1 (all). Float32. MONAI's
 * `GibbsNoise`.
 *
 * Shapes: `[C, …]` → `[C, …]`.
 * Geometry: kept.
 * @throws ConfigError for an alpha outside 0 … 1 and an unknown option
 */
export class GibbsNoise implements Transform {
  private readonly alpha: number;

  constructor(options: { readonly alpha?: number } = {}) {
    this.alpha = allOptions("GibbsNoise", options, "alpha:number", { alpha: 0.1 }).alpha;
    if (!(this.alpha >= 0 && this.alpha <= 1)) throw new ConfigError(`GibbsNoise: alpha must be from 0 to 1, got ${this.alpha}`);
  }

  apply(x: HostArray): HostArray {
    const spatial = spatialShape("GibbsNoise", x);
    const radius = ((1 - this.alpha) * Math.max(...spatial) * Math.SQRT2) / 2;
    const cut = channels(x.data, x.shape[0]).map((part) => {
      const data = part instanceof Float32Array ? part : new Float32Array(part as ArrayLike<number>);
      const [{ own, mirror }] = squaresOf(spatial);
      const wanted = (f: number): boolean => Math.sqrt(Math.min(own[f], mirror[f])) <= radius;
      const spectrum = forwardReal(data, spatial, wanted);
      cutOutside(spectrum, radius);
      return inverseReal(spectrum, wanted);
    });
    if (cut.length === 1) return { ...x, data: cut[0] };
    const data = unfilledFloats(x.data.length);
    cut.forEach((part, c) => data.set(part, c * part.length));
    return { ...x, data };
  }
}

/** Of each axis the squared distances of its frequencies, and of their mirror images, from the middle of the array. */
const squaresOf = (shape: readonly number[]): { readonly own: Float64Array; readonly mirror: Float64Array }[] =>
  shape.map((n) => {
    const at = (f: number): number => (((f + (n >> 1)) % n) - (n - 1) / 2) ** 2;
    return {
      own: Float64Array.from({ length: n }, (_, f) => at(f)),
      mirror: Float64Array.from({ length: n }, (_, f) => at((n - f) % n)),
    };
  });

/**
 * Cuts a ball around the middle of the array, which for even sizes lies half a step beside frequency 0. Of the result only the real part counts, so each
 * frequency gets the mean of its own mask and of its mirror image's.
 */
function cutOutside({ re, im, shape, imageShape }: HalfSpectrum, radius: number): void {
  const squares = squaresOf(imageShape);
  const width = shape.at(-1)!;
  const last = squares.at(-1)!;
  for (let row = 0; row < re.length; row += width) {
    let own = 0;
    let mirror = 0;
    for (let a = shape.length - 2, rest = row / width; a >= 0; a--) {
      own += squares[a].own[rest % shape[a]];
      mirror += squares[a].mirror[rest % shape[a]];
      rest = Math.floor(rest / shape[a]);
    }
    // Distances do not fall along a row.
    const [a, b] = [countInside(own, last.own, width, radius), countInside(mirror, last.mirror, width, radius)];
    for (let k = Math.min(a, b); k < Math.max(a, b); k++) {
      re[row + k] /= 2;
      im[row + k] /= 2;
    }
    for (const part of [re, im]) part.fill(0, row + Math.max(a, b), row + width);
  }
}

/** How many of the first `count` squares, which do not fall, are with `rest` added those of distances within a radius. */
function countInside(rest: number, squares: Float64Array, count: number, radius: number): number {
  let [inside, outside] = [0, count];
  while (inside < outside) {
    const middle = (inside + outside) >> 1;
    if (Math.sqrt(rest + squares[middle]) > radius) outside = middle;
    else inside = middle + 1;
  }
  return inside;
}

/** What `RandGibbsNoise` draws. */
export interface RandGibbsNoiseOptions {
  /** Default 0.1. */
  readonly prob?: number;
  /** Range of alpha in 0 … 1; a number a means [0, a]. Default [0, 1]. */
  readonly alpha?: number | readonly [number, number];
}

/**
 * `GibbsNoise` with alpha uniform in `alpha`, with probability `prob` (default 0.1). MONAI's `RandGibbsNoise`.
 *
 * Shapes: `[C, …]` → `[C, …]`.
 * Geometry: kept.
 * Draws: `rand()` against `prob`; where it acts, `uniform(...alpha)`.
 * @throws ConfigError for a `prob` or alphas outside 0 … 1, and an unknown option
 */
export class RandGibbsNoise extends MaybeTransform {
  private readonly bounds: readonly [number, number];
  private alpha = 0;

  constructor(options: RandGibbsNoiseOptions = {}) {
    const { prob, alpha } = allOptions("RandGibbsNoise", options, "prob:number alpha:sizes", { prob: 0.1, alpha: [0, 1] });
    super("RandGibbsNoise", prob);
    const pair = typeof alpha === "number" ? ([0, alpha] as const) : alpha;
    if (!(pair.length === 2 && pair[0] >= 0 && pair[1] <= 1 && pair[0] <= pair[1]))
      throw new ConfigError(`RandGibbsNoise: alpha must be an ascending pair from 0 to 1, got [${pair.join(", ")}]`);
    this.bounds = pair;
  }

  protected draw(): void {
    this.alpha = this.random.uniform(...this.bounds);
  }
  protected act(x: HostArray): HostArray {
    return new GibbsNoise({ alpha: this.alpha }).apply(x);
  }
}

/** Where spikes stand in k-space, the middle being frequency 0: one per spatial axis, or with the channel first. */
export type SpikePlace = readonly number[];

/** The spikes of `KSpaceSpikeNoise`. */
export interface KSpaceSpikeNoiseOptions {
  /** One place, or several. Without the channel: in every channel. */
  readonly loc: SpikePlace | readonly SpikePlace[];
  /** Logarithm of the spike's height, for several places a list. Default null: 2.5 times the mean logarithm of the channel's spectrum. */
  readonly kIntensity?: number | readonly number[] | null;
}

/**
 * Sets points of k-space to a height, which lays waves over the image; phases stay. After Graves and Mitchell, Body MRI artifacts in clinical practice
 * (2013). MONAI's `KSpaceSpikeNoise`.
 *
 * Shapes: `[C, …]` → `[C, …]` with two or three spatial axes.
 * Geometry: kept.
 * @throws ConfigError for another number of heights than of places, ShapeError for places outside the image or with too few coordinates
 */
export class KSpaceSpikeNoise implements Transform {
  private readonly places: readonly SpikePlace[];
  private readonly single: boolean;
  private readonly heights: number | readonly number[] | null;

  constructor(options: KSpaceSpikeNoiseOptions) {
    const { loc, kIntensity } = allOptions("KSpaceSpikeNoise", options, "loc kIntensity:sizes", {
      loc: required,
      kIntensity: null,
    });
    expectArguments("KSpaceSpikeNoise", "list", { loc });
    expectArguments("KSpaceSpikeNoise", "pairs", { loc });
    this.single = typeof loc[0] === "number";
    this.places = this.single ? [loc as SpikePlace] : (loc as readonly SpikePlace[]);
    this.heights = kIntensity;
    const listed = kIntensity !== null && typeof kIntensity === "object";
    const fits = kIntensity === null || (this.single ? !listed : listed && kIntensity.length === this.places.length);
    if (!fits)
      throw new ConfigError("KSpaceSpikeNoise: kIntensity needs one value for one place, and a list of as many for several");
  }

  apply(x: HostArray): HostArray {
    const spatial = spatialShape("KSpaceSpikeNoise", x);
    this.check(x);
    const data = workingCopy(x.data);
    const means = this.heights === null ? spikeHeights(x) : [];
    channels<Floats>(data, x.shape[0]).forEach((part, c) => setPoints(part, spatial, this.spikesOf(c, spatial, means)));
    return { ...x, data: intoType(data, x.data) };
  }

  /** Heights by place of a channel; of several for one place the last counts. */
  private spikesOf(c: number, spatial: readonly number[], means: readonly number[]): Map<string, [SpikePlace, number]> {
    const out = new Map<string, [SpikePlace, number]>();
    this.places.forEach((full, i) => {
      const hasChannel = full.length > spatial.length;
      if (hasChannel && full[0] !== c) return;
      const place = hasChannel ? full.slice(1) : full;
      const heights = this.heights ?? means;
      // MONAI pairs several places with the channels' means in order; one place gets that of its own channel.
      const height = typeof heights === "number" ? heights : heights[this.single ? c : i];
      if (height !== undefined) out.set(place.join(), [place, height]);
    });
    return out;
  }

  private check(x: HostArray): void {
    const dims = x.shape.length;
    for (const place of this.places) {
      const full = place.length < dims ? [0, ...place] : place;
      if (dims < 3 || full.length !== dims || full.some((p, a) => !(Number.isInteger(p) && p >= 0 && p < x.shape[a]))) {
        throw new ShapeError(
          `KSpaceSpikeNoise: the place [${place.join(", ")}] is not one of an image of shape [${x.shape.join(", ")}] (two or three spatial axes)`,
        );
      }
    }
  }
}

/** Changes the height of points of a channel's spectrum. All but the points stays, so no transform is needed: each one adds a wave. */
function setPoints(data: Floats, spatial: readonly number[], spikes: ReadonlyMap<string, readonly [SpikePlace, number]>): void {
  const size = sizeOf(spatial);
  const waves = [...spikes.values()].map(([place, height]) => {
    const frequency = place.map((p, a) => p - (spatial[a] >> 1));
    const { re, im } = coefficientAt(data, spatial, frequency);
    const [length, phase] = [Math.exp(height), Math.atan2(im, re)];
    return { frequency, re: (length * Math.cos(phase) - re) / size, im: (length * Math.sin(phase) - im) / size };
  });
  for (const { frequency, re, im } of waves) addWave(data, spatial, frequency, re, im);
}

/** Per channel 2.5 times the mean logarithm of the spectrum's absolute values. */
function spikeHeights(x: HostArray): number[] {
  const spatial = spatialShape("KSpaceSpikeNoise", x);
  return channels(workingCopy(x.data) as Floats, x.shape[0]).map((part) => {
    const { re, im, shape } = forwardReal(part, spatial);
    const width = shape.at(-1)!;
    const nyquist = spatial.at(-1)! % 2 === 0 ? width - 1 : width;
    let sum = 0;
    for (let i = 0; i < re.length; i++) {
      const k = i % width;
      // What is kept stands for itself and its mirror image, where that is another.
      sum += (k === 0 || k === nyquist ? 1 : 2) * Math.log(Math.hypot(re[i], im[i]) + 1e-10);
    }
    return (sum / part.length) * 2.5;
  });
}

/** What `RandKSpaceSpikeNoise` draws. */
export interface RandKSpaceSpikeNoiseOptions {
  /** Default 0.1. */
  readonly prob?: number;
  /** Range of the logarithm of the height, for all channels or, with `channelWise`, a list of one each. Default null: around the mean, see `KSpaceSpikeNoise`. */
  readonly intensityRange?: readonly [number, number] | readonly (readonly [number, number])[] | null;
  /** A place per channel. Default true. */
  readonly channelWise?: boolean;
}

/**
 * `KSpaceSpikeNoise` at a drawn place with a drawn height per channel, with probability `prob` (default 0.1). MONAI's `RandKSpaceSpikeNoise`.
 *
 * Shapes: `[C, …]` → `[C, …]` with two or three spatial axes.
 * Geometry: kept.
 * Draws: `rand()` against `prob`; where it acts, per channel `randint(0, size)` for each axis, then `uniform(low, high)`; without `channelWise` the place
 *   first, once.
 * @throws ConfigError for a `prob` outside 0 … 1, ranges per channel without `channelWise` or of another number than channels, and an unknown option
 */
export class RandKSpaceSpikeNoise extends MaybeTransform {
  private readonly options: Required<RandKSpaceSpikeNoiseOptions>;
  private places: number[][] = [];
  private heights: number[] = [];

  constructor(options: RandKSpaceSpikeNoiseOptions = {}) {
    const defaults = { prob: 0.1, intensityRange: null, channelWise: true } as const;
    const all = allOptions("RandKSpaceSpikeNoise", options, "prob:number intensityRange:list channelWise:boolean", defaults);
    super("RandKSpaceSpikeNoise", all.prob);
    if (!all.channelWise && all.intensityRange && typeof all.intensityRange[0] !== "number")
      throw new ConfigError("RandKSpaceSpikeNoise: intensityRange must be one pair unless channelWise is set");
    this.options = all;
  }

  override randomize(x: HostArray): void {
    const { intensityRange } = this.options;
    const perChannel = intensityRange !== null && typeof intensityRange[0] !== "number";
    if (perChannel && intensityRange.length !== x.shape[0])
      throw new ConfigError(`RandKSpaceSpikeNoise: intensityRange has ${intensityRange.length} pairs for ${x.shape[0]} channels`);
    super.randomize(x);
  }

  protected draw(x: HostArray): void {
    const { channelWise } = this.options;
    const spatial = spatialShape("RandKSpaceSpikeNoise", x);
    const place = (): number[] => spatial.map((n) => this.random.randint(0, n));
    const ranges = this.rangesFor(x);
    const shared = channelWise ? undefined : place();
    this.places = [];
    this.heights = ranges.map(([low, high], c) => {
      this.places.push([c, ...(shared ?? place())]);
      return this.random.uniform(low, high);
    });
  }

  private rangesFor(x: HostArray): (readonly [number, number])[] {
    const { intensityRange } = this.options;
    if (intensityRange === null) return spikeHeights(x).map((m) => [m * 0.95, m * 1.1]);
    if (typeof intensityRange[0] !== "number") return [...(intensityRange as readonly (readonly [number, number])[])];
    return Array.from({ length: x.shape[0] }, () => intensityRange as readonly [number, number]);
  }

  protected act(x: HostArray): HostArray {
    return new KSpaceSpikeNoise({ loc: this.places, kIntensity: this.heights }).apply(x);
  }
}
