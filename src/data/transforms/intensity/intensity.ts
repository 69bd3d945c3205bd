/** @file Deterministic changes of intensity. Arithmetic is float32 with torch's order of operations, so results match MONAI's bits. A volume keeps its geometry. */
import { ConfigError, ShapeError } from "../../../host/errors.ts";
import type { HostArray } from "../../../host/array.ts";
import { castTo, workingCopy, type DTypeName } from "../shape/cast.ts";
import type { Transform } from "../transform.ts";
import { add, channels, finish, meanAndStd, multiply, type IntensityRanges, range, rescale, scaleRange } from "./arithmetic.ts";

/** Element type of the result: a name, or null for that of the input. Default "float32". */
export interface OutputType {
  readonly dtype?: DTypeName | null;
}

/** The range or factor of `ScaleIntensity`. */
export interface ScaleIntensityOptions extends OutputType {
  /** Start of the target range, default 0. Set both ends to null to use `factor`. */
  readonly minv?: number | null;
  /** End of the target range, default 1. */
  readonly maxv?: number | null;
  /** Without a range: x · (1 + factor). */
  readonly factor?: number;
  /** Each channel by its own minimum and maximum. Default false. */
  readonly channelWise?: boolean;
}

/**
 * (x − min) / (max − min) · (maxv − minv) + minv; a flat image becomes x · minv. MONAI's `ScaleIntensity`.
 *
 * Shapes: any, unchanged; `[C, …]` with `channelWise`.
 * Geometry: kept.
 * @throws DataError when the image holds NaN, ShapeError for an empty one, ConfigError for an unknown `dtype`
 */
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

/** The two ranges of `ScaleIntensityRange`. */
export interface ScaleIntensityRangeOptions extends IntensityRanges, OutputType {}

/**
 * (x − aMin) / (aMax − aMin) · (bMax − bMin) + bMin; for aMin = aMax: x − aMin + bMin. MONAI's `ScaleIntensityRange`.
 *
 * Shapes: any, unchanged.
 * Geometry: kept.
 * @throws ConfigError for aMin and aMax that are not finite, and an unknown `dtype`
 */
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

/** What `NormalizeIntensity` subtracts and divides by, and where. */
export interface NormalizeIntensityOptions extends OutputType {
  /** In place of the mean. A number, or one per channel with `channelWise`, or one per element without. */
  readonly subtrahend?: number | readonly number[];
  /** In place of the standard deviation; 0 counts as 1. */
  readonly divisor?: number | readonly number[];
  /** Count and change only voxels that are not 0. Default false. */
  readonly nonzero?: boolean;
  /** Each channel by its own statistics. Default false. */
  readonly channelWise?: boolean;
}

/**
 * (x − mean) / std with the standard deviation of the population; a std of 0 counts as 1. MONAI's `NormalizeIntensity`.
 *
 * Shapes: any, unchanged; `[C, …]` with `channelWise`.
 * Geometry: kept.
 * @throws ShapeError for a list of subtrahends or divisors of another length, ConfigError for an unknown `dtype`
 */
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

/** The curve of `AdjustContrast`. */
export interface AdjustContrastOptions {
  /** Exponent; 1 changes nothing. */
  readonly gamma: number;
  /** Negate before and after. Default false. */
  readonly invertImage?: boolean;
  /** Restore mean and (sample) standard deviation. Default false. */
  readonly retainStats?: boolean;
}

/**
 * ((x − min) / (range + 1e-7))^gamma · range + min. MONAI's `AdjustContrast`.
 *
 * Shapes: any, unchanged.
 * Geometry: kept.
 * @throws ConfigError for a gamma that is not finite, DataError when the image holds NaN, ShapeError for an empty one
 */
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

/**
 * x + offset, in the element type of x. MONAI's `ShiftIntensity`.
 *
 * Shapes: any, unchanged.
 * Geometry: kept.
 */
export class ShiftIntensity implements Transform {
  private readonly offset: number;

  constructor({ offset }: { readonly offset: number }) {
    this.offset = offset;
  }

  apply(x: HostArray): HostArray {
    const data = workingCopy(x.data);
    add(data, this.offset);
    return finish("ShiftIntensity", data, x, null);
  }
}

/**
 * Keeps values above (or, with `above: false`, below) `threshold`; the others become `cval` (default 0). MONAI's `ThresholdIntensity`.
 *
 * Shapes: any, unchanged.
 * Geometry: kept.
 */
export class ThresholdIntensity implements Transform {
  private readonly options: { readonly threshold: number; readonly above?: boolean; readonly cval?: number };

  constructor(options: { readonly threshold: number; readonly above?: boolean; readonly cval?: number }) {
    this.options = options;
  }

  apply(x: HostArray): HostArray {
    const { threshold, above = true, cval = 0 } = this.options;
    const keep = (v: number): boolean => (above ? v > threshold : v < threshold);
    return { ...x, data: x.data.map((v) => (keep(v) ? v : cval)) };
  }
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
