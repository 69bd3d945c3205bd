/** @file `Resize` to a spatial size. */
import { expectArguments } from "../../../host/kinds.ts";
import { ConfigError, ShapeError } from "../../../host/errors.ts";
import type { HostArray } from "../../../host/array.ts";
import { areaTable, cubicTable, gaussianTable, linearTable, nearestTable, resampleAxes, type Taps, tapsOf } from "./resample.ts";
import { takeAxes } from "./take.ts";
import { roundHalfEven } from "../../../host/rounding.ts";
import { resolveSize, spatialShape, type SpatialSize } from "../../../host/strided.ts";
import type { Matrix } from "../../../host/matrix.ts";
import { moved, resizeMatrix } from "../moved.ts";
import type { Affine } from "../../volume.ts";
import { withAlignedCorners } from "./affine_matrix.ts";
import type { LabelSafe, Transform } from "../transform.ts";
import { checkedOptions } from "../options.ts";

/** linear, bilinear and trilinear are one mode: linear along every axis. As in MONAI 0 is "nearest-exact", 1 "linear" and 3 "bicubic". */
export type ResizeMode = "area" | "nearest" | "nearest-exact" | "linear" | "bilinear" | "trilinear" | "bicubic" | 0 | 1 | 3;

/** To what size, and how. */
export interface ResizeOptions {
  /** New size per spatial axis; null, 0 and negative ones keep the axis. One number for "longest". */
  readonly spatialSize: SpatialSize;
  /** "longest": the longest axis becomes spatialSize, the others keep the aspect ratio. Default "all". */
  readonly sizeMode?: "all" | "longest";
  /** Default "area" (adaptive average), as MONAI's. Labels of `onKeys` are not mixed: they get "nearest-exact" in place of "area", linear and cubic. */
  readonly mode?: ResizeMode;
  /** Linear and cubic modes: corner voxels onto each other. Default false. */
  readonly alignCorners?: boolean | null;
  /** Smooth with a Gaussian before shrinking. Default false. */
  readonly antiAliasing?: boolean;
  /** Its sigma in voxels; default (in / out − 1) / 2 per axis. */
  readonly antiAliasingSigma?: number | readonly number[] | null;
}

/**
 * Resizes an image with the modes of torch.nn.functional.interpolate; the result is float32, except for the nearest modes. With more sizes than spatial axes, axes of size 1 are
 * added at the end. MONAI's `Resize`, whose default mode is "area".
 *
 * Shapes: `[C, …]` → `[C, …spatialSize]`.
 * Geometry: kept: outer faces stay where they are.
 * @throws ConfigError for an unknown mode, option or `sizeMode`, ShapeError for fewer sizes than axes and for an empty axis
 */
export class Resize implements Transform, LabelSafe {
  /** Names and kinds of the options it takes. */
  static readonly options: string =
    "spatialSize:sizes! sizeMode:text mode alignCorners:boolean antiAliasing:boolean antiAliasingSigma:sizes";
  private readonly options: ResizeOptions;

  constructor(options: ResizeOptions) {
    checkedOptions("Resize", options, Resize.options);
    const { sizeMode = "all", spatialSize, mode } = options;
    if (sizeMode !== "all" && sizeMode !== "longest")
      throw new ConfigError(`Resize: sizeMode must be "all" or "longest", got "${String(sizeMode)}"`);
    if (sizeMode === "longest" && typeof spatialSize !== "number") {
      throw new ConfigError(`Resize: spatialSize must be one number with sizeMode "longest", got [${spatialSize.join(", ")}]`);
    }
    checkResizeMode("Resize", mode);
    this.options = options;
  }

  /**
   * The nearest voxel and no smoothing: an interpolated class index is no class. "nearest-exact" has the centers of "area" and the linear modes;
   * "nearest", which is taken where it was chosen, shifts the label by half a voxel against its image.
   */
  forLabels(): Transform {
    return new Resize({ ...labelResizing(this.options), antiAliasing: false });
  }

