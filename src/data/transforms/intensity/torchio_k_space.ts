/** @file Artifacts of MR images in k-space, with TorchIO's semantics: `RandomGhosting`, `RandomSpike`. */
import { ConfigError, ShapeError } from "../../../host/errors.ts";
import { type HostArray, sizeOf } from "../../../host/array.ts";
import { complex, fft } from "../../../host/fft.ts";
import { roundHalfEven } from "../../../host/rounding.ts";
import { forwardReal } from "../../../host/spectrum.ts";
import { spatialShape } from "../../../host/strided.ts";
import { MaybeTransform } from "../transform.ts";
import { boundsOf, channels, type Interval } from "./arithmetic.ts";
import { addWave } from "./k_space_point.ts";
import { allOptions } from "../options.ts";

/** What `RandomGhosting` draws. */
export interface RandomGhostingOptions {
  /** How many ghosts, or their range. Default [4, 10]. */
  readonly numGhosts?: number | Interval;
  /** Spatial axes along which ghosts may lie; one is drawn. Default [0, 1, 2]. */
  readonly axes?: readonly number[];
  /** How much of the chosen planes of k-space is taken away, 0 … 1, or its range. Default [0.5, 1]. */
  readonly intensity?: number | Interval;
  /** Share of k-space around its middle that stays as it is. Default 0.02; null or 0 for none. */
  readonly restore?: number | null;
  /** Default 1. */
  readonly prob?: number;
}

const pair = (v: number | Interval): Interval => (typeof v === "number" ? [v, v] : v);

/**
 * Ghosts of periodic motion: every n-th plane of k-space along one axis is weakened. Float32. TorchIO's `RandomGhosting`; MONAI's nearest is
 * `RandKSpaceSpikeNoise`.
 *
 * Shapes: `[C, …]` → `[C, …]`.
 * Geometry: kept.
 * Draws: `rand()` against `prob`, `uniform(...numGhosts)` to be rounded, `randint(axes)`, `uniform(...intensity)`.
 * @throws ConfigError for a `prob` outside 0 … 1, no axis and an unknown option, ShapeError for an axis that the image does not have
 */
export class RandomGhosting extends MaybeTransform {
  private readonly options: Required<RandomGhostingOptions>;
  private drawn = { ghosts: 0, axis: 0, intensity: 0 };

  constructor(options: RandomGhostingOptions = {}) {
    const defaults = { numGhosts: [4, 10], axes: [0, 1, 2], intensity: [0.5, 1], restore: 0.02, prob: 1 } as const;
    const all = allOptions(
      "RandomGhosting",
      options,
      "numGhosts:sizes axes:numbers intensity:sizes restore:number prob:number",
      defaults,
    );
    super("RandomGhosting", all.prob);
    if (all.axes.length === 0) throw new ConfigError("RandomGhosting: axes is empty; name one");
    boundsOf("RandomGhosting", "numGhosts", all.numGhosts);
    boundsOf("RandomGhosting", "intensity", all.intensity);
    this.options = all;
  }

  protected draw(): void {
    const { numGhosts, axes, intensity } = this.options;
    const ghosts = Math.max(1, roundHalfEven(this.random.uniform(...pair(numGhosts))));
    const axis = axes[this.random.randint(axes.length)];
    this.drawn = { ghosts, axis, intensity: this.random.uniform(...pair(intensity)) };
  }
  protected act(x: HostArray): HostArray {
    const { ghosts, axis, intensity } = this.drawn;
    const spatial = spatialShape("RandomGhosting", x);
    if (!(axis >= 0 && axis < spatial.length))
      throw new ShapeError(`RandomGhosting: shape [${x.shape.join(", ")}] has no spatial axis ${axis}`);
    const size = spatial[axis];
    const mask = new Float64Array(size).fill(1);
    for (let i = 0; i < size; i += Math.max(Math.floor(size / ghosts), 1)) mask[i] = 1 - intensity;
    const restore = this.options.restore ?? 0;
    if (restore > 0) {
      const half = Math.max(Math.floor((size * restore) / 2), 1);
      mask.fill(1, Math.max((size >> 1) - half, 0), (size >> 1) + half);
    }
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
  /** How many spikes, or their range. Default 1. */
  readonly numSpikes?: number | Interval;
  /** Height in the greatest absolute value of the spectrum, or its range. Default [1, 3]. */
  readonly intensity?: number | Interval;
  /** Default 1. */
  readonly prob?: number;
}

/**
 * Adds spikes to k-space, which lay waves over the image. Float32. TorchIO's `RandomSpike`; MONAI's is `RandKSpaceSpikeNoise`.
 *
 * Shapes: `[C, …]` → `[C, …]`.
 * Geometry: kept.
 * Draws: `rand()` against `prob`, `uniform(...numSpikes)` to be rounded, `rand(spikes · axes)` for their places, `uniform(...intensity)`.
 * @throws ConfigError for a `prob` outside 0 … 1 and an unknown option
 */
export class RandomSpike extends MaybeTransform {
  private readonly options: Required<RandomSpikeOptions>;
  private places: Float64Array = new Float64Array();
  private intensity = 0;

  constructor(options: RandomSpikeOptions = {}) {
    const all = allOptions("RandomSpike", options, "numSpikes:sizes intensity:sizes prob:number", {
      numSpikes: 1,
      intensity: [1, 3],
      prob: 1,
    });
    super("RandomSpike", all.prob);
    boundsOf("RandomSpike", "numSpikes", all.numSpikes);
    boundsOf("RandomSpike", "intensity", all.intensity);
    this.options = all;
  }

  protected draw(x: HostArray): void {
    const { numSpikes, intensity } = this.options;
    const spikes = Math.max(1, roundHalfEven(this.random.uniform(...pair(numSpikes))));
    this.places = this.random.rand(spikes * spatialShape("RandomSpike", x).length);
    this.intensity = this.random.uniform(...pair(intensity));
  }
  protected act(x: HostArray): HostArray {
    const spatial = spatialShape("RandomSpike", x);
    const data = new Float32Array(x.data as ArrayLike<number>);
    for (const part of channels(data, x.shape[0])) {
      const { re, im } = forwardReal(part, spatial);
      let peak = 0;
      for (let i = 0; i < re.length; i++) peak = Math.max(peak, Math.hypot(re[i], im[i]));
      for (let s = 0; s < this.places.length; s += spatial.length) {
        const frequency = spatial.map((n, a) => (Math.floor(this.places[s + a] * n) % n) - (n >> 1));
        addWave(part, spatial, frequency, (peak * this.intensity) / part.length, 0);
      }
    }
    return { ...x, data };
  }
}
