/** @file TorchIO's `GridSampler`: patches that cover a volume, for inference; three spatial axes. */

import { expectArguments, expectFields, expectKinds } from "../../host/kinds.ts";
import { expectOptions } from "../../host/options.ts";
import { type HostArray, sizeOf } from "../../host/array.ts";
import { ConfigError, ShapeError } from "../../host/errors.ts";
import { expectIntegers } from "../../host/integers.ts";
import { type NumpyPadMode, padAxes } from "../transforms/pad/pad_axes.ts";
import type { Item } from "../transforms/transform.ts";
import { arraysOf, cropItem, type Location, spatialShapeOf, triplet } from "./patch.ts";

/** How a grid sampler cuts. */
export interface GridSamplerOptions {
  /** One number for all axes, or one per axis. */
  readonly patchSize: number | readonly number[];
  /** Voxels that neighbors share, even; default 0. */
  readonly patchOverlap?: number | readonly number[];
  /** Pad by half of the overlap before cutting, by a mode or with a value; the aggregator crops again. Default null: no padding. */
  readonly paddingMode?: NumpyPadMode | number | null;
}

/**
 * Where patches are, sorted: every `patchSize − patchOverlap` voxels, and a last one that ends with the image.
 * @throws ConfigError for a patch larger than the image, an overlap as large as the patch, and an odd one
 * @param imageSize voxels per axis, as the other sizes
 */
export function gridLocations(
  imageSize: readonly number[],
  patchSize: readonly number[],
  patchOverlap: readonly number[] = [0, 0, 0],
): Location[] {
  expectArguments("gridLocations", "numbers", { imageSize, patchSize, patchOverlap });
  if (patchSize.some((p, a) => p > imageSize[a]))
    throw new ConfigError(
      `GridSampler: patchSize [${patchSize}] is larger than the image [${imageSize}]; pad the image or lower it`,
    );
  if (patchOverlap.some((o, a) => o >= patchSize[a]))
    throw new ConfigError(`GridSampler: patchOverlap [${patchOverlap}] must be smaller than patchSize [${patchSize}]`);
  if (patchOverlap.some((o) => !Number.isInteger(o) || o < 0 || o % 2 !== 0))
    throw new ConfigError(`GridSampler: patchOverlap is [${patchOverlap}]; expected even whole numbers`);
  const starts = imageSize.map((n, a) => {
    const last = n - patchSize[a];
    const out: number[] = [];
    for (let s = 0; s <= last; s += patchSize[a] - patchOverlap[a]) out.push(s);
    if (out.at(-1) !== last) out.push(last);
    return out;
  });
  const all = starts.reduce<number[][]>((list, axis) => list.flatMap((head) => axis.map((s) => [...head, s])), [[]]);
  return all.map((at) => [...at, ...at.map((s, a) => s + patchSize[a])] as unknown as Location);
}

/** The patches of an item's arrays `[C, x, y, z]`, which share one spatial shape. */
export class GridSampler {
  /** Voxels per axis. */
  readonly patchSize: readonly number[];
  /** Voxels per axis that neighbors share. */
  readonly patchOverlap: readonly number[];
  /** Whether the arrays were padded by half of the overlap. */
  readonly padded: boolean;
  /** Where the patches are, in the order they come. */
  readonly locations: readonly Location[];
  /** Of the arrays that are cut, padding included. */
  readonly spatialShape: readonly number[];
  private readonly item: Item;

  /** @throws ConfigError as `gridLocations`; ShapeError for arrays of several spatial shapes */
  constructor(item: Item, options: GridSamplerOptions) {
    expectOptions("GridSampler", options, "patchSize patchOverlap paddingMode");
    expectArguments("GridSampler", "object", { item });
    const { patchSize, patchOverlap = 0, paddingMode = null } = options;
    this.patchSize = triplet("GridSampler: patchSize", patchSize, 1);
    this.patchOverlap = triplet("GridSampler: patchOverlap", patchOverlap, 0);
    this.padded = paddingMode !== null;
    this.item = paddingMode === null ? item : padItem(item, this.patchOverlap, paddingMode);
    this.spatialShape = spatialShapeOf("GridSampler", this.item);
    this.locations = gridLocations(this.spatialShape, this.patchSize, this.patchOverlap);
  }

