/** @file Where the voxels of classes are: `FgBgToIndices`, `ClassesToIndices`. */
import { expectArguments } from "../../../host/kinds.ts";
import type { HostArray } from "../../../host/array.ts";
import { roundHalfEven } from "../../../host/rounding.ts";
import { stridesOf } from "../../../host/shape.ts";
import { mapBinaryToIndices, mapClassesToIndices } from "../crop/label_indices.ts";
import type { Transform } from "../transform.ts";
import { allOptions } from "../options.ts";

/** How `FgBgToIndices` counts. */
export interface FgBgToIndicesOptions {
  /** Background counts only where the image given to `apply` is above this. Default 0. */
  readonly imageThreshold?: number;
  /** Give coordinates in an array of this shape in place of flat indices. Default null. */
  readonly outputShape?: readonly number[] | null;
}

/** Flat indices `[n]`, or coordinates `[n, axes]`. */
function indexArray(indices: ArrayLike<number>, outputShape: readonly number[] | null): HostArray<Int32Array> {
  if (outputShape === null) return { data: Int32Array.from(indices), shape: [indices.length] };
  const strides = stridesOf(outputShape);
  const dims = outputShape.length;
  const data = new Int32Array(indices.length * dims);
  for (let i = 0; i < indices.length; i++)
    for (let a = 0; a < dims; a++) data[i * dims + a] = Math.floor(indices[i] / strides[a]) % outputShape[a];
  return { data, shape: [indices.length, dims] };
}

/**
 * Indices of the foreground (not 0, or any channel after the first) and of the background of a label map, two arrays. MONAI's `FgBgToIndices`.
 *
 * Shapes: `[C, …]` → `[foreground]` and `[background]`, with `outputShape` `[…, axes]`.
 * Geometry: dropped.
 * @throws ShapeError for an image of another spatial shape, ConfigError for an unknown option
 */
export class FgBgToIndices implements Transform {
  private readonly options: Required<FgBgToIndicesOptions>;

  constructor(options: FgBgToIndicesOptions = {}) {
    this.options = allOptions("FgBgToIndices", options, "imageThreshold:number outputShape:numbers", {
      imageThreshold: 0,
      outputShape: null,
    });
  }

  apply(label: HostArray, image: HostArray | null = null, outputShape = this.options.outputShape): HostArray[] {
    expectArguments("FgBgToIndices", "array", { label });
    const { fg, bg } = mapBinaryToIndices(label, image ?? undefined, this.options.imageThreshold);
    return [indexArray(fg, outputShape), indexArray(bg, outputShape)];
  }
}

/** How `ClassesToIndices` counts. */
export interface ClassesToIndicesOptions {
  /** Needed unless the label map is one-hot. Default null. */
  readonly numClasses?: number | null;
  /** Voxels count only where the image given to `apply` is above this. Default 0. */
  readonly imageThreshold?: number;
  /** Give coordinates in an array of this shape in place of flat indices. Default null. */
  readonly outputShape?: readonly number[] | null;
  /** Of a class with more voxels take this many, evenly spread. Default null: all. */
  readonly maxSamplesPerClass?: number | null;
}

/**
 * Indices of the voxels of each class of a label map, an array per class. MONAI's `ClassesToIndices`.
 *
 * Shapes: `[C, …]` → numClasses × `[voxels]`, with `outputShape` `[voxels, axes]`.
 * Geometry: dropped.
 * @throws ConfigError without `numClasses` for a map with one channel, and for an unknown option, ShapeError for an image of another spatial shape
 */
export class ClassesToIndices implements Transform {
  private readonly options: Required<ClassesToIndicesOptions>;

  constructor(options: ClassesToIndicesOptions = {}) {
    const defaults = { numClasses: null, imageThreshold: 0, outputShape: null, maxSamplesPerClass: null } as const;
    this.options = allOptions(
      "ClassesToIndices",
      options,
      "numClasses:number imageThreshold:number outputShape:numbers maxSamplesPerClass:number",
      defaults,
    );
  }

  apply(label: HostArray, image: HostArray | null = null, outputShape = this.options.outputShape): HostArray[] {
    expectArguments("ClassesToIndices", "array", { label });
    const { numClasses, imageThreshold, maxSamplesPerClass } = this.options;
    const lists = mapClassesToIndices(label, numClasses ?? undefined, image ?? undefined, imageThreshold);
    return lists.map((list) => indexArray(spread(list, maxSamplesPerClass), outputShape));
  }
}

/** At most `most` of the entries, from the first to the last in even steps. */
function spread(list: ArrayLike<number>, most: number | null): ArrayLike<number> {
  if (!most || list.length <= most || list.length <= 1) return list;
  const step = most > 1 ? (list.length - 1) / (most - 1) : 0;
  return Array.from({ length: most }, (_, i) => list[roundHalfEven(i * step)]);
}
