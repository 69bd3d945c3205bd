/**
 * @file Every patch of a regular grid over an image: PatchIter for arrays, PatchIterd for items, GridPatchDataset for datasets.
 * Positions, padding and coordinates are MONAI's: the grid starts at `startPos` and steps by the patch size in C order; with a
 * padding mode every voxel after the start is visited and the last patches are filled up, without one only whole patches are.
 */

import { expectArguments, expectFull, refused } from "../../host/kinds.ts";
import { expectOptions } from "../../host/options.ts";
import { type EdgeMode, edgeIndices, torchEdges } from "../../host/edges.ts";
import { ConfigError, DataError, ShapeError } from "../../host/errors.ts";
import type { HostArray, TypedArray } from "../../host/array.ts";
import {
  applyTransforms,
  asList,
  type Dataset,
  unmixed,
  type DataSource,
  linksOf,
  type StreamPlan,
  type TransformList,
} from "./dataset.ts";
import type { RandomSource } from "../../host/random/numpy.ts";
import { checkFill, type NumpyPadMode, padAxes, type PadFill } from "../transforms/pad/pad_axes.ts";
import type { Item } from "../transforms/transform.ts";
import { expectPatchSize, expectStart, gridSteps, range, validPatchSize } from "./patch_position.ts";

/** numpy's and PyTorch's names of what stands beyond the image; null: no padding. */
export type GridPadMode = NumpyPadMode | null;

/** The grid of patches. */
export interface PatchIterOptions extends Omit<PadFill, "mode"> {
  /** Size per spatial axis; 0, null and missing entries take the whole axis, and more than the image has is cut to the image. */
  readonly patchSize: readonly (number | null)[];
  /**
   * First position per axis of the array, the channel axis first, as MONAI counts; default 0. May be negative down to −patchSize with a padding
   * mode. An axis taken whole, as channels are, loses what lies before its start; without a padding mode there is then no patch.
   */
  readonly startPos?: readonly number[];
  /** What neighbors share, per spatial axis or for all: voxels if whole numbers, else a share of the patch; none of axes taken whole. Default 0. */
  readonly overlap?: number | readonly number[];
  /** Default "wrap". */
  readonly mode?: GridPadMode;
}

/** A patch and where it lies. */
export interface PlacedPatch<A extends TypedArray = TypedArray> {
  /** `[C, …patchSize]` */
  readonly patch: HostArray<A>;
  /** `[axes, 2]`: first and last + 1 position per axis, channel axis first, in the unpadded image. */
  readonly coords: HostArray<Int32Array>;
}

/** The grid of patches of an array `[C, …]`. */
export class PatchIter {
  /** Where the grid starts, from the channel axis on. */
  readonly startPos: readonly number[];
  private readonly options: PatchIterOptions;

  /** @throws ConfigError for sizes and starts that are no whole numbers */
  constructor(options: PatchIterOptions) {
    expectOptions(
      "PatchIter",
      options,
      "patchSize:list! startPos:numbers overlap:spread mode:text? value:number constantValues:pairs endValues:pairs statLength:pairs? reflectType:text",
    );
    expectPatchSize("PatchIter", options.patchSize);
    expectStart("PatchIter", options.startPos ?? []);
    checkFill("PatchIter", { ...options, mode: options.mode ?? undefined });
    this.options = options;
    this.startPos = options.startPos ?? [];
  }

