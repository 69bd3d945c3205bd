/** @file Shifts of intensity: `ShiftIntensity`, `StdShiftIntensity` and the random ones. */
import { expectArguments } from "../../../host/kinds.ts";
import { ConfigError, DataError } from "../../../host/errors.ts";
import type { HostArray } from "../../../host/array.ts";
import { required } from "../../../host/defaults.ts";
import { castTo } from "../shape/cast.ts";
import { type Item, MaybeTransform, type Transform } from "../transform.ts";
import { add, type Bounds, boundsOf, clampToType, computed, finish, intoType } from "./arithmetic.ts";
import { meanAndStd } from "./moments.ts";
import type { OutputType } from "./scale.ts";
import { TypedMaybeTransform } from "./typed_maybe.ts";
import { expectSameChannels } from "../drawn_for.ts";
import { allOptions } from "../options.ts";

/** How far `ShiftIntensity` shifts. */
export interface ShiftIntensityOptions {
  /** What is added to each voxel. */
  readonly offset: number;
  /** Clip to what an integer element type can hold, in place of wrapping around. Default false. */
  readonly safe?: boolean;
}

/**
 * x + offset, in the element type of x. MONAI's `ShiftIntensity`.
 *
 * Shapes: any, unchanged.
 * Geometry: kept.
 * @throws ConfigError for an unknown option and an offset that is not finite
 */
export class ShiftIntensity implements Transform {
  private readonly options: Required<ShiftIntensityOptions>;

  constructor(options: ShiftIntensityOptions) {
    this.options = allOptions("ShiftIntensity", options, "offset:number safe:boolean", { offset: required, safe: false });
    if (!Number.isFinite(options.offset))
      throw new ConfigError(`ShiftIntensity: offset must be a finite number, got ${options.offset}`);
  }

  apply(x: HostArray): HostArray {
    expectArguments("ShiftIntensity", "array", { x });
    return shifted(x, [this.options.offset], this.options.safe);
  }
}

/** Adds one offset, or one per channel. */
function shifted(x: HostArray, offsets: readonly number[], safe: boolean): HostArray {
  const data = computed(x, x.data, offsets.length > 1, (from, to, c) => add(from, offsets[c], to));
  if (safe) clampToType(data, x.data);
  return { ...x, data: intoType(data, x.data) };
}

/** What `RandShiftIntensity` draws. */
export interface RandShiftIntensityOptions {
  /** The offset is drawn from this range; a number v means [−v, v]. */
  readonly offsets: Bounds;
  /** Clip to what an integer element type can hold, in place of wrapping around. Default false. */
  readonly safe?: boolean;
  /** Default 0.1. */
  readonly prob?: number;
  /** One draw per channel. Default false. */
  readonly channelWise?: boolean;
  /** Under `onKeys`: the entry of the item with a number that the drawn offsets are multiplied with. Default null: 1. */
  readonly factorKey?: string | null;
}

/**
 * x + o, o uniform in `offsets`, with probability `prob` (default 0.1), in the element type of x. MONAI's `RandShiftIntensity`.
 *
 * Shapes: any, unchanged; `[C, …]` with `channelWise`.
 * Geometry: kept.
 * Draws: `rand()` against `prob`; where it acts, `uniform(...offsets)`, once or per channel.
 * @throws ConfigError for a `prob` outside 0 … 1, offsets that are not finite and an unknown option
 */
export class RandShiftIntensity extends MaybeTransform {
  private readonly bounds: readonly [number, number];
  private readonly options: Required<RandShiftIntensityOptions>;
  private drawn: number[] = [];
  private factor = 1;
  private itemFactor = 1;

  constructor(options: RandShiftIntensityOptions) {
    const defaults = { offsets: required, safe: false, prob: 0.1, channelWise: false, factorKey: null } as const;
    const all = allOptions(
      "RandShiftIntensity",
      options,
      "offsets:sizes safe:boolean prob:number channelWise:boolean factorKey:text",
      defaults,
    );
    super("RandShiftIntensity", all.prob);
    this.bounds = boundsOf("RandShiftIntensity", "offsets", all.offsets);
    this.options = all;
  }

