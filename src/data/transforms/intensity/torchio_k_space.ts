/** @file Artifacts of MR images in k-space, with the semantics of TorchIO 0.20 to 1: `RandomGhosting`, `RandomSpike`. */
import { ConfigError, ShapeError } from "../../../host/errors.ts";
import { type HostArray, sizeOf } from "../../../host/array.ts";
import { complex, fft } from "../../../host/fft.ts";
import { roundHalfEven } from "../../../host/rounding.ts";
import { forwardReal } from "../../../host/spectrum.ts";
import { stridesOf } from "../../../host/shape.ts";
import { spatialShape } from "../../../host/strided.ts";
import { MaybeTransform } from "../transform.ts";
import { ascendingBounds, channels, type Interval } from "./arithmetic.ts";
import { addWave } from "./k_space_point.ts";
import { allOptions } from "../options.ts";

/** What `RandomGhosting` draws. */
export interface RandomGhostingOptions {
  /** How many ghosts, or their range, in whole numbers; 0 changes nothing. Default [4, 10]. */
  readonly numGhosts?: number | Interval;
  /** Spatial axes along which ghosts may lie; one is drawn. Default those along which the image has more than one voxel. */
  readonly axes?: readonly number[] | null;
  /** How much of the chosen planes of k-space is taken away, 0 … 1, or its range. Default [0.5, 1]. */
  readonly intensity?: number | Interval;
  /** Share of k-space around its middle that stays as it is, at least the middle plane, which is all by default. */
  readonly restore?: number | null;
  /** Default 1. */
  readonly prob?: number;
}

const pair = (v: number | Interval): Interval => (typeof v === "number" ? [v, v] : v);

/** A range of whole numbers from 0 up. */
function countsOf(op: string, name: string, v: number | Interval): Interval {
  const counts = pair(v);
  if (counts.length !== 2 || !counts.every((n) => Number.isInteger(n) && n >= 0) || counts[0] > counts[1])
    throw new ConfigError(
      `${op}: ${name} must be a whole number from 0 up or an ascending pair of them, got ${JSON.stringify(v)}`,
    );
  return counts;
}

/**
 * Ghosts of periodic motion: for n ghosts, every n-th plane of k-space along one axis is weakened. Float32. TorchIO's `RandomGhosting`; MONAI's nearest
 * is `RandKSpaceSpikeNoise`.
 *
 * Shapes: `[C, …]` → `[C, …]`.
 * Geometry: kept.
 * Draws: `rand()` against `prob`, `randint(…)` among `numGhosts`, `randint(axes)`, `uniform(...intensity)`.
 * @throws ConfigError for a `prob` outside 0 … 1, counts that are not whole, a range that descends, no axis and an unknown option, ShapeError for an axis that the image does not have
 */
export class RandomGhosting extends MaybeTransform {
  private readonly options: Required<RandomGhostingOptions>;
  private readonly counts: Interval;
  private drawn = { ghosts: 0, axis: 0, intensity: 0 };

  constructor(options: RandomGhostingOptions = {}) {
    const defaults = { numGhosts: [4, 10], axes: null, intensity: [0.5, 1], restore: null, prob: 1 } as const;
    const all = allOptions(
      "RandomGhosting",
      options,
      "numGhosts:sizes axes:numbers intensity:sizes restore:number prob:number",
      defaults,
    );
    super("RandomGhosting", all.prob);
    if (all.axes?.length === 0) throw new ConfigError("RandomGhosting: axes is empty; name one");
    this.counts = countsOf("RandomGhosting", "numGhosts", all.numGhosts);
    ascendingBounds("RandomGhosting", "intensity", all.intensity);
    this.options = all;
  }

  protected draw(x: HostArray): void {
    const long = spatialShape("RandomGhosting", x).flatMap((size, axis) => (size > 1 ? [axis] : []));
    const { axes, intensity } = this.options;
    const among = axes ?? (long.length > 0 ? long : [0]);
    const ghosts = this.random.randint(this.counts[0], this.counts[1] + 1);
    const axis = among[this.random.randint(among.length)];
    this.drawn = { ghosts, axis, intensity: this.random.uniform(...pair(intensity)) };
  }
  protected act(x: HostArray): HostArray {
    const { ghosts, axis, intensity } = this.drawn;
    const spatial = spatialShape("RandomGhosting", x);
    if (!(axis >= 0 && axis < spatial.length))
      throw new ShapeError(`RandomGhosting: shape [${x.shape.join(", ")}] has no spatial axis ${axis}`);
    if (ghosts === 0) return x;
    const size = spatial[axis];
    const mask = new Float64Array(size).fill(1);
    for (let i = 0; i < size; i += ghosts) mask[i] = 1 - intensity;
    const middle = size >> 1;
    const half = roundHalfEven((this.options.restore ?? 0) * size) >> 1;
    mask.fill(1, middle - half, middle + Math.max(half, 1));
    return { ...x, data: maskFrequencies(x, axis + 1, mask) };
  }
}

/**
 * Weights the frequencies along one axis, the middle of the mask being frequency 0. The transforms along the other axes would be undone unchanged, so they
 * are left out. The real part counts, for which each frequency has the mean weight of itself and its mirror image.
 */