  /** How many patches there are. */
  get length(): number {
    return this.locations.length;
  }

  /** The item with its arrays cut, and the `location` of the patch. `index` is from 0. */
  get(index: number): Item {
    const location = this.locations[index];
    if (!location) throw new ShapeError(`GridSampler: there is no patch ${index}; there are ${this.locations.length}`);
    return cropItem(this.item, location);
  }

  /** The patches in their order. */
  *[Symbol.iterator](): Generator<Item> {
    for (let i = 0; i < this.length; i++) yield this.get(i);
  }
}

function padItem(item: Item, overlap: readonly number[], mode: NumpyPadMode | number): Item {
  const width = overlap.map((o) => [o >> 1, o >> 1] as const);
  const fill = typeof mode === "number" ? { value: mode } : { mode };
  return { ...item, ...Object.fromEntries(arraysOf(item).map(([key, x]) => [key, padAxes("GridSampler", x, width, fill)])) };
}

/** How patches are put together where they overlap. */
export type OverlapMode = "crop" | "average" | "hann";

/** Weights of a patch that fall to its borders: the product of Hann windows without their zero ends. `patchSize` is in voxels, and the shape of the result. */
export function hannWindow(patchSize: readonly number[]): HostArray<Float32Array> {
  expectArguments("hannWindow", "numbers", { patchSize });
  let map = Float32Array.of(1);
  for (const n of patchSize) {
    const next = new Float32Array(map.length * n);
    for (let i = 0; i < map.length; i++) {
      for (let k = 0; k < n; k++) next[i * n + k] = map[i] * Math.fround(0.5 - 0.5 * Math.cos((2 * Math.PI * (k + 1)) / (n + 1)));
    }
    map = next;
  }
  return { data: map, shape: [...patchSize] };
}

/** What an aggregator needs of the sampler whose patches it gets. */
export type AggregatedGrid = Pick<GridSampler, "patchSize" | "patchOverlap" | "padded" | "spatialShape">;

/** How an aggregator joins. */
export interface GridAggregatorOptions {
  /** "crop" (default): patches lose half of the overlap on inner sides; "average": equal weights; "hann": weights of `hannWindow`. */
  readonly overlapMode?: OverlapMode;
  /** How many times smaller the network's output is, per axis; default 1. Overlap and padding shrink with it, where TorchIO crops as much of the output. */
  readonly downsamplingFactor?: number;
}

/** Puts a network's outputs for the patches of a `GridSampler` together: TorchIO's `GridAggregator`. */
export class GridAggregator {
  private readonly grid: AggregatedGrid;
  private readonly mode: OverlapMode;
  private readonly factor: number;
  private readonly size: readonly number[];
  private sum: Float32Array | undefined;
  private weights: Float32Array | undefined;
  private channels = 0;

  /** @throws ConfigError for options out of range */
  constructor(grid: AggregatedGrid, options: GridAggregatorOptions = {}) {
    expectOptions("GridAggregator", options, "overlapMode downsamplingFactor");
    expectFields("GridAggregator", "grid", grid, { spatialShape: "numbers", patchSize: "numbers", patchOverlap: "numbers" });
    const { overlapMode = "crop", downsamplingFactor = 1 } = options;
    if (!["crop", "average", "hann"].includes(overlapMode))
      throw new ConfigError(`GridAggregator: overlapMode is "${String(overlapMode)}"; expected "crop", "average" or "hann"`);
    expectIntegers("GridAggregator", { downsamplingFactor }, 1);
    this.grid = grid;
    this.mode = overlapMode;
    this.factor = downsamplingFactor;
    this.size = grid.spatialShape.map((n) => Math.floor(n / downsamplingFactor));
  }

