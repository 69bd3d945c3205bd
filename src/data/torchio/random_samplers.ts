/** @file TorchIO's samplers of random patches: anywhere, by a probability map, by labels. */

import { expectArguments, expectKinds } from "../../host/kinds.ts";
import { expectOptions } from "../../host/options.ts";
import { type HostArray, sizeOf, type TypedArray } from "../../host/array.ts";
import { ConfigError, DataError, ShapeError } from "../../host/errors.ts";
import type { RandomSource } from "../../host/random/numpy.ts";
import type { Item } from "../transforms/transform.ts";
import { arraysOf, cropItem, type Location, spatialShapeOf, triplet } from "./patch.ts";

/** Cuts patches at random places, all images of an item at the same. */
export abstract class RandomSampler {
  /** Voxels per axis. */
  readonly patchSize: readonly number[];

  /** @param patchSize voxels per axis, or one number for all */
  constructor(patchSize: number | readonly number[]) {
    this.patchSize = triplet(`${new.target.name}: patchSize`, patchSize, 1);
  }

  /** A first position per call. `shape` is the spatial shape of the item's arrays. */
  protected abstract places(item: Item, shape: readonly number[]): (random: RandomSource) => number[];

  /** `count` patches. @throws ShapeError for images smaller than the patch */
  patches(item: Item, count: number, random: RandomSource): Item[] {
    expectKinds("patches", { object: { item }, number: { count }, random: { random } });
    const shape = spatialShapeOf("patches", item);
    if (shape.some((n, a) => n < this.patchSize[a]))
      throw new ShapeError(
        `patches: the patch [${this.patchSize}] is larger than the image [${shape}]; pad the image or lower it`,
      );
    const place = this.places(item, shape);
    return Array.from({ length: count }, () => {
      const at = place(random);
      return cropItem(item, [...at, ...at.map((s, a) => s + this.patchSize[a])] as unknown as Location);
    });
  }
}

/** Patches anywhere, each place as likely. */
export class UniformSampler extends RandomSampler {
  protected places(_item: Item, shape: readonly number[]): (random: RandomSource) => number[] {
    return (random) => shape.map((n, a) => random.randint(n - this.patchSize[a] + 1));
  }
}

/**
 * Where the center of a patch may be so that the patch fits: 1, else 0; the center of an even size s is voxel s / 2. `shape` and `patchSize` are in voxels
 * per axis; `shape` is that of the result.
 */
export function validCenters(shape: readonly number[], patchSize: number | readonly number[]): HostArray<Uint8Array> {
  expectArguments("validCenters", "numbers", { shape });
  const size = triplet("validCenters: patchSize", patchSize, 1);
  const data = new Uint8Array(sizeOf(shape)).fill(1);
  clearBorders(data, shape, size);
  return { data, shape: [...shape] };
}

/** Sets what is no valid center to 0. */
function clearBorders(map: TypedArray, shape: readonly number[], patchSize: readonly number[]): void {
  const low = patchSize.map((p) => p >> 1);
  const high = patchSize.map((p, a) => shape[a] - ((p - 1) >> 1));
  let at = 0;
  for (let i = 0; i < shape[0]; i++) {
    for (let j = 0; j < shape[1]; j++) {
      const inside = i >= low[0] && i < high[0] && j >= low[1] && j < high[1];
      for (let k = 0; k < shape[2]; k++, at++) if (!inside || k < low[2] || k >= high[2]) map[at] = 0;
    }
  }
}

// TorchIO's least number in place of a drawn 0, which would find a voxel of probability 0.
const leastDraw = 1.1754943508222875e-38;

/** Patches whose center is a voxel as likely as its value in a map of the item, `[1, x, y, z]`; values need not add up to 1. */
export class WeightedSampler extends RandomSampler {
  /** Entry of the item that holds the map. */
  protected readonly mapName: string | undefined;

  /**
   * @param patchSize voxels per axis, or one number for all
   * @param probabilityMap entry of the item that holds the map
   */
  constructor(patchSize: number | readonly number[], probabilityMap?: string) {
    super(patchSize);
    this.mapName = probabilityMap;
  }

  /** The array `[C, x, y, z]` that the map is made of. */
  protected mapOf(item: Item): HostArray {
    const name = this.mapName;
    const found = arraysOf(item).find(([key]) => key === name);
    if (!found)
      throw new ConfigError(`WeightedSampler: the item has no image "${name}" (its keys: ${Object.keys(item).join(", ")})`);
    return found[1];
  }

  /** The map of an item. @throws DataError for negative values and NaN */
  probabilityMap(item: Item): HostArray {
    const map = this.mapOf(item);
    for (let i = 0; i < map.data.length; i++) {
      if (!(map.data[i] >= 0))
        throw new DataError(
          `WeightedSampler: the probability map "${this.mapName}" has the value ${map.data[i]}; expected 0 or more`,
        );
    }
    return map;
  }