  /**
   * @throws ShapeError if patchSize has more entries than there are spatial axes; ConfigError for a start outside the (padded) image and an overlap of
   * the whole patch
   */
  *patches<A extends TypedArray>(image: HostArray<A>): Generator<PlacedPatch<A>> {
    const { patchSize, mode = "wrap", overlap = 0 } = this.options;
    const spatial = image.shape.slice(1);
    if (patchSize.length > spatial.length) {
      throw new ShapeError(
        `PatchIter: patchSize [${patchSize}] has ${patchSize.length} entries, the image [${image.shape}] ${spatial.length} spatial axes`,
      );
    }
    const size = [image.shape[0], ...validPatchSize(spatial, patchSize)];
    // An axis taken whole is never padded; otherwise padding lets a patch begin at any voxel of the image.
    const padded = size.map((_, axis) => axis > 0 && mode !== null && (patchSize[axis - 1] ?? 0) !== 0);
    const steps = [size[0], ...gridSteps("PatchIter", size.slice(1), overlap)];
    const starts = size.map((p, axis) => {
      const start = this.startPos[axis] ?? 0;
      if (start < (padded[axis] ? -p : 0))
        throw new ConfigError(`PatchIter: startPos of axis ${axis} is ${start}; it lies outside the (padded) image`);
      const end = mode === null ? image.shape[axis] - p + 1 : image.shape[axis];
      return range("PatchIter", start, end, axis > 0 && patchSize[axis - 1] ? steps[axis] : p);
    });
    const source = sourceOf(image, this.options, padded, size);
    for (const at of product(starts)) {
      const ranges = at.map((s, axis) => [s, s + size[axis]]);
      yield {
        patch: source(at),
        coords: { data: Int32Array.from(ranges.flat()), shape: [ranges.length, 2] },
      };
    }
  }
}

const byIndex: Readonly<Record<string, EdgeMode>> = { ...torchEdges, edge: "edge", symmetric: "symmetric", wrap: "wrap" };

/** Cuts patches: by indices where a mode is one of positions, else from a padded copy. */
function sourceOf<A extends TypedArray>(
  image: HostArray<A>,
  { mode = "wrap", ...fill }: PatchIterOptions,
  padded: readonly boolean[],
  size: readonly number[],
): (at: readonly number[]) => HostArray<A> {
  const positions = mode === null ? "constant" : Object.hasOwn(byIndex, mode) ? byIndex[mode] : undefined;
  const plain = (fill.value ?? 0) === 0 && fill.constantValues === undefined;
  // Nothing stands beyond an axis that is not padded.
  const cut = (at: readonly number[]) => size.map((n, axis) => (padded[axis] ? n : Math.min(n, image.shape[axis] - at[axis])));
  if (positions && (positions !== "constant" || plain)) return (at) => gather(image, at, cut(at), positions);
  const width = size.map((p, axis) => (padded[axis] ? ([p, p] as const) : ([0, 0] as const)));
  const whole = padAxes("PatchIter", image, width.slice(1), { ...fill, ...(mode && { mode }) }) as HostArray<A>;
  return (at) =>
    gather(
      whole,
      at.map((s, axis) => s + width[axis][0]),
      cut(at),
      "constant",
    );
}

/** PatchIter over the arrays under `keys`, which must have one spatial size; each patch is the item with those arrays cut. */
export class PatchIterd {
  private readonly keys: readonly string[];
  private readonly iter: PatchIter;

  constructor(options: PatchIterOptions & { readonly keys: readonly string[] }) {
    expectOptions(
      "PatchIterd",
      options,
      "keys patchSize startPos:numbers overlap:spread mode:text? value:number constantValues:pairs endValues:pairs statLength:pairs? reflectType:text",
    );
    const { keys, ...rest } = options;
    expectArguments("PatchIterd", "texts", { keys });
    if (keys.length === 0) throw new ConfigError("PatchIterd: keys is empty; name at least one array of the items");
    this.keys = keys;
    this.iter = new PatchIter(rest);
  }

