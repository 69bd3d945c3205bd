/** @file `RandWeightedCrop`: crops whose centers are drawn by a weight map. */
import { expectSameSpace } from "../drawn_for.ts";
import { expectArguments } from "../../../host/kinds.ts";
import { DataError } from "../../../host/errors.ts";
import { expectIntegers } from "../../../host/integers.ts";
import type { HostArray } from "../../../host/array.ts";
import { resolveSize, spatialShape, type SpatialSize } from "../../../host/strided.ts";
import type { RandomSource } from "../../../host/random/numpy.ts";
import { type Item, RandomTransform } from "../transform.ts";
import { centeredSlices, crop, cropWindow } from "./crop.ts";
import { checkedOptions } from "../options.ts";

/** Options of `RandWeightedCrop`. */
export interface RandWeightedCropOptions {
  /** Crop size; null, 0 and negative sizes mean the image's. */
  readonly spatialSize: SpatialSize;
  /** Default 1. */
  readonly numSamples?: number;
  /** The map, where it is the same for all images. Shape `[C, …]`, of which the first channel counts. */
  readonly weightMap?: HostArray | null;
  /** Entry of an item that holds the map. Default "weight". */
  readonly wKey?: string;
}

/**
 * `numSamples` crops whose centers are drawn in proportion to a weight map's first channel, from where a crop fits; evenly where the map is zero. A
 * multi-sample transform. MONAI's `RandWeightedCrop`.
 *
 * As an array transform without `weightMap`: `randomize(map)`, then `applyDrawn(x)` for each array.
 *
 * Shapes: `[C, …]` → numSamples × `[C, …spatialSize]`.
 * Geometry: kept.
 * Draws: `rand(numSamples)`; for a map that is zero integers below the number of places, in its stead.
 * @throws ConfigError for options out of range, DataError for an item without a map
 */
export class RandWeightedCrop extends RandomTransform<HostArray[]> {
  /** Names and kinds of the options it takes. */
  static readonly options: string = "spatialSize:sizes! numSamples:number weightMap:array wKey:text";
  /** Centers of the last draw, in voxels. */
  centers: number[][] = [];
  private readonly options: RandWeightedCropOptions;
  private space: readonly number[] = [];

  constructor(options: RandWeightedCropOptions) {
    super();
    checkedOptions("RandWeightedCrop", options, RandWeightedCrop.options);
    const { numSamples = 1 } = options;
    expectIntegers("RandWeightedCrop", { numSamples }, 1);
    this.options = options;
  }

  randomize(weightMap: HostArray): void {
    const { spatialSize, numSamples = 1 } = this.options;
    const map = this.options.weightMap ?? weightMap;
    this.centers = weightedPatchSamples(map, spatialSize, numSamples, this.random);
    this.space = map.shape.slice(1);
  }

  override randomizeItem(item: Item): void {
    const { wKey = "weight" } = this.options;
    const map = this.options.weightMap ?? (item[wKey] as HostArray | undefined);
    if (!map)
      throw new DataError(`RandWeightedCrop: the item has no "${wKey}" (its keys: ${Object.keys(item).join(", ")}); set wKey`);
    this.randomize(map);
  }

  applyDrawn(x: HostArray): HostArray[] {
    expectSameSpace("RandWeightedCrop", x, this.space);
    const size = resolveSize("RandWeightedCrop", this.options.spatialSize, spatialShape("RandWeightedCrop", x));
    return this.centers.map((c) => crop("RandWeightedCrop", x, centeredSlices(c, size)));
  }
}

/** Centers of windows, drawn in proportion to the first channel of a map `[C, …]`. MONAI's `weighted_patch_samples`. `count` of them, in voxels. */
export function weightedPatchSamples(map: HostArray, size: SpatialSize, count: number, random: RandomSource): number[][] {
  expectArguments("weightedPatchSamples", "random", { random });
  const op = "weightedPatchSamples";
  const image = spatialShape(op, map);
  const window = resolveSize(op, size, image);
  const first = image.map((m, i) => (m > window[i] ? Math.floor(window[i] / 2) : Math.floor(m / 2)));
  const valid = image.map((m, i) => (m > window[i] ? m - window[i] : 1));
  const { out } = cropWindow(
    op,
    map,
    first.map((f, i) => [f, f + valid[i]] as const),
  );
  const weights = out.data.subarray(0, out.data.length / map.shape[0]);
  const cumulative = runningSums(weights);
  const total = cumulative.at(-1) ?? 0;
  const draws =
    total > 0 && Number.isFinite(total)
      ? Array.from(random.rand(count), (r) => firstAbove(cumulative, r * total))
      : Array.from(random.randint(0, weights.length, count));
  const half = image.map((m, i) => Math.floor(Math.min(window[i], m) / 2));
  return draws.map((flat) => {
    const at = new Array<number>(image.length);
    for (let a = image.length - 1, rest = flat; a >= 0; a--) {
      at[a] = (rest % valid[a]) + half[a];
      rest = Math.floor(rest / valid[a]);
    }
    return at;
  });
}

/** Running sums of weights, moved up to begin at 0 where some are negative. */
function runningSums(weights: ArrayLike<number>): Float64Array {
  let least = 0;
  for (let i = 0; i < weights.length; i++) if (weights[i] < least) least = weights[i];
  const out = new Float64Array(weights.length);
  for (let i = 0, sum = 0; i < out.length; i++) out[i] = sum += weights[i] - least;
  return out;
}

/** The first entry above v; the last if none is. */
function firstAbove(rising: Float64Array, v: number): number {
  let low = 0;
  let high = rising.length;
  while (low < high) {
    const mid = (low + high) >>> 1;
    if (rising[mid] <= v) low = mid + 1;
    else high = mid;
  }
  return Math.min(low, rising.length - 1);
}