function maskFrequencies(x: HostArray, axis: number, mask: Float64Array): Float32Array {
  const size = x.shape[axis];
  const inner = sizeOf(x.shape.slice(axis + 1));
  const shifted = (f: number): number => mask[(f + (size >> 1)) % size];
  const weight = mask.map((_, f) => (shifted(f) + shifted((size - f) % size)) / 2 / size);
  const out = new Float32Array(x.data.length);
  const lines = Math.min(inner, 64);
  const [line, work] = [complex(size * lines), complex(size * lines)];
  for (let block = 0; block < out.length; block += size * inner) {
    for (let from = 0; from < inner; from += lines) {
      const count = Math.min(lines, inner - from);
      for (let i = 0; i < size; i++) {
        for (let b = 0; b < count; b++) {
          line.re[i * count + b] = x.data[block + i * inner + from + b];
          line.im[i * count + b] = 0;
        }
      }
      fft(size).run(line, work, count);
      for (let i = 0; i < size; i++) {
        for (let b = i * count; b < (i + 1) * count; b++) {
          line.re[b] *= weight[i];
          line.im[b] *= weight[i];
        }
      }
      const back = { re: line.im, im: line.re };
      fft(size).run(back, work, count);
      for (let i = 0; i < size; i++) for (let b = 0; b < count; b++) out[block + i * inner + from + b] = back.im[i * count + b];
      [line.re, line.im] = [back.im, back.re];
    }
  }
  return out;
}

/** What `RandomSpike` draws. */
export interface RandomSpikeOptions {
  /** How many spikes, or their range, in whole numbers. Default 1. */
  readonly numSpikes?: number | Interval;
  /** Range of the height in the greatest absolute value of the spectrum, the spikes before it included; a number v means [−v, v]. Default [1, 3]. */
  readonly intensity?: number | Interval;
  /** Default 1. */
  readonly prob?: number;
}

/**
 * Adds spikes to k-space, which lay waves over the image. Float32. TorchIO's `RandomSpike`; MONAI's is `RandKSpaceSpikeNoise`.
 *
 * Shapes: `[C, …]` → `[C, …]`.
 * Geometry: kept.
 * Draws: `rand()` against `prob`, `randint(…)` among `numSpikes`, `rand(spikes · axes)` for their places, `uniform(...intensity)`.
 * @throws ConfigError for a `prob` outside 0 … 1, counts that are not whole, a range that descends and an unknown option
 */
export class RandomSpike extends MaybeTransform {
  private readonly intensities: Interval;
  private readonly counts: Interval;
  private places: Float64Array = new Float64Array();
  private intensity = 0;

  constructor(options: RandomSpikeOptions = {}) {
    const all = allOptions("RandomSpike", options, "numSpikes:sizes intensity:sizes prob:number", {
      numSpikes: 1,
      intensity: [1, 3],
      prob: 1,
    });
    super("RandomSpike", all.prob);
    this.counts = countsOf("RandomSpike", "numSpikes", all.numSpikes);
    this.intensities = ascendingBounds("RandomSpike", "intensity", all.intensity);
  }

  protected draw(x: HostArray): void {
    const spikes = this.random.randint(this.counts[0], this.counts[1] + 1);
    this.places = this.random.rand(spikes * spatialShape("RandomSpike", x).length);
    this.intensity = this.random.uniform(...this.intensities);
  }
  protected act(x: HostArray): HostArray {
    const spatial = spatialShape("RandomSpike", x);
    const data = new Float32Array(x.data as ArrayLike<number>);
    for (const part of channels(data, x.shape[0])) {
      const spectrum = new SpikedSpectrum(part, spatial);
      for (const frequency of this.frequencies(spatial)) {
        const height = spectrum.peak() * this.intensity;
        spectrum.add(frequency, height);
        addWave(part, spatial, frequency, height / part.length, 0);
      }
    }
    return { ...x, data };
  }

  /** Of each spike. */
  private frequencies(spatial: readonly number[]): number[][] {
    return Array.from({ length: this.places.length / spatial.length }, (_, s) =>
      spatial.map((n, a) => (Math.floor(this.places[s * spatial.length + a] * n) % n) - (n >> 1)),
    );
  }
}

/** The spectrum of a real image, of which half is kept, and points of it that are not the mirror images of others any more. */
class SpikedSpectrum {
  private readonly spatial: readonly number[];
  private readonly half: ReturnType<typeof forwardReal>;
  private readonly points = new Map<string, { re: number; im: number }>();

  constructor(image: Float32Array, spatial: readonly number[]) {
    this.spatial = spatial;
    this.half = forwardReal(image, spatial);
  }

  /** The greatest absolute value. */
  peak(): number {
    const { re, im } = this.half;
    let most = 0;
    for (const p of this.points.values()) most = Math.max(most, Math.hypot(p.re, p.im));
    for (let i = 0; i < re.length; i++) most = Math.max(most, Math.hypot(re[i], im[i]));
    return most;
  }

  /** Adds to the real part at one frequency. */
  add(frequency: readonly number[], height: number): void {
    const { re, im, shape } = this.half;
    const [point, mirrored] = [1, -1].map((sign) => frequency.map((f, a) => (sign * f + this.spatial[a]) % this.spatial[a]));
    const kept = point.at(-1)! < shape.at(-1)!;
    const i = stridesOf(shape).reduce((at, stride, a) => at + stride * (kept ? point : mirrored)[a], 0);
    const own = this.points.get(`${point}`) ?? { re: re[i], im: kept ? im[i] : -im[i] };
    this.points.set(`${point}`, { re: own.re + height, im: own.im });
    // While its mirror image is as it was, the half has that one.
    if (this.points.has(`${mirrored}`)) re[i] = im[i] = 0;
  }
}
