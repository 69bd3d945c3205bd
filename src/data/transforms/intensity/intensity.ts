/** @file Deterministic changes of intensity. Arithmetic is float32 with torch's order of operations, so results match MONAI's bits. A volume keeps its geometry. */
import { ConfigError, DataError, ShapeError } from "../../../host/errors.ts";
import type { HostArray } from "../../../host/array.ts";
import { castTo, workingCopy, type DTypeName } from "../shape/cast.ts";
import type { Transform } from "../transform.ts";

type Floats = Float32Array | Float64Array;

/** Element type of the result: a name, or null for that of the input. Default "float32". */
export interface OutputType {
  dtype?: DTypeName | null;
}

export interface ScaleIntensityOptions extends OutputType {
  /** Target range, defaults 0 and 1. Set both to null to use `factor`. */
  minv?: number | null;
  maxv?: number | null;
  /** Without a range: x · (1 + factor). */
  factor?: number;
  /** Each channel by its own minimum and maximum. Default false. */
  channelWise?: boolean;
}

/** (x − min) / (max − min) · (maxv − minv) + minv; a flat image becomes x · minv. @throws DataError when the image holds NaN. */
export class ScaleIntensity implements Transform {
  private readonly options: ScaleIntensityOptions;

  constructor(options: ScaleIntensityOptions = {}) {
    this.options = options;
  }

  apply(x: HostArray): HostArray {
    const { minv = 0, maxv = 1, factor, channelWise = false, dtype = "float32" } = this.options;
    if (minv === null && maxv === null) {
      const data = workingCopy(x.data);
      if (factor !== undefined) multiply(data, 1 + factor);
      return finish("ScaleIntensity", data, x, dtype);
    }
    // With an explicit type MONAI converts before it computes.
    const data = workingCopy(dtype === null ? x.data : castTo("ScaleIntensity", x, dtype).data);
    for (const part of channelWise ? channels(data, x.shape[0]) : [data]) rescale("ScaleIntensity", part, minv, maxv);
    return finish("ScaleIntensity", data, x, dtype);
  }
}

export interface ScaleIntensityRangeOptions extends OutputType {
  aMin: number;
  aMax: number;
  /** Target range; null leaves out its part. */
  bMin?: number | null;
  bMax?: number | null;
  /** Clip to [bMin, bMax]. Default false. */
  clip?: boolean;
}

/** (x − aMin) / (aMax − aMin) · (bMax − bMin) + bMin; for aMin = aMax: x − aMin + bMin. */
export class ScaleIntensityRange implements Transform {
  private readonly options: ScaleIntensityRangeOptions;

  constructor(options: ScaleIntensityRangeOptions) {
    if (!Number.isFinite(options.aMin) || !Number.isFinite(options.aMax)) {
      throw new ConfigError(`ScaleIntensityRange: aMin and aMax must be finite numbers, got ${options.aMin}, ${options.aMax}`);
    }
    this.options = options;
  }

  apply(x: HostArray): HostArray {
    const data = workingCopy(x.data);
    scaleRange(data, this.options);
    // MONAI converts only what it scaled.
    const { aMin, aMax, dtype = "float32" } = this.options;
    return aMin === aMax ? { ...x, data } : finish("ScaleIntensityRange", data, x, dtype);
  }
}

/** Scales [aMin, aMax] to [bMin, bMax] in place. */
export function scaleRange(
  data: Floats,
  { aMin, aMax, bMin = null, bMax = null, clip = false }: ScaleIntensityRangeOptions,
): void {
  add(data, -aMin);
  if (aMax === aMin) {
    if (bMin !== null) add(data, bMin);
    return;
  }
  divide(data, aMax - aMin);
  if (bMin !== null && bMax !== null) {
    multiply(data, bMax - bMin);
    add(data, bMin);
  }
  if (clip) for (let i = 0; i < data.length; i++) data[i] = Math.min(Math.max(data[i], bMin ?? -Infinity), bMax ?? Infinity);
}

