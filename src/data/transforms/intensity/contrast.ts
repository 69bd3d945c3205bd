/** @file Gamma curves: `AdjustContrast` and `RandAdjustContrast`. */
import { expectArguments } from "../../../host/kinds.ts";
import { ConfigError } from "../../../host/errors.ts";
import type { HostArray } from "../../../host/array.ts";
import { required } from "../../../host/defaults.ts";
import { chunkPower, raise } from "../../../host/powers.ts";
import { changed, lanesOf } from "../../../host/simd/chunks.ts";
import * as maps from "../../../host/simd/maps.ts";
import { places } from "../../../host/simd/places.ts";
import { power } from "../../../host/simd/power.ts";
import { MaybeTransform, type Transform } from "../transform.ts";
import { boundsOf, type Floats, linear, range, workspace } from "./arithmetic.ts";
import { meanAndStd } from "./moments.ts";
import { allOptions } from "../options.ts";

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
 * @throws ConfigError for an unknown option and a gamma that is not finite, DataError when the image holds NaN, ShapeError for an empty one
 */
export class AdjustContrast implements Transform {
  private readonly options: Required<AdjustContrastOptions>;

  constructor(options: AdjustContrastOptions) {
    const defaults = { gamma: required, invertImage: false, retainStats: false } as const;
    this.options = allOptions("AdjustContrast", options, "gamma:number invertImage:boolean retainStats:boolean", defaults);
    if (!Number.isFinite(options.gamma))
      throw new ConfigError(`AdjustContrast: gamma must be a finite number, got ${options.gamma}`);
  }

  apply(x: HostArray): HostArray {
    expectArguments("AdjustContrast", "array", { x });
    const { gamma, invertImage, retainStats } = this.options;
    const { from, to } = workspace(x.data);
    const { min, max } = range("AdjustContrast", from);
    const before = retainStats ? meanAndStd(from, 1) : undefined;
    const sign = invertImage ? -1 : 1;
    const span = max - min;
    // Negating is exact: what is lowest of −x is −max.
    const lowest = invertImage ? max : min;
    curve(from, to, lowest, (span + 1e-7) * sign, gamma, span * sign);
    if (before) {
      const { mean, std } = meanAndStd(to, 1);
      linear(to, -mean, std + 1e-8, before.std, before.mean);
    }
    return { ...x, data: to };
  }
}

const lanesFor = /* @__PURE__ */ lanesOf({ linear: maps.linear, quotient: maps.quotient, power });

/** ((x − low) / divisor)^gamma · factor + low. */
function curve(from: Floats, to: Floats, low: number, divisor: number, gamma: number, factor: number): void {
  const lanes = from instanceof Float32Array && Math.abs(gamma) <= 16 ? lanesFor(from.length) : undefined;
  if (lanes) {
    // One pass in place of three.
    const { linear: line, quotient } = lanes.kernels;
    const raiseChunk = chunkPower(lanes, gamma);
    return changed(lanes, from as Float32Array, to as Float32Array, (end) => {
      quotient(places.first, end, -low, divisor, 1, -0, -Infinity, Infinity);
      raiseChunk(end);
      line(places.first, end, -0, factor, low, -Infinity, Infinity);
    });
  }
  linear(from, -low, divisor, 1, 0, to);
  raise(to, gamma);
  linear(to, 0, 1, factor, low);
}

/** What `RandAdjustContrast` draws. */
export interface RandAdjustContrastOptions {
  /** Default 0.1. */
  readonly prob?: number;
  /** Gamma is drawn from this range; a number g means [0.5, g]. Default [0.5, 4.5]. */
  readonly gamma?: number | readonly [number, number];
  /** Negate before and after. Default false. */
  readonly invertImage?: boolean;
  /** Restore mean and (sample) standard deviation. Default false. */
  readonly retainStats?: boolean;
}

/**
 * `AdjustContrast` with gamma uniform in `gamma`, with probability `prob` (default 0.1). MONAI's `RandAdjustContrast`.
 *
 * Shapes: any, unchanged.
 * Geometry: kept.
 * Draws: `rand()` against `prob`; where it acts, `uniform(...gamma)`.
 * @throws ConfigError for a `prob` outside 0 … 1, a gamma out of range and an unknown option, DataError when the image holds NaN
 */
export class RandAdjustContrast extends MaybeTransform {
  private readonly bounds: readonly [number, number];
  private readonly options: Required<RandAdjustContrastOptions>;
  private gamma = 1;

  constructor(options: RandAdjustContrastOptions = {}) {
    const defaults = { prob: 0.1, gamma: [0.5, 4.5], invertImage: false, retainStats: false } as const;
    const all = allOptions(
      "RandAdjustContrast",
      options,
      "prob:number gamma:sizes invertImage:boolean retainStats:boolean",
      defaults,
    );
    super("RandAdjustContrast", all.prob);
    const { gamma } = all;
    if (typeof gamma === "number" && !(gamma > 0.5)) {
      throw new ConfigError(
        `RandAdjustContrast: gamma as one number must be above 0.5 (it is drawn from [0.5, gamma]), got ${gamma}`,
      );
    }
    this.bounds = boundsOf("RandAdjustContrast", "gamma", typeof gamma === "number" ? [0.5, gamma] : gamma);
    this.options = all;
  }

  protected draw(): void {
    this.gamma = this.random.uniform(...this.bounds);
  }
  protected act(x: HostArray): HostArray {
    const { invertImage, retainStats } = this.options;
    return new AdjustContrast({ gamma: this.gamma, invertImage, retainStats }).apply(x);
  }
}
