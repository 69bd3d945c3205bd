/** @file Noise: `RandGaussianNoise`, `RandRicianNoise`. */
import { ConfigError, ShapeError } from "../../../host/errors.ts";
import { holdsIntegers, type HostArray, type TypedArray } from "../../../host/array.ts";
import { inBlocks } from "../../../host/blocks.ts";
import { changed, fill, lanesOf } from "../../../host/simd/chunks.ts";
import * as maps from "../../../host/simd/maps.ts";
import { places } from "../../../host/simd/places.ts";
import { castTo, type DTypeName, workingCopy } from "../shape/cast.ts";
import { MaybeTransform } from "../transform.ts";
import { channels, finish, type Floats, workspace } from "./arithmetic.ts";
import { meanAndStd } from "./moments.ts";
import type { OutputType } from "./scale.ts";
import { allOptions } from "../options.ts";

/** The noise of `RandGaussianNoise`. */
export interface RandGaussianNoiseOptions extends OutputType {
  /** Default 0.1. */
  readonly prob?: number;
  /** Default 0. */
  readonly mean?: number;
  /** Standard deviation, or with `sampleStd` the greatest one. Default 0.1. */
  readonly std?: number;
  /** Draw the standard deviation from [0, std]. Default true. */
  readonly sampleStd?: boolean;
}

/**
 * Adds N(mean, s²) noise with probability `prob` (default 0.1); s is uniform in [0, std], or std itself with `sampleStd: false`. The result has the type
 * `dtype` where it acts. MONAI's `RandGaussianNoise`.
 *
 * Shapes: any, unchanged.
 * Geometry: kept.
 * Draws: `rand()` against `prob`; where it acts, `uniform(0, std)` with `sampleStd`, then `normal(mean, s, elements)`.
 * @throws ConfigError for a `prob` outside 0 … 1, a std below 0 and an unknown option, ShapeError for an array of another size than what was drawn for
 */
export class RandGaussianNoise extends MaybeTransform {
  private readonly options: Required<RandGaussianNoiseOptions>;
  private noise: Floats = new Float64Array();

  constructor(options: RandGaussianNoiseOptions = {}) {
    const defaults = { prob: 0.1, mean: 0, std: 0.1, sampleStd: true, dtype: "float32" } as const;
    const all = allOptions(
      "RandGaussianNoise",
      options,
      "prob:number mean:number std:number sampleStd:boolean dtype:text",
      defaults,
    );
    super("RandGaussianNoise", all.prob);
    if (!(all.std >= 0)) throw new ConfigError(`RandGaussianNoise: std must be 0 or more, got ${all.std}`);
    this.options = all;
  }

  protected draw(x: HostArray): void {
    const { mean, std, sampleStd } = this.options;
    const drawn = sampleStd ? this.random.uniform(0, std) : std;
    this.noise = this.random.normal(mean, drawn, noiseFor(x, this.options.dtype));
  }
  protected act(x: HostArray): HostArray {
    expectLength("RandGaussianNoise", x, this.noise.length);
    const { dtype } = this.options;
    const data = dtype === null ? x.data : castTo("RandGaussianNoise", x, dtype).data;
    if (holdsIntegers(data)) return { ...x, data: wholeSum(data, this.noise) };
    const { from, to } = workspace(data);
    sum(from, this.noise, to);
    return finish("RandGaussianNoise", to, x, dtype);
  }
}

/** The sum of integers and noise that is cut towards zero before it is added, as one type takes the other's values. Too large sums start over from the least value. */
function wholeSum<A extends TypedArray>(data: A, noise: Floats): A {
  const out = data.slice() as A;
  for (let i = 0; i < out.length; i++) out[i] += Math.trunc(noise[i]);
  return out;
}

const lanesFor = /* @__PURE__ */ lanesOf({ magnitude: maps.magnitude, sum: maps.sum });

/** a + b, of float32 after b was rounded to it. */
function sum(a: Floats, b: Floats, out: Floats): void {
  const lanes = a instanceof Float32Array ? lanesFor(a.length) : undefined;
  if (lanes) {
    return changed(lanes, a as Float32Array, out as Float32Array, (end, at) => {
      fill(lanes.second, b, at);
      lanes.kernels.sum(places.first, end);
    });
  }
  const terms = a instanceof Float32Array && b instanceof Float64Array ? new Float32Array(b) : b;
  inBlocks(a.length, (start, end) => sumBlock(a, terms, out, start, end));
}

function sumBlock(a: Floats, b: Floats, out: Floats, start: number, end: number): void {
  for (let i = start; i < end; i++) out[i] = a[i] + b[i];
}

/** Room for noise: in the type of what it is added to, and as it was drawn for integers. Another array of the item may be of another type where the type stays. */
function noiseFor({ data }: HostArray, dtype: DTypeName | null, length = data.length): Floats {
  return dtype === "float32" ? new Float32Array(length) : new Float64Array(length);
}

/** Noise that was drawn for one image of an item does not fit another of another size. */
function expectLength(op: string, x: HostArray, length: number): void {
  if (x.data.length === length) return;
  throw new ShapeError(
    `${op}: drawn for ${length} elements, applied to shape [${x.shape.join(", ")}]; give arrays of another shape their own transform`,
  );
}