  /**
   * How likely each voxel is the center of a patch `[x, y, z]`: the map divided by its sum, 0 where the patch would not fit. TorchIO's
   * `process_probability_map`.
   * @throws DataError for a map that leaves no center
   */
  centerProbabilities(item: Item): HostArray<Float64Array> {
    expectArguments("centerProbabilities", "object", { item });
    const map = this.probabilityMap(item);
    const shape = map.shape.slice(1);
    const data = Float64Array.from(map.data.subarray(0, sizeOf(shape)));
    clearBorders(data, shape, this.patchSize);
    let total = 0;
    for (let i = 0; i < data.length; i++) total += data[i];
    if (!(total > 0))
      throw new DataError(
        `WeightedSampler: no voxel of the map can be the center of a patch [${this.patchSize}]: all are 0, or too near the border; pad by half of the patch`,
      );
    for (let i = 0; i < data.length; i++) data[i] /= total;
    return { data, shape };
  }

  protected places(item: Item, [, ny, nz]: readonly number[]): (random: RandomSource) => number[] {
    const sums = this.centerProbabilities(item).data;
    let sum = 0;
    for (let i = 0; i < sums.length; i++) sums[i] = sum += sums[i];
    return (random) => {
      const center = firstFrom(sums, Math.max(leastDraw, random.rand()) * sums[sums.length - 1]);
      const at = [Math.floor(center / (ny * nz)), Math.floor(center / nz) % ny, center % nz];
      return at.map((c, a) => c - (this.patchSize[a] >> 1));
    };
  }
}

/** Index of the first sum that is not less than `x`. */
function firstFrom(sums: Float64Array, x: number): number {
  let [low, high] = [0, sums.length - 1];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (sums[middle] < x) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** How labels are weighted. */
export interface LabelSamplerOptions {
  /** Key of the label map; default the first whose key says label or seg. */
  readonly labelName?: string;
  /** How likely a patch's center has each label (or, of several channels, lies in each channel); default any label above 0. */
  readonly labelProbabilities?: Readonly<Record<number, number>>;
}

/** Patches with a labeled voxel at their center. Label maps are `[C, x, y, z]`. */
export class LabelSampler extends WeightedSampler {
  private readonly probabilities: Readonly<Record<number, number>> | undefined;

  /** @param patchSize voxels per axis, or one number for all */
  constructor(patchSize: number | readonly number[], options: LabelSamplerOptions = {}) {
    expectOptions("LabelSampler", options, "labelName:text? labelProbabilities:object?");
    const { labelName, labelProbabilities } = options;
    super(patchSize, labelName);
    this.probabilities = labelProbabilities;
  }

  protected override mapOf(item: Item): HostArray {
    if (this.mapName !== undefined) return super.mapOf(item);
    const found = arraysOf(item).find(([key]) => /label|seg/i.test(key));
    if (!found)
      throw new ConfigError(
        `LabelSampler: no image of the item is a label map (keys: ${Object.keys(item).join(", ")}); give labelName`,
      );
    return found[1];
  }

  override probabilityMap(item: Item): HostArray {
    const labels = this.mapOf(item);
    if (this.probabilities) return labelProbabilityMap(labels, this.probabilities, this.patchSize);
    const data = new Float32Array(labels.data.length);
    for (let i = 0; i < data.length; i++) data[i] = labels.data[i] > 0 ? 1 : 0;
    return { data, shape: labels.shape };
  }
}

/**
 * Each label's probability, spread over its voxels that can be centers: TorchIO's `get_probabilities_from_label_map`.
 * @param labels `[1, x, y, z]`, or `[C, x, y, z]` with a mask per label
 * @returns `[1, x, y, z]` float32
 * @param probabilities by label, as weights: they are divided by their sum
 * @param patchSize voxels per axis, or one number for all
 * @throws ConfigError for probabilities below 0 or all 0 and for channels that there are not, ShapeError for a patch larger than the map
 */
export function labelProbabilityMap(
  labels: HostArray,
  probabilities: Readonly<Record<number, number>>,
  patchSize: number | readonly number[],
): HostArray<Float32Array> {
  expectKinds("labelProbabilityMap", { array: { labels }, object: { probabilities } });
  const [channels, ...shape] = labels.shape;
  const size = triplet("labelProbabilityMap: patchSize", patchSize, 1);
  if (size.some((p, a) => p > shape[a]))
    throw new ShapeError(`labelProbabilityMap: the patch [${size}] is larger than the label map [${shape}]`);
  const valid = validCenters(shape, size).data;
  const total = Object.values(probabilities).reduce((a, b) => a + b, 0);
  if (!(total > 0 && total < Infinity) || Object.values(probabilities).some((p) => p < 0))
    throw new ConfigError(
      `labelProbabilityMap: the probabilities ${JSON.stringify(probabilities)} must be numbers from 0 up, one of them above 0`,
    );
  const voxels = valid.length;
  const data = new Float32Array(voxels);
  for (const [name, probability] of Object.entries(probabilities)) {
    const label = Number(name);
    if (channels > 1 && !(label >= 0 && label < channels))
      throw new ConfigError(`labelProbabilityMap: there is no channel ${name}; the label map has ${channels}`);
    const weight = (i: number) => (channels > 1 ? labels.data[label * voxels + i] : labels.data[i] === label ? 1 : 0);
    let count = 0;
    for (let i = 0; i < voxels; i++) if (valid[i]) count += weight(i);
    if (count === 0) continue;
    const each = probability / total / count;
    for (let i = 0; i < voxels; i++) if (valid[i]) data[i] += each * weight(i);
  }
  return { data, shape: [1, ...shape] };
}