export interface NormalizeIntensityOptions extends OutputType {
  /** In place of the mean. A number, or one per channel with `channelWise`, or one per element without. */
  subtrahend?: number | readonly number[];
  /** In place of the standard deviation; 0 counts as 1. */
  divisor?: number | readonly number[];
  /** Count and change only voxels that are not 0. Default false. */
  nonzero?: boolean;
  /** Each channel by its own statistics. Default false. */
  channelWise?: boolean;
}

/** (x − mean) / std with the population standard deviation; a std of 0 counts as 1. */
export class NormalizeIntensity implements Transform {
  private readonly options: NormalizeIntensityOptions;

  constructor(options: NormalizeIntensityOptions = {}) {
    this.options = options;
  }

  apply(x: HostArray): HostArray {
    const { subtrahend, divisor, nonzero = false, channelWise = false, dtype = "float32" } = this.options;
    const data = new Float32Array(x.data as ArrayLike<number>);
    const parts = channelWise ? channels(data, x.shape[0]) : [data];
    for (const [name, list] of Object.entries({ subtrahend, divisor })) {
      const expected = channelWise ? parts.length : data.length;
      if (typeof list === "object" && list.length !== expected) {
        throw new ShapeError(
          `NormalizeIntensity: ${name} has ${list.length} values, expected ${expected} (one per ${channelWise ? "channel" : "element"}) for shape [${x.shape.join(", ")}]`,
        );
      }
    }
    parts.forEach((part, c) => {
      const pick = (v: number | readonly number[] | undefined): number | readonly number[] | undefined =>
        channelWise && typeof v === "object" ? v[c] : v;
      normalize(part, nonzero, pick(subtrahend), pick(divisor));
    });
    return finish("NormalizeIntensity", data, x, dtype);
  }
}

export interface AdjustContrastOptions {
  gamma: number;
  /** Negate before and after. Default false. */
  invertImage?: boolean;
  /** Restore mean and (sample) standard deviation. Default false. */
  retainStats?: boolean;
}

/** ((x − min) / (range + 1e-7))^gamma · range + min. */
export class AdjustContrast implements Transform {
  private readonly options: AdjustContrastOptions;

  constructor(options: AdjustContrastOptions) {
    if (!Number.isFinite(options.gamma))
      throw new ConfigError(`AdjustContrast: gamma must be a finite number, got ${options.gamma}`);
    this.options = options;
  }

  apply(x: HostArray): HostArray {
    const { gamma, invertImage = false, retainStats = false } = this.options;
    const data = workingCopy(x.data);
    if (invertImage) multiply(data, -1);
    const before = retainStats ? meanAndStd(data, 1) : undefined;
    const { min, max } = range("AdjustContrast", data);
    const span = max - min;
    for (let i = 0; i < data.length; i++) data[i] = ((data[i] - min) / (span + 1e-7)) ** gamma * span + min;
    if (before) {
      const { mean, std } = meanAndStd(data, 1);
      for (let i = 0; i < data.length; i++) data[i] = ((data[i] - mean) / (std + 1e-8)) * before.std + before.mean;
    }
    if (invertImage) multiply(data, -1);
    return { ...x, data };
  }
}

/** x + offset, in the element type of x. */
export class ShiftIntensity implements Transform {
  private readonly offset: number;

  constructor({ offset }: { offset: number }) {
    this.offset = offset;
  }

  apply(x: HostArray): HostArray {
    const data = workingCopy(x.data);
    add(data, this.offset);
    return finish("ShiftIntensity", data, x, null);
  }
}

/** Keeps values above (or, with `above: false`, below) `threshold`; the others become `cval` (default 0). */
export class ThresholdIntensity implements Transform {
  private readonly options: { threshold: number; above?: boolean; cval?: number };

  constructor(options: { threshold: number; above?: boolean; cval?: number }) {
    this.options = options;
  }