  apply(x: HostArray): HostArray {
    expectArguments("Resize", "array", { x });
    const { spatialSize, sizeMode = "all", mode = "area", antiAliasing = false } = this.options;
    if (typeof spatialSize === "object" && spatialSize.length < x.shape.length - 1) {
      throw new ShapeError(
        `Resize: spatialSize has ${spatialSize.length} values for the ${x.shape.length - 1} spatial axes of shape [${x.shape.join(", ")}]`,
      );
    }
    // More sizes than axes: trailing axes of size 1 are added, as in MONAI.
    const extra = typeof spatialSize === "object" ? spatialSize.length - (x.shape.length - 1) : 0;
    let input = extra > 0 ? { data: x.data, shape: [...x.shape, ...new Array<number>(extra).fill(1)] } : x;
    const from = spatialShape("Resize", input);
    const to = sizeMode === "longest" ? longest(from, spatialSize as number) : resolveSize("Resize", spatialSize, from);
    if (antiAliasing && to.some((s, i) => s < from[i])) input = resampleAxes(input, this.smoothing(from, to));
    const alignCorners = this.options.alignCorners ?? false;
    const out = resizeBy("Resize", input, to, mode, alignCorners);
    const matrix = resizePlaces(from, to, mode, alignCorners) as Affine;
    return moved("Resize", x, out, resizeMatrix(from, to), { kind: "resample", matrix, nearest: isNearestResize(mode) });
  }

  private smoothing(from: readonly number[], to: readonly number[]): (Taps | undefined)[] {
    const given = this.options.antiAliasingSigma;
    return from.map((size, i) => {
      const factor = size / to[i];
      if (factor <= 1) return undefined;
      const sigma = given === undefined || given === null ? (factor - 1) / 2 : typeof given === "number" ? given : given[i];
      return gaussianTable(size, sigma);
    });
  }
}

/** Along each axis the first of some elements, and behind the last. */
type Window = readonly (readonly [start: number, end: number])[];

/** An array at another spatial size, or a window of it; nearest modes keep the element type, others give float32. */
export function resizeBy(
  op: string,
  x: HostArray,
  to: readonly number[],
  mode: ResizeMode,
  alignCorners: boolean,
  window: Window = to.map((s) => [0, s]),
): HostArray {
  const from = spatialShape(op, x);
  if (from.includes(0)) throw new ShapeError(`${op}: shape [${x.shape.join(", ")}] has an empty axis`);
  const tables = from.map((s, i) => {
    const [start, end] = window[i];
    // Of an axis that keeps its size the window is all.
    return s === to[i] ? undefined : tapsOf(modeTaps(mode, s, to[i], alignCorners), start, end - start);
  });
  if (!isNearestResize(mode)) return resampleAxes(x, tables);
  return takeAxes(
    x,
    from.map((s, i) => tables[i]?.index ?? Int32Array.from({ length: s }, (_, k) => k)),
  );
}

/** Where the voxels of a resized image were: where MONAI's affine has them, but for modes that align corners, which leave that as it is. */
export function resizePlaces(from: readonly number[], to: readonly number[], mode: ResizeMode, alignCorners: boolean): Matrix {
  const matrix = resizeMatrix(from, to);
  const faces = !alignCorners || isNearestResize(mode) || mode === "area";
  return faces ? matrix : withAlignedCorners(matrix, from, to);
}

/** The options for a label map: a mode that mixes voxels becomes "nearest-exact". */
export const labelResizing = <O extends Pick<ResizeOptions, "mode">>(options: O): O =>
  options.mode !== undefined && isNearestResize(options.mode) ? options : { ...options, mode: "nearest-exact" };

/** Whether a mode takes voxels over as they are. */
export const isNearestResize = (mode: ResizeMode): boolean => mode === "nearest" || mode === "nearest-exact" || mode === 0;

/** @throws ConfigError for a mode that is not known */
export function checkResizeMode(op: string, mode: ResizeMode | undefined): void {
  if (mode !== undefined && !resizeModes.includes(mode))
    throw new ConfigError(`${op}: unknown mode "${String(mode)}"; known: ${resizeModes.join(", ")}`);
}

const resizeModes: readonly ResizeMode[] = [
  0,
  1,
  3,
  "area",
  "nearest",
  "nearest-exact",
  "linear",
  "bilinear",
  "trilinear",
  "bicubic",
];

function modeTaps(mode: ResizeMode, from: number, to: number, alignCorners: boolean): Taps {
  switch (mode) {
    case "area":
      return areaTable(from, to);
    case "nearest":
    case "nearest-exact":
    case 0:
      return nearestTable(from, to, mode !== "nearest");
    case "bicubic":
    case 3:
      return cubicTable(from, to, alignCorners);
    default:
      return linearTable(from, to, alignCorners);
  }
}

function longest(image: readonly number[], size: number): number[] {
  const scale = size / Math.max(...image);
  return image.map((s) => roundHalfEven(s * scale));
}
