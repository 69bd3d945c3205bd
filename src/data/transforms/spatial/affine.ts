/** @file Affine transforms: `Affine`, `RandAffine`; and `Resample`, sampling at the places of a grid. */
import { expectArguments } from "../../../host/kinds.ts";
import { ConfigError, ShapeError } from "../../../host/errors.ts";
import { type HostArray, sizeOf } from "../../../host/array.ts";
import { type Matrix, product, scaling, translation } from "../../../host/matrix.ts";
import { resolveSize, type SpatialSize, spatialShape } from "../../../host/strided.ts";
import { PartwiseTransform } from "../partwise.ts";
import type { LabelSafe, Transform } from "../transform.ts";
import { aboutCenters, affineOf, affineOfRank, type AffineParams, single } from "./affine_matrix.ts";
import { AffineGrid, affineRangeNames, type AffineRanges, drawAffine } from "./grids.ts";
import { checkSampling, sampleAlongAxes, sampleGrid } from "./sample.ts";
import {
  checkResampling,
  labelSampling,
  preciseOptionNames,
  type PreciseResampleOptions,
  type ResampleOptions,
  resampled,
  resampleOptionNames,
} from "./resampled.ts";
import { isSplineOrder } from "./spline.ts";
import { gridPlaces } from "./torch_places.ts";
import { checkedOptions } from "../options.ts";

/** Options of `Affine`. */
export interface AffineOptions extends PreciseResampleOptions, AffineParams {
  /** The whole matrix, in place of parameters. */
  readonly affine?: Matrix | null;
  /** Size of the result; null and values below 1 keep an axis. Default the image's. */
  readonly spatialSize?: SpatialSize | null;
  /** The matrix gives places as the sampler takes them, −1 … 1 (spline: voxel indices), in place of centered voxels. Default false. */
  readonly normalized?: boolean;
}

const params =
  "rotateParams:sizes shearParams:sizes translateParams:sizes scaleParams:sizes affine:matrix spatialSize:sizes normalized:boolean";

/**
 * Rotates, shears, moves and scales about the center; the parameters say where the output's voxels are in the input. Outside is by default the
 * reflected image. MONAI's `Affine`, whose splines are half a voxel off on axes of size 1 (with "constant" nothing is left of the image); here the identity
 * changes nothing.
 *
 * Shapes: `[C, …]` → `[C, …spatialSize]`; 2-D and 3-D.
 * Geometry: kept.
 * @throws ShapeError for other than 2 or 3 spatial axes, ConfigError for unknown modes and options
 */
export class Affine implements Transform, LabelSafe {
  /** Names and kinds of the options it takes. */
  static readonly options: string = `${params} ${preciseOptionNames}`;
  private readonly options: AffineOptions;

  constructor(options: AffineOptions = {}) {
    checkedOptions("Affine", options, Affine.options);
    checkResampling("Affine", options);
    this.options = options;
  }

  /** Nearest: a mixture of class numbers is no class. A chosen mode holds if it takes voxels as they are. */
  forLabels(): Transform {
    return new Affine(labelSampling(this.options));
  }

  /** The matrix from output to input places, both centered, for an image of as many axes. `dims` is the number of spatial axes. */
  matrix(dims: number): number[][] {
    const { rotateParams, shearParams, translateParams, scaleParams, affine } = this.options;
    return new AffineGrid({
      rotateParams: rotateParams ?? null,
      shearParams: shearParams ?? null,
      translateParams: translateParams ?? null,
      scaleParams: scaleParams ?? null,
      affine: affine ?? null,
    }).matrix(dims);
  }

  apply(x: HostArray): HostArray {
    expectArguments("Affine", "array", { x });
    const {
      spatialSize,
      normalized = false,
      mode,
      paddingMode = "reflection",
      alignCorners = false,
      dtype = "float32",
    } = this.options;
    const from = expectPlane("Affine", x);
    const to = resolveSize("Affine", spatialSize ?? -1, from);
    const centered = this.matrix(from.length);
    let matrix = aboutCenters(centered, from, to);
    if (normalized) {
      // What the matrix gives is taken as it is: a share of the image, or with a spline an index.
      const start = translation(to.map((s) => -(s - 1) / 2));
      matrix = isSplineOrder(mode) ? product(centered, start) : product(fromUnit(from), centered, start);
    }
    const inGrid = this.options.affine ?? affineOf("Affine", from.length, this.options, single);
    const halves = normalized ? undefined : gridPlaces(from, to, affineOfRank(from.length, inGrid), alignCorners, dtype, dtype);
    return resampled("Affine", x, to, matrix, { ...(mode !== undefined && { mode }), paddingMode, alignCorners }, halves);
  }
}

/** −1 … 1 to voxel indices, faces at the ends. */
const fromUnit = (size: readonly number[]): number[][] =>
  product(translation(size.map((s) => (s - 1) / 2)), scaling(size.map((s) => s / 2)));

/** Options of `RandAffine`. */
export interface RandAffineOptions extends ResampleOptions, AffineRanges {
  /** Default 0.1. */
  readonly prob?: number;
  /** Spatial size of the result in voxels; null, the default, and sizes of 0 and below mean the image's. */
  readonly spatialSize?: SpatialSize | null;
  /** MONAI keeps an identity grid between calls with it; places are computed on the way here, so it changes nothing. */
  readonly cacheGrid?: boolean;
}

/**
 * With probability `prob` (default 0.1) a random affine transform about the center; where it does not act, the image is still brought to
 * `spatialSize`. Outside is by default the reflected image. MONAI's `RandAffine`.
 *
 * Shapes: `[C, …]` → `[C, …spatialSize]`; 2-D and 3-D.
 * Geometry: kept.
 * Draws: `rand()` against `prob`; where it acts, `uniform(low, high)` for each range of rotation, shear, translation and scale, all of them twice, as
 * MONAI does; the second ones count.
 * @throws ShapeError for other than 2 or 3 spatial axes, ConfigError for unknown modes and options
 */
