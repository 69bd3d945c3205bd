/** @file Elastic deformations: `Rand2DElastic`, `Rand3DElastic`. */
import { expectArguments } from "../../../host/kinds.ts";
import { ShapeError } from "../../../host/errors.ts";
import { type HostArray, sizeOf } from "../../../host/array.ts";
import { identityMatrix } from "../../../host/matrix.ts";
import { resolveSize, type SpatialSize, spatialShape } from "../../../host/strided.ts";
import { centerOf, cropWindow } from "../crop/crop.ts";
import { moved } from "../moved.ts";
import { PartwiseTransform } from "../partwise.ts";
import { affineOf, type AffineParams } from "./affine_matrix.ts";
import { sampleCentered } from "./affine.ts";
import { affineRangeNames, type AffineRanges, createGrid, drawAffine, RandDeformGrid, transformGrid } from "./grids.ts";
import { cubicScaleTable, gaussianTable, resampleAxes } from "./resample.ts";
import { checkSampling } from "./sample.ts";
import { labelSampling, type ResampleOptions } from "./resampled.ts";
import { checkedOptions } from "../options.ts";

/** Options of `Rand2DElastic`, `Rand3DElastic`, `Elastic`. */
export interface ElasticOptions extends AffineRanges, Omit<ResampleOptions, "alignCorners"> {
  /** Offsets of control points (2-D), or of voxels before smoothing (3-D), are drawn up to a magnitude between these, in voxels. */
  readonly magnitudeRange: readonly [number, number];
  /** Default 0.1. */
  readonly prob?: number;
  /** Size of the result. Default the image's. */
  readonly spatialSize?: SpatialSize | null;
}

const shared = `magnitudeRange:numbers! prob:number spatialSize:sizes mode paddingMode ${affineRangeNames}`;

/** What both have in common: the grid of the last draw and sampling at its places. */
export abstract class Elastic extends PartwiseTransform {
  /** Name for error messages. */
  protected readonly op: string;
  /** Its options, with defaults where there are any. */
  protected readonly options: ElasticOptions;
  /** Places of the last draw, `[axes + 1, …]`, in voxels from the center; undefined before it. */
  protected grid: HostArray<Float64Array> | undefined;
  private readonly dims: number;

  /**
   * @param op name for error messages
   * @param dims number of spatial axes
   * @param parts number of parts that draw
   * @param known names of the options
   */
  constructor(op: string, dims: number, parts: number, options: ElasticOptions, known: string) {
    expectArguments(op, "object", { options });
    super(op, options.prob ?? 0.1, parts);
    checkedOptions(op, options, known);
    checkSampling(op, options);
    this.op = op;
    this.dims = dims;
    this.options = options;
  }

  /** Spatial size of the result. `x` is `[C, …]`. @throws ShapeError for another number of axes */
  protected sizeFor(x: HostArray): number[] {
    const image = spatialShape(this.op, x);
    if (image.length !== this.dims)
      throw new ShapeError(`${this.op}: expected ${this.dims} spatial axes, got shape [${x.shape.join(", ")}]`);
    return resolveSize(this.op, this.options.spatialSize ?? -1, image);
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

  private run(x: HostArray, { mode = "bilinear", paddingMode = "reflection" }: ResampleOptions): HostArray {
    const size = this.sizeFor(x);
    const image = x.shape.slice(1);
    if (!this.active && size.every((s, i) => s === image[i])) return x;
    const grid = this.active ? this.grid! : createGrid(size);
    const out = sampleCentered(this.op, x, grid, { mode, paddingMode });
    const matrix = identityMatrix(size.length + 1);
    size.forEach((s, a) => (matrix[a][size.length] = (image[a] - s) / 2));
    return moved(this.op, x, out, matrix, { kind: "lost" });
  }
}

/**
 * With probability `prob` (default 0.1) bends an image: control points `spacing` voxels apart are moved at random, then an affine transform, then the
 * places between them by cubic interpolation. Where it does not act, the image is still brought to `spatialSize`. MONAI's `Rand2DElastic`.
 *
 * Shapes: `[C, h, w]` → `[C, …spatialSize]`.
 * Geometry: dropped, being 2-D.
 * Draws: `rand()` against `prob`; where it acts, `normal(0, 1, size)` and `uniform(magnitude)`, then `uniform(low, high)` for each range, for the
 * image's size; then all of it again for the control points, which counts, as MONAI does.
 * @throws ShapeError for other than 2 spatial axes, ConfigError for unknown modes and options
 */
export class Rand2DElastic extends Elastic {
  /** Names and kinds of the options it takes. */
  static readonly options: string = `spacing:sizes! ${shared}`;
  private readonly deform: RandDeformGrid;