  apply(x: HostArray): HostArray {
    const { threshold, above = true, cval = 0 } = this.options;
    const keep = (v: number): boolean => (above ? v > threshold : v < threshold);
    return { ...x, data: x.data.map((v) => (keep(v) ? v : cval)) };
  }
}

/** Rescales to [minv, maxv] in place; either null: to [0, 1]. */
export function rescale(op: string, data: Floats, minv: number | null, maxv: number | null): void {
  const { min, max } = range(op, data);
  if (min === max) {
    if (minv !== null) multiply(data, minv);
    return;
  }
  add(data, -min);
  divide(data, max - min);
  if (minv === null || maxv === null) return;
  multiply(data, maxv - minv);
  add(data, minv);
}

/** Slices of equal length, one per channel. */
export function channels<A extends Floats>(data: A, count: number): A[] {
  const size = data.length / count;
  return Array.from({ length: count }, (_, c) => data.subarray(c * size, (c + 1) * size) as A);
}

/** Adds in place; the constant is first rounded to the element type, as torch does with scalars. */
export function add(data: Floats, c: number): void {
  const rounded = data instanceof Float32Array ? Math.fround(c) : c;
  for (let i = 0; i < data.length; i++) data[i] += rounded;
}

/** Multiplies in place; see `add`. */
export function multiply(data: Floats, c: number): void {
  const rounded = data instanceof Float32Array ? Math.fround(c) : c;
  for (let i = 0; i < data.length; i++) data[i] *= rounded;
}

function divide(data: Floats, c: number): void {
  const rounded = data instanceof Float32Array ? Math.fround(c) : c;
  for (let i = 0; i < data.length; i++) data[i] /= rounded;
}

function range(op: string, data: Floats): { min: number; max: number } {
  let min = Infinity;
  let max = -Infinity;
  for (let i = 0; i < data.length; i++) {
    const v = data[i];
    if (v < min) min = v;
    if (v > max) max = v;
    if (v !== v) throw new DataError(`${op}: the image holds NaN at element ${i}; replace such voxels before scaling`);
  }
  if (data.length === 0) throw new ShapeError(`${op}: the image is empty`);
  return { min, max };
}

/** Mean, and standard deviation over n − ddof, in two passes; with `nonzero` only of elements that are not 0. */
function meanAndStd(data: Floats, ddof: number, nonzero = false): { mean: number; std: number; count: number } {
  let sum = 0;
  let count = 0;
  for (let i = 0; i < data.length; i++) {
    if (nonzero && data[i] === 0) continue;
    sum += data[i];
    count++;
  }
  const mean = sum / count;
  let squares = 0;
  for (let i = 0; i < data.length; i++) if (!nonzero || data[i] !== 0) squares += (data[i] - mean) ** 2;
  return { mean, std: Math.sqrt(squares / (count - ddof)), count };
}

function normalize(
  data: Float32Array,
  nonzero: boolean,
  sub?: number | readonly number[],
  div?: number | readonly number[],
): void {
  const { mean, std, count } = meanAndStd(data, 0, nonzero);
  if (count === 0) return;
  for (let i = 0; i < data.length; i++) {
    if (nonzero && data[i] === 0) continue;
    const s = Math.fround(typeof sub === "object" ? sub[i] : (sub ?? mean));
    const d = Math.fround(typeof div === "object" ? div[i] : (div ?? std));
    data[i] = Math.fround(data[i] - s) / (d === 0 ? 1 : d);
  }
}

/** Puts computed values into the result's element type: `dtype`, or that of `x` for null. */
export function finish(op: string, data: Floats, x: HostArray, dtype: DTypeName | null): HostArray {
  const out = { ...x, data };
  if (dtype !== null) return castTo(op, out, dtype);
  return x.data.constructor === data.constructor
    ? out
    : { ...x, data: new (x.data.constructor as Float32ArrayConstructor)(data) };
}