export class RandAffine extends PartwiseTransform {
  /** Names and kinds of the options it takes. */
  static readonly options: string = `prob:number spatialSize:sizes cacheGrid:boolean ${affineRangeNames} ${resampleOptionNames}`;
  private readonly options: Omit<RandAffineOptions, "prob">;
  private params: AffineParams = {};

  constructor(options: RandAffineOptions = {}) {
    const { prob = 0.1, ...rest } = checkedOptions("RandAffine", options, RandAffine.options);
    super("RandAffine", prob, 1);
    checkSampling("RandAffine", rest);
    this.options = rest;
  }

  protected draw(): void {
    const [affine] = this.parts;
    drawAffine("RandAffine", affine, this.options);
    this.params = drawAffine("RandAffine", affine, this.options);
  }
  override applyDrawn(x: HostArray): HostArray {
    return this.run(x, this.options);
  }
  override applyDrawnToLabel(x: HostArray): HostArray {
    return this.run(x, labelSampling(this.options));
  }
  protected act(x: HostArray): HostArray {
    return this.run(x, this.options);
  }

  private run(x: HostArray, { mode = "bilinear", paddingMode = "reflection", alignCorners = false }: ResampleOptions): HostArray {
    const { spatialSize } = this.options;
    const from = expectPlane("RandAffine", x);
    const to = resolveSize("RandAffine", spatialSize ?? -1, from);
    if (!this.active && to.every((s, i) => s === from[i])) return x;
    const params = this.active ? this.params : {};
    const matrix = affineOf("RandAffine", from.length, params);
    const halves = gridPlaces(from, to, affineOf("RandAffine", from.length, params, single), alignCorners, "float32", "float64");
    return resampled("RandAffine", x, to, aboutCenters(matrix, from, to), { mode, paddingMode, alignCorners }, halves);
  }
}

/** Options of `Resample`. */
export interface ResampleGridOptions extends ResampleOptions {
  /** Places: centered voxels (default), or as the sampler takes them. */
  readonly normCoords?: boolean;
}

/**
 * Samples images at the places of grids `[axes(+ 1), …size]`, such as those of `AffineGrid`, centered and in voxels. MONAI's `Resample`.
 * Throws `ConfigError` for unknown modes and options, `ShapeError` for a grid with too few axes.
 */
export class Resample {
  /** Names and kinds of the options it takes. */
  static readonly options: string = `normCoords:boolean ${resampleOptionNames}`;
  private readonly options: ResampleGridOptions;

  constructor(options: ResampleGridOptions = {}) {
    checkedOptions("Resample", options, Resample.options);
    checkSampling("Resample", options);
    this.options = options;
  }

  /** `[C, …]` at the places of the grid: `[C, …size]`, float32 (nearest: as the image). */
  sample(x: HostArray, grid: HostArray): HostArray {
    return sampleCentered("Resample", x, grid, this.options);
  }
}

/** Samples at centered places, in voxels. */
export function sampleCentered(op: string, x: HostArray, grid: HostArray, options: ResampleGridOptions): HostArray {
  const { mode = "bilinear", paddingMode = "border", alignCorners = false, normCoords = true } = options;
  const from = spatialShape(op, x);
  const size = grid.shape.slice(1);
  if (grid.shape[0] < from.length)
    throw new ShapeError(
      `${op}: the grid [${grid.shape.join(", ")}] has too few coordinates for the image [${x.shape.join(", ")}]`,
    );
  const voxels = sizeOf(size);
  const places = new Float64Array(from.length * voxels);
  from.forEach((s, a) => {
    const [factor, shift] = placeOf(s, alignCorners, normCoords, isSplineOrder(mode));
    for (let i = a * voxels; i < (a + 1) * voxels; i++) places[i] = grid.data[i] * factor + shift;
  });
  return sampleGrid(x, { data: places, shape: [from.length, ...size] }, { mode, paddingMode, alignCorners }, op);
}

/** The same where the places of an axis depend on it alone; undefined for mode "bicubic". */
export function sampleCenteredAxes(
  op: string,
  x: HostArray,
  lines: readonly Float64Array[],
  options: ResampleGridOptions,
): HostArray | undefined {
  const { mode = "bilinear", paddingMode = "border", alignCorners = false, normCoords = true } = options;
  const positions = lines.map((line, a) => {
    const [factor, shift] = placeOf(x.shape[a + 1], alignCorners, normCoords, isSplineOrder(mode));
    return line.map((v) => v * factor + shift);
  });
  return sampleAlongAxes(x, positions, { mode, paddingMode, alignCorners }, op);
}

/** Factor and shift from a grid's coordinate to the voxel index, by MONAI's conventions. */
function placeOf(size: number, alignCorners: boolean, normCoords: boolean, spline: boolean): readonly [number, number] {
  const least = Math.max(2, size);
  if (spline) {
    const inner = alignCorners ? (least - 1) / least : 1;
    if (normCoords) return [inner, (least - 1) / 2];
    return [inner, alignCorners ? inner / 2 : 0];
  }
  const unit = normCoords ? 2 / least : 1;
  return alignCorners ? [(unit * (size - 1)) / 2, (size - 1) / 2] : [(unit * size) / 2, (size - 1) / 2];
}

/** Spatial size of an image of 2 or 3 axes. */
function expectPlane(op: string, x: HostArray): number[] {
  const size = spatialShape(op, x);
  if (size.length === 2 || size.length === 3) return size;
  throw new ConfigError(`${op}: expected 2 or 3 spatial axes, got shape [${x.shape.join(", ")}]`);
}