  /**
   * Items with the patch under each key, the coordinates `[axes, 2]` of the first key's under `patchCoords`, and under `originalSpatialShape` and
   * `startPos` what is needed to put patches together again.
   */
  *patches(item: Item): Generator<Item> {
    const arrays = this.keys.map((key) => {
      const array = item[key] as Partial<HostArray> | undefined;
      if (!array?.data || !array.shape)
        throw new DataError(`PatchIterd: the item has no array under "${key}" (its keys: ${Object.keys(item).join(", ")})`);
      expectFull("PatchIterd", `item.${key}`, array);
      return array as HostArray;
    });
    const size = (a: HostArray) => a.shape.slice(1).join();
    arrays.forEach((a, i) => {
      if (size(a) !== size(arrays[0]))
        throw new ShapeError(
          `PatchIterd: "${this.keys[i]}" has shape [${a.shape}], "${this.keys[0]}" [${arrays[0].shape}]; their spatial sizes must be equal`,
        );
    });
    const grids = arrays.map((a) => this.iter.patches(a));
    for (const first of grids[0]) {
      const rest = grids.slice(1).map((g) => g.next().value as PlacedPatch);
      const patches = [first, ...rest].map((p, i) => [this.keys[i], p.patch]);
      const origin = { originalSpatialShape: arrays[0].shape.slice(1), startPos: this.iter.startPos };
      yield { ...item, ...Object.fromEntries(patches), patchCoords: first.coords, ...origin };
    }
  }
}

/** What becomes of the patches of an image. */
export interface GridPatchDatasetOptions {
  /** Takes an image to its patches, such as a `PatchIterd`. */
  readonly patchIter: { patches(item: Item): Iterable<Item> };
  /** Applied to each patch. */
  readonly transform?: TransformList<Item>;
  /** Keep `patchCoords`, `originalSpatialShape` and `startPos` in the items; default true. */
  readonly withCoordinates?: boolean;
}

/** All grid patches of each image, as one stream, image by image; how many there are only the data can tell. MONAI's `GridPatchDataset`. */
export class GridPatchDataset implements Dataset {
  readonly stream: StreamPlan = {};
  private readonly source: Dataset;
  private readonly options: GridPatchDatasetOptions;

  constructor(data: DataSource, options: GridPatchDatasetOptions) {
    expectOptions("GridPatchDataset", options, "patchIter transform withCoordinates:boolean");
    this.source = unmixed("GridPatchDataset", data);
    if (typeof options.patchIter?.patches !== "function")
      refused("GridPatchDataset", "patchIter", "an object with patches, such as a PatchIterd", options.patchIter);
    linksOf("GridPatchDataset", options.transform ?? []);
    this.options = options;
  }

  get length(): number {
    return this.source.length;
  }
  get movesBy(): number | undefined {
    return this.source.movesBy;
  }

  nameOf(index: number, epoch?: number): string | undefined {
    return this.source.nameOf?.(index, epoch);
  }
  async get(index: number, random: RandomSource, epoch?: number): Promise<Item[]> {
    const { patchIter, transform = [], withCoordinates = true } = this.options;
    const images = asList(await this.source.get(index, random, epoch));
    const patches = images.flatMap((image) => [...patchIter.patches(image)]);
    const kept = withCoordinates
      ? patches
      : patches.map(({ patchCoords: _c, originalSpatialShape: _o, startPos: _s, ...item }) => item);
    return asList(await applyTransforms(linksOf("GridPatchDataset", transform), kept, random));
  }
}

/** All combinations, last axis fastest. */
function* product(lists: readonly (readonly number[])[]): Generator<number[]> {
  if (lists.length === 0) return yield [];
  for (const head of lists[0]) for (const tail of product(lists.slice(1))) yield [head, ...tail];
}

/** Copies the box of `size` at `at` of all channels, filling what lies outside by `mode`. */
function gather<A extends TypedArray>(
  image: HostArray<A>,
  at: readonly number[],
  size: readonly number[],
  mode: EdgeMode,
): HostArray<A> {
  const shape = [...size];
  const data = new (image.data.constructor as new (n: number) => A)(shape.reduce((n, s) => n * s, 1));
  const sources = shape.map((n, axis) => edgeIndices(mode, at[axis], n, image.shape[axis]));
  let out = 0;
  const walk = (axis: number, offset: number) => {
    const last = axis === shape.length - 1;
    for (const i of sources[axis]) {
      if (last) data[out++] = i < 0 || offset < 0 ? 0 : image.data[offset + i];
      else walk(axis + 1, i < 0 || offset < 0 ? -1 : (offset + i) * image.shape[axis + 1]);
    }
  };
  walk(0, 0);
  return { data, shape };
}
