/** @file Voxels of another size or grid: `Spacing`, `SpatialResample`, `ResampleToMatch`. */
import { expectArguments } from "../../../host/kinds.ts";
import { ConfigError, DataError, ShapeError } from "../../../host/errors.ts";
import type { HostArray } from "../../../host/array.ts";
import { identityMatrix, inverseOf, type Matrix, nearlyEqual, product } from "../../../host/matrix.ts";
import { spatialShape } from "../../../host/strided.ts";
import { makeVolume } from "../../volume.ts";
import { isVolume, resizeMatrix } from "../moved.ts";
import type { LabelSafe, Transform } from "../transform.ts";
import { affineOfRank } from "./affine_matrix.ts";
import { columnLengths, shapeAndOffset, zoomedAffine } from "./grid_of.ts";
import { checkResampling, labelSampling, preciseOptionNames, type PreciseResampleOptions, resampled } from "./resampled.ts";
import { checkedOptions } from "../options.ts";

/** Differences of affines below it are none, as in MONAI. */
const tolerance = 1e-3;

/** Options of `SpatialResample`. */
export interface SpatialResampleOptions extends PreciseResampleOptions {
  /** Affine of the result; default the image's own. */
  readonly dstAffine?: Matrix | null;
  /** Spatial size of the result, −1 keeping an axis; default what holds the image. */
  readonly spatialSize?: number | readonly number[] | null;
}

/** The affine of an array for its own number of axes; the identity for a plain array. */
function affineFor(x: HostArray, dims: number): number[][] {
  const given = (x as Partial<{ affine: Matrix }>).affine;
  return given ? affineOfRank(dims, given) : identityMatrix(dims + 1);
}

function resampleTo(op: string, x: HostArray, { dstAffine, spatialSize, ...sampling }: SpatialResampleOptions): HostArray {
  const image = spatialShape(op, x);
  const wanted = spatialSize === -1 ? undefined : typeof spatialSize === "number" ? [spatialSize] : spatialSize;
  const dims = Math.min(wanted?.length ?? image.length, image.length, 3);
  const from = image.slice(0, dims);
  const source = affineFor(x, dims);
  const target = dstAffine ? affineOfRank(dims, dstAffine) : source;
  const back = inverseOf(source);
  if (!back || !inverseOf(target))
    throw new DataError(`${op}: the affines must be invertible, got ${JSON.stringify([source, target])}`);
  // MONAI leaves images of one axis where they are.
  const matrix = dims < 2 ? identityMatrix(dims + 1) : product(back, target);
  let to = from;
  if (wanted) to = from.map((s, i) => (wanted[i] >= 0 ? wanted[i] : s));
  else if (spatialSize !== -1 && dims > 1) to = shapeAndOffset(op, from, source, target, false).shape;
  if (to.some((s) => !(s > 0)))
    throw new ShapeError(`${op}: the result would have size [${to.join(", ")}]; give a spatialSize above 0`);
  const same = to.every((s, i) => s === from[i]);
  if (same && (nearlyEqual(source, target, tolerance) || nearlyEqual(matrix, identityMatrix(dims + 1), tolerance))) return x;
  if (dims < 2) throw new ShapeError(`${op}: resampling is for 2 or 3 spatial axes, got shape [${x.shape.join(", ")}]`);
  if (dims === image.length) return resampled(op, x, to, matrix, sampling, sampling.dtype ?? "float64");
  return alongTrailing(op, x, dims, to, matrix, sampling);
}

/** Axes behind the resampled ones go along as if they were channels. */
function alongTrailing(
  op: string,
  x: HostArray,
  dims: number,
  to: readonly number[],
  matrix: Matrix,
  { dtype = "float64", ...sampling }: PreciseResampleOptions,
): HostArray {
  // As in MONAI the trailing axes are folded into the channels by their place in memory.
  const rest = x.shape.slice(dims + 1);
  const folded = { data: x.data, shape: [x.shape[0] * rest.reduce((a, b) => a * b, 1), ...x.shape.slice(1, dims + 1)] };
  const out = resampled(op, folded, to, matrix, sampling, dtype);
  return { data: out.data, shape: [x.shape[0], ...to, ...rest] };
}