  protected draw(x: HostArray): void {
    const count = this.options.channelWise ? x.shape[0] : 1;
    this.drawn = Array.from({ length: count }, () => this.random.uniform(...this.bounds));
  }
  override randomizeItem(item: Item, first: HostArray): void {
    const { factorKey } = this.options;
    const factor = factorKey === null ? 1 : item[factorKey];
    if (typeof factor !== "number" || !Number.isFinite(factor))
      throw new DataError(
        `RandShiftIntensity: the item has no number under "${factorKey}" (its keys: ${Object.keys(item).join(", ")})`,
      );
    this.itemFactor = factor;
    this.randomize(first);
  }
  /** @param factor of the drawn offsets, as MONAI's dictionary form takes it from an item's metadata. Default that of `factorKey`, or 1. */
  override applyDrawn(x: HostArray, factor = this.itemFactor): HostArray {
    this.factor = factor;
    return super.applyDrawn(x);
  }
  protected act(x: HostArray): HostArray {
    if (this.options.channelWise) expectSameChannels("RandShiftIntensity", x, this.drawn.length);
    return shifted(
      x,
      this.drawn.map((offset) => offset * this.factor),
      this.options.safe,
    );
  }
}

/** How far `StdShiftIntensity` shifts. */
export interface StdShiftIntensityOptions extends OutputType {
  /** Standard deviations. */
  readonly factor: number;
  /** Count and change only voxels that are not 0. Default false. */
  readonly nonzero?: boolean;
  /** Each channel by its own deviation. Default false. */
  readonly channelWise?: boolean;
}

/**
 * x + factor · std, with the standard deviation of the population. MONAI's `StdShiftIntensity`.
 *
 * Shapes: any, unchanged; `[C, …]` with `channelWise`.
 * Geometry: kept.
 * @throws ConfigError for an unknown option or `dtype`
 */
export class StdShiftIntensity implements Transform {
  private readonly options: Required<StdShiftIntensityOptions>;

  constructor(options: StdShiftIntensityOptions) {
    const defaults = { factor: required, nonzero: false, channelWise: false, dtype: "float32" } as const;
    this.options = allOptions(
      "StdShiftIntensity",
      options,
      "factor:number nonzero:boolean channelWise:boolean dtype:text",
      defaults,
    );
  }

  apply(x: HostArray): HostArray {
    expectArguments("StdShiftIntensity", "array", { x });
    const { factor, nonzero, channelWise, dtype } = this.options;
    const given = dtype === null ? x.data : castTo("StdShiftIntensity", x, dtype).data;
    const data = computed(x, given, channelWise, (from, to) => {
      const { std, count } = meanAndStd(from, 0, nonzero);
      if (count > 0 && !nonzero) add(from, factor * std, to);
      else for (let i = 0; i < from.length; i++) to[i] = count === 0 || from[i] === 0 ? from[i] : from[i] + factor * std;
    });
    return finish("StdShiftIntensity", data, x, dtype);
  }
}

/** What `RandStdShiftIntensity` draws. */
export interface RandStdShiftIntensityOptions extends OutputType {
  /** The factor is drawn from this range; a number v means [−v, v]. */
  readonly factors: Bounds;
  /** Default 0.1. */
  readonly prob?: number;
  /** Count and change only voxels that are not 0. Default false. */
  readonly nonzero?: boolean;
  /** Each channel by its own deviation. Default false. */
  readonly channelWise?: boolean;
}

/**
 * `StdShiftIntensity` with a factor uniform in `factors`, with probability `prob` (default 0.1). The result has the type `dtype` whether or not the
 * transform acts. MONAI's `RandStdShiftIntensity`.
 *
 * Shapes: any, unchanged; `[C, …]` with `channelWise`.
 * Geometry: kept.
 * Draws: `rand()` against `prob`; where it acts, `uniform(...factors)`.
 * @throws ConfigError for a `prob` outside 0 … 1, factors that are not finite and an unknown option
 */
export class RandStdShiftIntensity extends TypedMaybeTransform {
  private readonly bounds: readonly [number, number];
  private readonly options: Required<RandStdShiftIntensityOptions>;
  private factor = 0;

  constructor(options: RandStdShiftIntensityOptions) {
    const defaults = { factors: required, prob: 0.1, nonzero: false, channelWise: false, dtype: "float32" } as const;
    const all = allOptions(
      "RandStdShiftIntensity",
      options,
      "factors:sizes prob:number nonzero:boolean channelWise:boolean dtype:text",
      defaults,
    );
    super("RandStdShiftIntensity", all.prob, all.dtype);
    this.bounds = boundsOf("RandStdShiftIntensity", "factors", all.factors);
    this.options = all;
  }

  protected draw(): void {
    this.factor = this.random.uniform(...this.bounds);
  }
  protected act(x: HostArray): HostArray {
    const { nonzero, channelWise, dtype } = this.options;
    return new StdShiftIntensity({ factor: this.factor, nonzero, channelWise, dtype }).apply(x);
  }
}
