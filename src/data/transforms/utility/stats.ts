/** @file What is in an image: `DataStats`, `IntensityStats`. */
import { expectArguments } from "../../../host/kinds.ts";
import { ConfigError, ShapeError } from "../../../host/errors.ts";
import type { HostArray, TypedArray } from "../../../host/array.ts";
import { required } from "../../../host/defaults.ts";
import { elements, nativeOf } from "../../../host/elements.ts";
import { extent, nanMean, quantiles } from "../../../host/stats.ts";
import { channels } from "../intensity/arithmetic.ts";
import type { Transform } from "../transform.ts";
import { allOptions } from "../options.ts";

/** What `DataStats` tells. */
export interface DataStatsOptions {
  /** First word of the text. Default "Data". */
  readonly prefix?: string;
  /** Tell the element type. Default true. */
  readonly dataType?: boolean;
  /** Tell the shape. Default true. */
  readonly dataShape?: boolean;
  /** Tell the least and the greatest value. Default true. */
  readonly valueRange?: boolean;
  /** Tell all values. Default false. */
  readonly dataValue?: boolean;
  /** What else to tell. Default null. It gets the array, of any shape. */
  readonly additionalInfo?: ((x: HostArray) => unknown) | null;
  /** Takes the text, for instance `console.log`. Default null: it is only kept in `text`. */
  readonly log?: ((text: string) => void) | null;
}

/**
 * Tells what passes through a chain, and gives it on as it is. MONAI's `DataStats`.
 *
 * Shapes: any, unchanged.
 * Geometry: kept.
 * @throws ConfigError for an `additionalInfo` that is not a function, and an unknown option
 */
export class DataStats implements Transform {
  /** What was told of the last array. */
  text = "";
  private readonly options: Required<DataStatsOptions>;

  constructor(options: DataStatsOptions = {}) {
    this.options = allOptions(
      "DataStats",
      options,
      "prefix:text dataType:boolean dataShape:boolean valueRange:boolean dataValue:boolean additionalInfo:function log:function",
      {
        prefix: "Data",
        dataType: true,
        dataShape: true,
        valueRange: true,
        dataValue: false,
        additionalInfo: null,
        log: null,
      },
    );
    const { prefix, additionalInfo } = this.options;
    if (typeof prefix !== "string") throw new ConfigError(`DataStats: prefix must be a text, got ${typeof prefix}`);
    if (additionalInfo !== null && typeof additionalInfo !== "function")
      throw new ConfigError(`DataStats: additionalInfo must be a function, got ${typeof additionalInfo}`);
  }

  apply(x: HostArray): HostArray {
    expectArguments("DataStats", "array", { x });
    const { prefix, dataType, dataShape, valueRange, dataValue, additionalInfo, log } = this.options;
    const name = nativeOf(x.data);
    const { min, max } = extent(x.data);
    const lines = [`${prefix} statistics:`];
    if (dataType) lines.push(`Type: ${name ? elements[name].numpy : x.data.constructor.name}`);
    if (dataShape) lines.push(`Shape: [${x.shape.join(", ")}]`);
    if (valueRange) lines.push(`Value range: (${min}, ${max})`);
    if (dataValue) lines.push(`Value: [${x.data.join(", ")}]`);
    if (additionalInfo) lines.push(`Additional info: ${String(additionalInfo(x))}`);
    this.text = lines.join("\n");
    log?.(this.text);
    return x;
  }
}

/** Statistics of the values that are not NaN. */
const statistics = {
  mean: (v: TypedArray): number => nanMean(v),
  median: (v: TypedArray): number => quantiles(withoutNaN(v), [0.5])[0],
  max: (v: TypedArray): number => extent(v).max,
  min: (v: TypedArray): number => extent(v).min,
  std: (v: TypedArray): number => {
    const mean = nanMean(v);
    return Math.sqrt(nanMean(Float64Array.from(v, (x) => (x - mean) ** 2)));
  },
} as const;

const withoutNaN = (v: TypedArray): TypedArray => (extent(v).firstNaN < 0 ? v : v.filter((x) => x === x));

/** A statistic by name, or a function of values. It gets all elements of the array, or of a channel. */
export type Statistic = keyof typeof statistics | ((values: TypedArray) => number);

/** What `IntensityStats` measures. */
export interface IntensityStatsOptions {
  /** One statistic or several. */
  readonly ops: Statistic | readonly Statistic[];
  /** Begins the names of the results, `prefix_mean` or for functions `prefix_custom_0`. */
  readonly keyPrefix: string;
  /** A list of values, one per channel. Default false. */
  readonly channelWise?: boolean;
}

/**
 * Measures statistics of the image, NaNs left out, and gives it on as it is. MONAI's `IntensityStats`.
 *
 * Shapes: any, unchanged.
 * Geometry: kept.
 * @throws ConfigError for an unknown statistic or option, ShapeError for a mask of another shape
 */
export class IntensityStats implements Transform {
  /** What was measured of the last image. */
  stats: Record<string, number | number[]> = {};
  private readonly ops: readonly Statistic[];
  private readonly keyPrefix: string;
  private readonly channelWise: boolean;

  constructor(options: IntensityStatsOptions) {
    const defaults = { ops: required, keyPrefix: required, channelWise: false } as const;
    const { ops, keyPrefix, channelWise } = allOptions(
      "IntensityStats",
      options,
      "ops keyPrefix:text channelWise:boolean",
      defaults,
    );
    if (typeof ops === "object") expectArguments("IntensityStats", "list", { ops });
    this.ops = typeof ops === "object" ? ops : [ops];
    this.keyPrefix = keyPrefix;
    this.channelWise = channelWise;
    for (const op of this.ops) {
      if (typeof op !== "function" && !Object.hasOwn(statistics, op))
        throw new ConfigError(
          `IntensityStats: unknown statistic "${String(op)}"; known are ${Object.keys(statistics).join(", ")}`,
        );
    }
  }

  apply(x: HostArray): HostArray {
    expectArguments("IntensityStats", "array", { x });
    this.stats = this.measure(x);
    return x;
  }

  /** The statistics of an image, with a mask only of the voxels where it is not 0. */
  measure(x: HostArray, mask?: HostArray | null): Record<string, number | number[]> {
    if (mask && mask.shape.join() !== x.shape.join()) {
      throw new ShapeError(
        `IntensityStats: the mask has shape [${mask.shape.join(", ")}], the image [${x.shape.join(", ")}]; they must be the same`,
      );
    }
    const data = mask ? x.data.filter((_, i) => mask.data[i] !== 0) : x.data;
    const out: Record<string, number | number[]> = {};
    let custom = 0;
    for (const op of this.ops) {
      const run = typeof op === "function" ? op : statistics[op];
      const name = typeof op === "function" ? `custom_${custom++}` : op;
      // Masked voxels have lost their channels: each is one, as in MONAI.
      const groups = mask ? Array.from(data, (v) => Float64Array.of(v)) : channels(data, x.shape[0]);
      out[`${this.keyPrefix}_${name}`] = this.channelWise ? groups.map(run) : run(data);
    }
    return out;
  }
}