/**
 * Resamples to the grid of an affine and a size. MONAI's `SpatialResample`.
 *
 * Shapes: `[C, …]` → `[C, …spatialSize]`; 2 or 3 spatial axes, further ones go along.
 * Geometry: kept: the result has `dstAffine`.
 * @throws DataError for affines that are not invertible, ConfigError for unknown modes and options
 */
export class SpatialResample implements Transform, LabelSafe {
  /** Names and kinds of the options it takes. */
  static readonly options: string = `dstAffine:matrix spatialSize:sizes ${preciseOptionNames}`;
  private readonly options: SpatialResampleOptions;

  constructor(options: SpatialResampleOptions = {}) {
    checkedOptions("SpatialResample", options, SpatialResample.options);
    checkResampling("SpatialResample", options);
    this.options = options;
  }

  /** Nearest: a mixture of class numbers is no class. A chosen mode holds if it takes voxels as they are. */
  forLabels(): Transform {
    return new SpatialResample(labelSampling(this.options));
  }

  apply(x: HostArray): HostArray {
    expectArguments("SpatialResample", "array", { x });
    return resampleTo("SpatialResample", x, this.options);
  }
}

/** Whose grid is matched. */
export interface MatchOptions extends PreciseResampleOptions {
  /** The volume `[C, …]` whose grid is matched, where it is the same for all. */
  readonly imgDst?: HostArray;
  /** Under `onKeys`: the entry of the item that holds it. */
  readonly keyDst?: string;
}

/**
 * Resamples to the grid of another volume, `imgDst`. MONAI's `ResampleToMatch`.
 *
 * Shapes: `[C, …]` → `[C, …size of imgDst]`.
 * Geometry: kept: the result has the affine of `imgDst`.
 * @throws DataError for affines that are not invertible, ConfigError without `imgDst` and for unknown modes and options
 */
export class ResampleToMatch implements Transform, LabelSafe {
  /** Names and kinds of the options it takes. */
  static readonly options: string = `imgDst:array keyDst:text ${preciseOptionNames}`;
  /** Entry of the item whose grid is matched: `keyDst`. */
  readonly sourceKey: string | undefined;
  /** With `keyDst`: the transform with the volume of an item. */
  readonly forItem: ((imgDst: HostArray) => Transform) | undefined;
  private readonly options: MatchOptions;

  constructor(options: MatchOptions) {
    checkedOptions("ResampleToMatch", options, ResampleToMatch.options);
    checkResampling("ResampleToMatch", options);
    const { keyDst, ...rest } = options;
    if (keyDst === undefined && !options.imgDst?.shape)
      throw new ConfigError("ResampleToMatch: give imgDst, the volume whose grid is to be matched, or under onKeys its keyDst");
    this.options = options;
    this.sourceKey = keyDst;
    this.forItem = keyDst === undefined ? undefined : (imgDst) => new ResampleToMatch({ ...rest, imgDst });
  }

  /** Nearest: a mixture of class numbers is no class. A chosen mode holds if it takes voxels as they are. */
  forLabels(): Transform {
    return new ResampleToMatch(labelSampling(this.options));
  }

  apply(x: HostArray): HostArray {
    expectArguments("ResampleToMatch", "array", { x });
    const { imgDst, keyDst, ...sampling } = this.options;
    if (!imgDst)
      throw new ConfigError(`ResampleToMatch: keyDst "${keyDst}" is an entry of items; use it under onKeys, or give imgDst`);
    const spatialSize = imgDst.shape.slice(1);
    return resampleTo("ResampleToMatch", x, { ...sampling, spatialSize, dstAffine: affineFor(imgDst, spatialSize.length) });
  }
}

/** Options of `Spacing`. */
export interface SpacingOptions extends PreciseResampleOptions {
  /** Voxel size in mm per axis; the last one counts for further axes; 0 and below keep the axis. */
  readonly pixdim: number | readonly number[];
  /** Drop rotations and shears from the affine. Default false. */
  readonly diagonal?: boolean;
  /** Keep the outer faces of the image in place, in place of the centers of its corner voxels. Default false. */
  readonly scaleExtent?: boolean;
  /** Give the affine of the sizes' ratio alone, without rotation and origin, as MONAI does. Default false. */
  readonly recomputeAffine?: boolean;
  /** Axes whose voxels are already between these sizes are kept. */
  readonly minPixdim?: number | readonly (number | null)[] | null;
  /** Upper bound in mm, likewise. */
  readonly maxPixdim?: number | readonly (number | null)[] | null;
  /** Spatial size of the result, where the rounded one does not do. */
  readonly outputSpatialShape?: number | readonly number[] | null;
}

