/** @file Scaling and clipping by percentiles of the image: `ScaleIntensityRangePercentiles`, `ClipIntensityPercentiles`. */
import { expectArguments } from "../../../host/kinds.ts";
import { ConfigError, ShapeError } from "../../../host/errors.ts";
import type { HostArray } from "../../../host/array.ts";
import { required } from "../../../host/defaults.ts";
import { quantiles } from "../../../host/stats.ts";
import { workingCopy } from "../shape/cast.ts";
import { clamp, computed, finish, type Floats, parts, scaleRange } from "./arithmetic.ts";
import type { OutputType } from "./scale.ts";
import { clipSoftly } from "./soft_clip.ts";
import type { Transform } from "../transform.ts";
import { allOptions } from "../options.ts";

/** The percentiles and the range of `ScaleIntensityRangePercentiles`. */
export interface ScaleIntensityRangePercentilesOptions extends OutputType {
  /** Percentile, 0 … 100, that is mapped to `bMin`. */
  readonly lower: number;
  /** Percentile, 0 … 100, that is mapped to `bMax`. */
  readonly upper: number;
  /** Start of the target range; null leaves out its part. */
  readonly bMin: number | null;
  /** Its end. */
  readonly bMax: number | null;
  /** Clip to [bMin, bMax]. Default false. */
  readonly clip?: boolean;
  /** Map to the same percentiles of [bMin, bMax] in place of its ends. Default false. */
  readonly relative?: boolean;
  /** Each channel by its own percentiles. Default false. */
  readonly channelWise?: boolean;
}

/**
 * `ScaleIntensityRange` from percentiles of the image, between order statistics in proportion. MONAI's `ScaleIntensityRangePercentiles`.
 *
 * Shapes: any, unchanged; `[C, …]` with `channelWise`.
 * Geometry: kept.
 * @throws ConfigError for percentiles outside 0 … 100, `relative` without both ends and an unknown `dtype`, ShapeError for an empty image
 */
export class ScaleIntensityRangePercentiles implements Transform {
  private readonly options: Required<ScaleIntensityRangePercentilesOptions>;

  constructor(options: ScaleIntensityRangePercentilesOptions) {
    this.options = allOptions(
      "ScaleIntensityRangePercentiles",
      options,
      "lower:number upper:number bMin:number bMax:number clip:boolean relative:boolean channelWise:boolean dtype:text",
      {
        lower: required,
        upper: required,
        bMin: required,
        bMax: required,
        clip: false,
        relative: false,
        channelWise: false,
        dtype: "float32",
      },
    );
    checkPercentiles("ScaleIntensityRangePercentiles", options.lower, options.upper);
    if (options.relative && (options.bMin === null || options.bMax === null)) {
      throw new ConfigError("ScaleIntensityRangePercentiles: relative needs bMin and bMax");
    }
  }

  apply(x: HostArray): HostArray {
    expectArguments("ScaleIntensityRangePercentiles", "array", { x });
    const { lower, upper, bMin, bMax, clip, relative, channelWise, dtype } = this.options;
    // `relative` was refused without both ends.
    const at = (percent: number, end: number | null): number | null =>
      relative ? (bMax! - bMin!) * (percent / 100) + bMin! : end;
    const target = { bMin: at(lower, bMin), bMax: at(upper, bMax), clip };
    const data = computed(x, x.data, channelWise, (from, to) => {
      const [aMin, aMax] = percentiles("ScaleIntensityRangePercentiles", from, [lower, upper]);
      scaleRange(from, to, { aMin, aMax, ...target });
    });
    return finish("ScaleIntensityRangePercentiles", data, x, dtype);
  }
}

/** Where `ClipIntensityPercentiles` clips, and how sharply. */
export interface ClipIntensityPercentilesOptions extends OutputType {
  /** Percentile, 0 … 100, to clip at; null leaves that end open. One of the two is needed. */
  readonly lower?: number | null;
  /** As `lower`. */
  readonly upper?: number | null;
  /** Soft clipping: x + softplus(−s(x − low)) / s − softplus(s(x − high)) / s. Default: hard. */
  readonly sharpnessFactor?: number | null;
  /** Each channel by its own percentiles. Default false. */
  readonly channelWise?: boolean;
  /** Keep in `clippingValues` where each image, or channel, was clipped. Default false. */
  readonly returnClippingValues?: boolean;
}

/**
 * Clips at percentiles of the image; the element type stays. MONAI's `ClipIntensityPercentiles`.
 *
 * Shapes: any, unchanged; `[C, …]` with `channelWise`.
 * Geometry: kept.
 * @throws ConfigError for percentiles outside 0 … 100 or in the wrong order, without either, and for a sharpness of 0 or below; ShapeError for an empty
 *   image
 */
export class ClipIntensityPercentiles implements Transform {
  /** [low, high] of each image, or channel, since this transform was made; null where soft clipping has no end. */
  readonly clippingValues: [number | null, number | null][] = [];
  private readonly options: Required<ClipIntensityPercentilesOptions>;

  constructor(options: ClipIntensityPercentilesOptions) {
    const all = allOptions(
      "ClipIntensityPercentiles",
      options,
      "lower:number upper:number sharpnessFactor:number channelWise:boolean returnClippingValues:boolean dtype:text",
      {
        lower: null,
        upper: null,
        sharpnessFactor: null,
        channelWise: false,
        returnClippingValues: false,
        dtype: "float32",
      },
    );
    const { lower, upper, sharpnessFactor } = all;
    if (lower === null && upper === null) throw new ConfigError("ClipIntensityPercentiles: give lower, upper or both");
    checkPercentiles("ClipIntensityPercentiles", lower ?? 0, upper ?? 100);
    if ((lower ?? 0) > (upper ?? 100)) throw new ConfigError(`ClipIntensityPercentiles: lower ${lower} is above upper ${upper}`);
    if (typeof sharpnessFactor === "number" && !(sharpnessFactor > 0)) {
      throw new ConfigError(`ClipIntensityPercentiles: sharpnessFactor must be above 0, got ${sharpnessFactor}`);
    }
    this.options = all;
  }

  apply(x: HostArray): HostArray {
    expectArguments("ClipIntensityPercentiles", "array", { x });
    const { lower, upper, sharpnessFactor, channelWise, returnClippingValues } = this.options;
    const data = workingCopy(x.data);
    for (const part of parts(data, x, channelWise)) {
      const [low, high] = percentiles("ClipIntensityPercentiles", part, [lower ?? 0, upper ?? 100]);
      if (sharpnessFactor === null) clamp(part, low, high);
      else clipSoftly(part, sharpnessFactor, lower === null ? null : low, upper === null ? null : high);
      const open = sharpnessFactor !== null;
      if (returnClippingValues)
        this.clippingValues.push([open && lower === null ? null : low, open && upper === null ? null : high]);
    }
    return finish("ClipIntensityPercentiles", data, x, null);
  }
}

function percentiles(op: string, data: Floats, q: readonly number[]): number[] {
  if (data.length === 0) throw new ShapeError(`${op}: the image is empty`);
  return quantiles(
    data,
    q.map((p) => p / 100),
  );
}

function checkPercentiles(op: string, lower: number, upper: number): void {
  if (!(lower >= 0 && lower <= 100 && upper >= 0 && upper <= 100)) {
    throw new ConfigError(`${op}: percentiles must be from 0 to 100, got lower ${lower}, upper ${upper}`);
  }
}