  constructor(options: ElasticOptions & { readonly spacing: number | readonly [number, number] }) {
    super("Rand2DElastic", 2, 2, options, Rand2DElastic.options);
    this.deform = new RandDeformGrid({ spacing: options.spacing, magnitudeRange: options.magnitudeRange });
  }

  protected draw(x: HostArray): void {
    const size = this.sizeFor(x);
    const [deform, affine] = this.parts;
    this.deform.setRandomState(deform);
    this.deform.offsets(size);
    drawAffine(this.op, affine, this.options);
    const control = this.deform.grid(size);
    const params = drawAffine(this.op, affine, this.options);
    const coarse = transformGrid(control, affineOf(this.op, 2, params));
    const spacing = this.deform.spacingFor(2);
    const fine = resampleAxes(
      { data: new Float32Array(coarse.data as ArrayLike<number>), shape: coarse.shape },
      coarse.shape.slice(1).map((s, i) => cubicScaleTable(s, spacing[i])),
    );
    const { out } = cropWindow(this.op, fine, centerOf(fine.shape.slice(1), size));
    this.grid = { data: new Float64Array(out.data as ArrayLike<number>), shape: out.shape };
  }
}

/**
 * With probability `prob` (default 0.1) bends a volume: every voxel's place is moved at random, the offsets smoothed by a Gaussian of sigma between
 * `sigmaRange`, times a magnitude, then an affine transform. Where it does not act, the volume is still brought to `spatialSize`. MONAI's
 * `Rand3DElastic`.
 *
 * Shapes: `[C, x, y, z]` → `[C, …spatialSize]`.
 * Geometry: kept: the deformation itself is not in it, and `invert` refuses.
 * Draws: `rand()` against `prob`; where it acts, `uniform(-1, 1, size)`, `uniform(magnitude)`, `uniform(sigma)`, then `uniform(low, high)` for each
 * range, twice, as MONAI does; the second ones count.
 * @throws ShapeError for other than 3 spatial axes, ConfigError for unknown modes and options
 */
export class Rand3DElastic extends Elastic {
  /** Names and kinds of the options it takes. */
  static readonly options: string = `sigmaRange:numbers! ${shared}`;
  private readonly sigmaRange: readonly [number, number];

  constructor(options: ElasticOptions & { readonly sigmaRange: readonly [number, number] }) {
    super("Rand3DElastic", 3, 1, options, Rand3DElastic.options);
    this.sigmaRange = options.sigmaRange;
  }

  protected draw(x: HostArray): void {
    const size = this.sizeFor(x);
    const voxels = sizeOf(size);
    const offsets = new Float32Array(this.random.uniform(-1, 1, 3 * voxels) as ArrayLike<number>);
    const magnitude = this.random.uniform(...this.options.magnitudeRange);
    const sigma = this.random.uniform(...this.sigmaRange);
    const [affine] = this.parts;
    drawAffine(this.op, affine, this.options);
    const params: AffineParams = drawAffine(this.op, affine, this.options);
    const smooth = resampleAxes(
      { data: offsets, shape: [3, ...size] },
      size.map((s) => gaussianTable(s, sigma, 3)),
    );
    const grid = createGrid(size);
    for (let i = 0; i < 3 * voxels; i++) grid.data[i] += smooth.data[i] * magnitude;
    this.grid = transformGrid(grid, affineOf(this.op, 3, params));
  }
}