/**
 * Resamples to voxels of `pixdim` mm; the new size is the rounded extent. MONAI's `Spacing`.
 *
 * Shapes: `[C, s…]` → `[C, round((s − 1) · old / new) + 1…]`, with `scaleExtent` `round(s · old / new)`.
 * Geometry: kept.
 * @throws ConfigError for sizes that contradict each other, unknown modes and options
 */
export class Spacing implements Transform, LabelSafe {
  /** Names and kinds of the options it takes. */
  static readonly options: string = `pixdim:sizes! diagonal:boolean scaleExtent:boolean recomputeAffine:boolean minPixdim:sizes maxPixdim:sizes outputSpatialShape:sizes ${preciseOptionNames}`; // oxfmt-ignore
  private readonly options: SpacingOptions;

  constructor(options: SpacingOptions) {
    checkedOptions("Spacing", options, Spacing.options);
    checkResampling("Spacing", options);
    const [low, high] = [bounds(options.minPixdim), bounds(options.maxPixdim)];
    low.forEach((least, i) => {
      const most = high[i] ?? NaN;
      if (!Number.isNaN(most) && !Number.isNaN(least) && (most < least || least < 0))
        throw new ConfigError(
          `Spacing: minPixdim must be 0 or more and at most maxPixdim, got ${least} and ${most} for axis ${i}`,
        );
    });
    this.options = options;
  }

  /** Nearest: a mixture of class numbers is no class. A chosen mode holds if it takes voxels as they are. */
  forLabels(): Transform {
    return new Spacing(labelSampling(this.options));
  }

  apply(x: HostArray): HostArray {
    expectArguments("Spacing", "array", { x });
    const {
      diagonal = false,
      scaleExtent = false,
      recomputeAffine = false,
      outputSpatialShape,
      mode,
      paddingMode,
      alignCorners,
      dtype,
    } = this.options;
    const image = spatialShape("Spacing", x);
    const dims = image.length;
    const affine = affineFor(x, dims);
    const target = zoomedAffine("Spacing", affine, this.sizes(columnLengths(affine)), diagonal);
    const { shape, offset } = shapeAndOffset("Spacing", image, affine, target, scaleExtent);
    offset.forEach((v, r) => (target[r][dims] = v));
    const sampling = {
      ...(mode !== undefined && { mode }),
      ...(paddingMode && { paddingMode }),
      ...(alignCorners && { alignCorners }),
      ...(dtype && { dtype }),
    };
    const spatialSize = outputSpatialShape ?? shape;
    const out = resampleTo("Spacing", x, { ...sampling, dstAffine: target, spatialSize });
    if (!recomputeAffine || !isVolume(out)) return out;
    return makeVolume(out, resizeMatrix(image, out.shape.slice(1)) as unknown as Matrix, out.meta);
  }

  /** The wanted voxel size of each axis: its own where that is within the bounds. */
  private sizes(has: readonly number[]): number[] {
    const { pixdim, minPixdim, maxPixdim } = this.options;
    const list = typeof pixdim === "number" ? [pixdim] : pixdim;
    const [low, high] = [bounds(minPixdim), bounds(maxPixdim)];
    return has.map((own, i) => {
      const target = list[Math.min(i, list.length - 1)];
      const least = Number.isNaN(low[i] ?? NaN) ? target : Math.min(low[i], target);
      const most = Number.isNaN(high[i] ?? NaN) ? target : Math.max(high[i], target);
      return least - tolerance <= own && own <= most + tolerance ? own : target;
    });
  }
}

const bounds = (v: number | readonly (number | null)[] | null | undefined): number[] =>
  v === null || v === undefined ? [] : typeof v === "number" ? [v] : v.map((n) => n ?? NaN);
