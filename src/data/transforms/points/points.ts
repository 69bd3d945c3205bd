/** @file Points in voxels and in space: `ApplyTransformToPoints`, `applyAffineToPoints`. */
import { expectArguments, expectKinds } from "../../../host/kinds.ts";
import { type HostArray, sizeOf } from "../../../host/array.ts";
import { ConfigError, DataError, ShapeError } from "../../../host/errors.ts";
import { inverseOf, type Matrix, product, scaling } from "../../../host/matrix.ts";
import { showShape } from "../../../host/shape.ts";
import { castTo, type DTypeName } from "../shape/cast.ts";
import { intoType } from "../intensity/arithmetic.ts";
import { affineOfRank } from "../spatial/affine_matrix.ts";
import type { Transform } from "../transform.ts";
import { allOptions } from "../options.ts";

/**
 * Points times an affine, computed in float64. MONAI's `apply_affine_to_points`.
 * @param points `[C, N, axes]`
 * @param affine homogeneous; one for three axes serves points of two too
 * @param dtype of the result; default that of the points, where integers are cut
 * @throws ShapeError for another shape
 */
export function applyAffineToPoints(points: HostArray, affine: Matrix, dtype?: DTypeName | null): HostArray {
  expectKinds("applyAffineToPoints", { array: { points }, matrix: { affine } });
  const dims = points.shape.at(-1)!;
  if (points.shape.length !== 3)
    throw new ShapeError(`applyAffineToPoints: expected points [C, N, axes], got ${showShape(points.shape)}`);
  const matrix = affineOfRank(dims, affine);
  const out = new Float64Array(sizeOf(points.shape));
  for (let i = 0; i < out.length; i += dims) {
    for (let r = 0; r < dims; r++) {
      let sum = matrix[r][dims];
      for (let c = 0; c < dims; c++) sum += matrix[r][c] * points.data[i + c];
      out[i + r] = sum;
    }
  }
  const result = { ...points, data: out };
  return dtype ? castTo("applyAffineToPoints", result, dtype) : { ...points, data: intoType(out, points.data) };
}

/** Options of `ApplyTransformToPoints`. */
export interface ApplyTransformToPointsOptions {
  /** Element type of the result; default null: that of the points. */
  readonly dtype?: DTypeName | null;
  /** The image's affine, voxels to space, homogeneous of 2 or 3 axes. Default null: given to `apply`, or, without `invertAffine`, the points' own. */
  readonly affine?: Matrix | null;
  /** From space to voxels. Default true. */
  readonly invertAffine?: boolean;
  /** The affine's space has its first two axes the other way (DICOM's, ITK's LPS). Default false. */
  readonly affineLpsToRas?: boolean;
}

/**
 * Takes points from space to an image's voxels, or, without `invertAffine`, from voxels to space. MONAI's `ApplyTransformToPoints`.
 *
 * Shapes: `[C, N, 2 or 3]`, unchanged.
 * Geometry: dropped; the affine of points that have one counts before the image's is inverted.
 * @throws ShapeError for points or an affine of another shape, ConfigError without an affine and for an unknown option, DataError for a singular one
 */
export class ApplyTransformToPoints implements Transform {
  private readonly options: Required<ApplyTransformToPointsOptions>;

  constructor(options: ApplyTransformToPointsOptions = {}) {
    const defaults = { dtype: null, affine: null, invertAffine: true, affineLpsToRas: false } as const;
    this.options = allOptions(
      "ApplyTransformToPoints",
      options,
      "dtype:text affine:matrix invertAffine:boolean affineLpsToRas:boolean",
      defaults,
    );
  }

  apply(x: HostArray & { readonly affine?: Matrix }, affine: Matrix | null = this.options.affine): HostArray {
    expectArguments("ApplyTransformToPoints", "array", { x });
    const op = "ApplyTransformToPoints";
    const { dtype, invertAffine, affineLpsToRas } = this.options;
    const dims = x.shape.at(-1);
    if (x.shape.length !== 3 || (dims !== 2 && dims !== 3))
      throw new ShapeError(`${op}: expected points [C, N, 2 or 3], got ${showShape(x.shape)}`);
    const image = affine ?? (invertAffine ? null : (x.affine ?? null));
    if (image === null)
      throw new ConfigError(`${op}: there is no affine; give the image's${invertAffine ? "" : ", or points that have one"}`);
    const size = image.length;
    if ((size !== 3 && size !== 4) || image.some((row) => row.length !== size))
      throw new ShapeError(`${op}: the affine must be 3×3 or 4×4, got ${size} rows of ${image[0]?.length ?? 0}`);
    const turned = affineLpsToRas ? product(scaling([-1, -1, 1].slice(0, size - 1)), image) : image;
    const { affine: own, ...points } = x;
    return applyAffineToPoints(points, invertAffine ? toVoxels(op, turned, own) : turned, dtype);
  }
}

function toVoxels(op: string, affine: Matrix, own: Matrix | undefined): Matrix {
  const inverse = inverseOf(affine);
  if (!inverse) throw new DataError(`${op}: the affine ${JSON.stringify(affine)} is not invertible`);
  return own ? product(inverse, affineOfRank(affine.length - 1, own)) : inverse;
}