/** The noise of `RandRicianNoise`. */
export interface RandRicianNoiseOptions extends OutputType {
  /** Default 0.1. */
  readonly prob?: number;
  /** Of both Gaussians; a list, one per channel, needs `channelWise`. Default 0. */
  readonly mean?: number | readonly number[];
  /** Their standard deviation, or with `sampleStd` the greatest one; a list as for `mean`. Default 1. */
  readonly std?: number | readonly number[];
  /** Draw for each channel on its own. Default false. */
  readonly channelWise?: boolean;
  /** `std` counts in (sample) standard deviations of the image or channel. Default false. */
  readonly relative?: boolean;
  /** Draw the standard deviation from [0, std]. Default true. */
  readonly sampleStd?: boolean;
}

/**
 * √((x + n₁)² + n₂²) with Gaussian n₁ and n₂, with probability `prob` (default 0.1): the noise of magnitude images. The result has the type `dtype`
 * whether or not the transform acts. MONAI's `RandRicianNoise`.
 *
 * Shapes: any, unchanged; `[C, …]` with `channelWise`.
 * Geometry: kept.
 * Draws: `rand()` against `prob`; where it acts, for the image or each channel: `uniform(0, std)` with `sampleStd`, then twice
 *   `normal(mean, s, elements)`.
 * @throws ConfigError for a `prob` outside 0 … 1, lists without `channelWise` or of another length, and an unknown option; ShapeError for an array of
 *   another size than what was drawn for
 */
export class RandRicianNoise extends MaybeTransform {
  private readonly options: Required<RandRicianNoiseOptions>;
  private noise: [Floats, Floats][] = [];
  private size = 0;

  constructor(options: RandRicianNoiseOptions = {}) {
    const all = allOptions(
      "RandRicianNoise",
      options,
      "prob:number mean:sizes std:sizes channelWise:boolean relative:boolean sampleStd:boolean dtype:text",
      {
        prob: 0.1,
        mean: 0,
        std: 1,
        channelWise: false,
        relative: false,
        sampleStd: true,
        dtype: "float32",
      },
    );
    super("RandRicianNoise", all.prob);
    this.options = all;
  }

  protected draw(x: HostArray): void {
    const { mean, std, channelWise, relative, sampleStd, dtype } = this.options;
    if (!channelWise && (typeof mean !== "number" || typeof std !== "number"))
      throw new ConfigError("RandRicianNoise: mean and std must be numbers unless channelWise is set");
    const count = channelWise ? x.shape[0] : 1;
    const data = workingCopy(dtype === null ? x.data : castTo("RandRicianNoise", x, dtype).data);
    this.size = data.length;
    this.noise = channels<Floats>(data, count).map((part, c) => {
      const most = perChannel("std", std, c, count) * (relative ? meanAndStd(part, 1).std : 1);
      const drawn = sampleStd ? this.random.uniform(0, most) : most;
      const center = perChannel("mean", mean, c, count);
      const draw = () => this.random.normal(center, drawn, noiseFor(x, dtype, part.length));
      return [draw(), draw()];
    });
  }
  override applyDrawn(x: HostArray): HostArray {
    const { dtype } = this.options;
    return super.applyDrawn(dtype === null ? x : castTo("RandRicianNoise", x, dtype));
  }
  protected act(x: HostArray): HostArray {
    expectLength("RandRicianNoise", x, this.size);
    const { from, to } = workspace(x.data);
    const targets = channels<Floats>(to, this.noise.length);
    channels<Floats>(from, this.noise.length).forEach((part, c) => {
      const [first, second] = this.noise[c];
      magnitudes(part, first, second, targets[c]);
    });
    return finish("RandRicianNoise", to, x, null);
  }
}

/** √((x + first)² + second²). */
function magnitudes(x: Floats, first: Floats, second: Floats, out: Floats): void {
  const lanes = x instanceof Float32Array ? lanesFor(x.length) : undefined;
  if (lanes) {
    return changed(lanes, x as Float32Array, out as Float32Array, (end, at) => {
      fill(lanes.second, first, at);
      fill(lanes.third, second, at);
      lanes.kernels.magnitude(places.first, end);
    });
  }
  const magnitude = x instanceof Float64Array ? magnitudes64 : magnitudes32;
  inBlocks(x.length, (start, end) => magnitude(x, first, second, out, start, end));
}

type Magnitudes = (x: Floats, first: Floats, second: Floats, out: Floats, start: number, end: number) => void;

const magnitudes64: Magnitudes = (x, first, second, out, start, end) => {
  for (let i = start; i < end; i++) {
    const a = x[i] + first[i];
    out[i] = Math.sqrt(a * a + second[i] * second[i]);
  }
};

const magnitudes32: Magnitudes = (x, first, second, out, start, end) => {
  const f = Math.fround;
  for (let i = start; i < end; i++) {
    const a = f(x[i] + f(first[i]));
    const b = f(second[i]);
    out[i] = Math.sqrt(f(f(a * a) + f(b * b)));
  }
};

function perChannel(name: string, v: number | readonly number[], c: number, count: number): number {
  if (typeof v === "number") return v;
  if (v.length !== count) throw new ConfigError(`RandRicianNoise: ${name} has ${v.length} values for ${count} channels`);
  return v[c];
}
