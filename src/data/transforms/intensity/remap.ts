/** @file Random curves of intensity: `IntensityRemap`, `RandIntensityRemap`. */
import { ConfigError } from "../../../host/errors.ts";
import type { HostArray, TypedArray } from "../../../host/array.ts";
import { emptyLike } from "../../../host/strided.ts";
import { unfilledLike } from "../../../host/unfilled.ts";
import { MaybeTransform, RandomTransform } from "../transform.ts";
import { channels, range } from "./arithmetic.ts";
import { allOptions } from "../options.ts";

/** The curve of `IntensityRemap`. */
export interface IntensityRemapOptions {
  /** Length of the window that the noise is averaged over: the longer, the smoother. Default 30. In elements of the sorted list of different values. */
  readonly kernelSize?: number;
  /** What is added to the noise from the least to the greatest intensity. Default 0.7. */
  readonly slope?: number;
}

/** The different values of an image in ascending order, and what each becomes. */
interface Curve {
  readonly values: TypedArray;
  readonly drawn: readonly number[];
}

const distinct = (data: TypedArray): TypedArray =>
  data
    .slice()
    .sort()
    .filter((v, i, list) => i === 0 || v !== list[i - 1]);

/** Noise drawn from the values themselves, averaged, tilted and stretched to the image's range. */
function remap(data: TypedArray, { values, drawn }: Curve, kernelSize: number, slope: number): TypedArray {
  const { min, max } = range("IntensityRemap", data);
  const noise = new Float64Array(values.length);
  let sum = 0;
  for (let i = 0; i < kernelSize; i++) sum += values[drawn[i]];
  for (let i = 0; i < noise.length; i++) {
    noise[i] = sum / kernelSize + slope * Math.fround(i / noise.length);
    sum += (values[drawn[i + kernelSize]] ?? 0) - values[drawn[i]];
  }
  const { min: low, max: high } = range("IntensityRemap", noise);
  const out = unfilledLike(data, data.length);
  for (let i = 0; i < data.length; i++) out[i] = ((noise[rankOf(data[i], values)] - low) / (high - low)) * max + min;
  return out;
}

/** Index of the first value that is not below v; the last one for a greater v. */
function rankOf(v: number, values: TypedArray): number {
  let low = 0;
  let high = values.length - 1;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (values[middle] < v) low = middle + 1;
    else high = middle;
  }
  return low;
}

function checkKernel(op: string, kernelSize: number): void {
  if (!(Number.isInteger(kernelSize) && kernelSize >= 1))
    throw new ConfigError(`${op}: kernelSize must be an integer from 1 up, got ${kernelSize}`);
}

/**
 * Maps intensities by a random curve that tends upwards (or downwards, for a negative slope). After Billot et al., SynthSeg (2023). MONAI's
 * `IntensityRemap`.
 *
 * Shapes: any, unchanged.
 * Geometry: kept.
 * Draws: `choice(values, values − 1 + kernelSize)` of the image's different values.
 * @throws ConfigError for a kernel size below 1 and an unknown option, DataError when the image holds NaN
 */
export class IntensityRemap extends RandomTransform {
  private readonly options: Required<IntensityRemapOptions>;
  private curve: Curve = { values: new Float32Array(), drawn: [] };

  constructor(options: IntensityRemapOptions = {}) {
    super();
    this.options = allOptions("IntensityRemap", options, "kernelSize:number slope:number", { kernelSize: 30, slope: 0.7 });
    checkKernel("IntensityRemap", this.options.kernelSize);
  }

  randomize(x: HostArray): void {
    const values = distinct(x.data);
    this.curve = { values, drawn: this.random.choice(values.length, values.length - 1 + this.options.kernelSize) };
  }
  applyDrawn(x: HostArray): HostArray {
    return { ...x, data: remap(x.data, this.curve, this.options.kernelSize, this.options.slope) };
  }
}

/** What `RandIntensityRemap` draws. */
export interface RandIntensityRemapOptions extends IntensityRemapOptions {
  /** Default 0.1. */
  readonly prob?: number;
  /** A curve per channel. Default true. */
  readonly channelWise?: boolean;
}

/**
 * `IntensityRemap` with slope or −slope, with probability `prob` (default 0.1). MONAI's `RandIntensityRemap`.
 *
 * Shapes: any, unchanged; `[C, …]` with `channelWise`.
 * Geometry: kept.
 * Draws: `rand()` against `prob`; where it acts, for the image or each channel `choice(2, 1)` of −slope and slope, then the `choice(…)` of
 *   `IntensityRemap`.
 * @throws ConfigError for a `prob` outside 0 … 1, a kernel size below 1 and an unknown option, DataError when the image holds NaN
 */
export class RandIntensityRemap extends MaybeTransform {
  private readonly options: Required<RandIntensityRemapOptions>;
  private curves: (Curve & { readonly slope: number })[] = [];

  constructor(options: RandIntensityRemapOptions = {}) {
    const defaults = { prob: 0.1, kernelSize: 30, slope: 0.7, channelWise: true } as const;
    const all = allOptions(
      "RandIntensityRemap",
      options,
      "prob:number kernelSize:number slope:number channelWise:boolean",
      defaults,
    );
    super("RandIntensityRemap", all.prob);
    checkKernel("RandIntensityRemap", all.kernelSize);
    this.options = all;
  }

  protected draw(x: HostArray): void {
    const { kernelSize, slope, channelWise } = this.options;
    this.curves = channels(x.data, channelWise ? x.shape[0] : 1).map((part) => {
      const sign = this.random.choice(2, 1)[0] === 0 ? -1 : 1;
      const values = distinct(part);
      return { slope: sign * slope, values, drawn: this.random.choice(values.length, values.length - 1 + kernelSize) };
    });
  }
  protected act(x: HostArray): HostArray {
    const data = emptyLike(x.data, x.data.length);
    const sources = channels(x.data, this.curves.length);
    channels(data, this.curves.length).forEach((part, c) => {
      part.set(remap(sources[c], this.curves[c], this.options.kernelSize, this.curves[c].slope));
    });
    return { ...x, data };
  }
}