  /**
   * @param batch `[B, C, x, y, z]`, a patch per location; @param locations of the patches in the image, as in the items of the sampler
   * @throws ShapeError for patches of another size than their locations say
   */
  addBatch(batch: HostArray, locations: readonly Location[]): void {
    expectKinds("GridAggregator", { array: { batch }, matrix: { locations } });
    const [count, channels, ...patch] = batch.shape;
    if (count !== locations.length || patch.length !== 3)
      throw new ShapeError(
        `GridAggregator: the batch is [${batch.shape}] for ${locations.length} locations; expected [B, C, x, y, z]`,
      );
    this.channels ||= channels;
    if (channels !== this.channels)
      throw new ShapeError(`GridAggregator: the batch has ${channels} channels, the ones before ${this.channels}`);
    this.sum ??= new Float32Array(channels * sizeOf(this.size));
    const one = channels * sizeOf(patch);
    locations.forEach((location, b) => {
      const at = location.map((v) => Math.floor(v / this.factor));
      const want = [0, 1, 2].map((a) => at[a + 3] - at[a]);
      if (want.join() !== patch.join())
        throw new ShapeError(`GridAggregator: a patch is [${patch}], but its location [${location}] is [${want}] large`);
      const inner = this.mode === "crop" ? this.inner(location) : location;
      const [first, last] = [0, 3].map((end) => patch.map((_, a) => Math.floor(inner[a + end] / this.factor) - at[a]));
      this.add(batch.data.subarray(b * one, (b + 1) * one), { patch, at, first, last });
    });
  }

  /** A location without the half of the overlap that its neighbors are asked for. */
  private inner(location: Location): number[] {
    const { patchOverlap, padded, spatialShape } = this.grid;
    return location.map((v, i) => {
      const a = i % 3;
      const border = i < 3 ? v === 0 : v === spatialShape[a];
      const half = border && !padded ? 0 : patchOverlap[a] >> 1;
      return i < 3 ? v + half : v - half;
    });
  }

  private add(
    values: HostArray["data"],
    { patch, at, first, last }: Record<"patch" | "at" | "first" | "last", readonly number[]>,
  ) {
    const crop = this.mode === "crop";
    const window = this.mode === "hann" ? hannWindow(patch).data : undefined;
    if (!crop) this.weights ??= new Float32Array(sizeOf(this.size));
    const voxels = sizeOf(patch);
    const sum = this.sum!;
    for (let i = first[0]; i < last[0]; i++) {
      for (let j = first[1]; j < last[1]; j++) {
        for (let k = first[2]; k < last[2]; k++) {
          const from = (i * patch[1] + j) * patch[2] + k;
          const to = ((at[0] + i) * this.size[1] + at[1] + j) * this.size[2] + at[2] + k;
          const weight = window ? window[from] : 1;
          for (let c = 0; c < this.channels; c++) {
            const value = values[c * voxels + from];
            const place = c * sizeOf(this.size) + to;
            if (crop) sum[place] = value;
            else sum[place] += value * weight;
          }
          if (!crop) this.weights![to] += weight;
        }
      }
    }
  }

  /** The volume `[C, x, y, z]` without the sampler's padding. @throws ConfigError before any batch */
  getOutput(): HostArray<Float32Array> {
    const { sum, weights, size, channels } = this;
    if (!sum) throw new ConfigError("GridAggregator: no batch was added yet");
    const data = new Float32Array(sum);
    const voxels = sizeOf(size);
    if (weights) for (let i = 0; i < data.length; i++) data[i] /= weights[i % voxels];
    const whole = { data, shape: [channels, ...size] };
    if (!this.grid.padded) return whole;
    const box = this.inner([0, 0, 0, ...this.grid.spatialShape] as unknown as Location).map((v) => Math.floor(v / this.factor));
    return cropItem({ whole }, box as unknown as Location).whole as HostArray<Float32Array>;
  }
}
