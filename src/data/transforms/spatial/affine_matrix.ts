/** @file Homogeneous matrices of rotations, shears and scalings in 2-D and 3-D, in MONAI's order of axes and parameters. */
import { ShapeError } from "../../../host/errors.ts";
import { identityMatrix, type Matrix, product, scaling, translation } from "../../../host/matrix.ts";
import { singleProduct } from "./torch_places.ts";

/** One value, or one per axis; fewer than axes leave the rest as they are. */
export type AxisParams = number | readonly number[];

/** What an affine transform is made of; applied as rotation · shear · translation · scaling to the places of the output. */
export interface AffineParams {
  /** Radians: one angle in 2-D; about the first, second and third axis in 3-D. */
  readonly rotateParams?: AxisParams | null;
  /** Shearing factors: 2 in 2-D, 6 in 3-D, row by row. */
  readonly shearParams?: AxisParams | null;
  /** Voxels per axis. */
  readonly translateParams?: AxisParams | null;
  /** Factors per axis: 2 shows half as much detail in twice the field of view. */
  readonly scaleParams?: AxisParams | null;
}

/** What matrices are made with. */
export interface Arithmetic {
  readonly product: (...factors: readonly Matrix[]) => number[][];
  readonly cos: (angle: number) => number;
  readonly sin: (angle: number) => number;
}
const double: Arithmetic = { product, cos: Math.cos, sin: Math.sin };
/** In float32, as MONAI makes them. */
export const single: Arithmetic = {
  product: singleProduct,
  cos: (angle) => Math.fround(Math.cos(Math.fround(angle))),
  sin: (angle) => Math.fround(Math.sin(Math.fround(angle))),
};

const list = (v: AxisParams): readonly number[] => (typeof v === "number" ? [v] : v);
const filled = (v: AxisParams, count: number, missing: number) => Array.from({ length: count }, (_, i) => list(v)[i] ?? missing);

/** Turns about the axes, the first angle's matrix leftmost. @throws ShapeError unless there are 2 or 3 axes and an angle */
export function rotation(op: string, dims: number, radians: AxisParams, { product, cos, sin } = double): number[][] {
  if (dims !== 2 && dims !== 3) throw new ShapeError(`${op}: rotations are for 2 or 3 spatial axes, got ${dims}`);
  const angles = list(radians);
  if (angles.length === 0) throw new ShapeError(`${op}: give at least one angle`);
  // In 3-D about the first, second and third axis.
  const planes =
    dims === 2
      ? [[0, 1]]
      : [
          [1, 2],
          [2, 0],
          [0, 1],
        ];
  return product(
    identityMatrix(dims + 1),
    ...angles.slice(0, planes.length).map((angle, i) => {
      const [a, b] = planes[i];
      const m = identityMatrix(dims + 1);
      m[a][a] = m[b][b] = cos(angle);
      m[a][b] = -sin(angle);
      m[b][a] = sin(angle);
      return m;
    }),
  );
}

/** Ones on the diagonal, the factors beside it row by row. */
function shear(dims: number, factors: AxisParams): number[][] {
  const given = filled(factors, dims * (dims - 1), 0);
  let next = 0;
  return identityMatrix(dims + 1).map((row, r) => row.map((v, c) => (r < dims && c < dims && r !== c ? given[next++] : v)));
}

const isGiven = (v: AxisParams | null | undefined): v is AxisParams =>
  v !== null && v !== undefined && v !== 0 && list(v).length > 0;

/** Output place to input place, both relative to the image's center, in voxels. */
export function affineOf(op: string, dims: number, params: AffineParams, arithmetic = double): number[][] {
  const { rotateParams, shearParams, translateParams, scaleParams } = params;
  const factors: Matrix[] = [identityMatrix(dims + 1)];
  if (isGiven(rotateParams)) factors.push(rotation(op, dims, rotateParams, arithmetic));
  if (isGiven(shearParams)) factors.push(shear(dims, shearParams));
  if (isGiven(translateParams)) factors.push(translation(filled(translateParams, dims, 0)));
  if (isGiven(scaleParams)) factors.push(scaling(filled(scaleParams, dims, 1)));
  return arithmetic.product(...factors);
}

/** A matrix between centered places as one between voxel indices of `to` and of `from`. */
export const aboutCenters = (matrix: Matrix, from: readonly number[], to: readonly number[]): number[][] =>
  product(translation(from.map((s) => (s - 1) / 2)), matrix, translation(to.map((s) => -(s - 1) / 2)));

/** A matrix for `dims` axes: a larger or smaller one is cut or filled from the identity, translations kept. */
export function affineOfRank(dims: number, matrix: Matrix): number[][] {
  const out = identityMatrix(dims + 1);
  const rank = matrix.length - 1;
  for (let r = 0; r < Math.min(dims, rank); r++) {
    for (let c = 0; c < Math.min(dims, rank); c++) out[r][c] = matrix[r][c];
    out[r][dims] = matrix[r][rank];
  }
  return out;
}

/**
 * What MONAI's `alignCorners` does to a matrix between voxel indices: the output's corner voxels are put on the faces of the field that the matrix
 * is for, and the input's faces on its corner voxels.
 */
export function withAlignedCorners(matrix: Matrix, from: readonly number[], to: readonly number[]): number[][] {
  const before = scaling(to.map((s) => (s > 1 ? s / (s - 1) : 0)));
  const after = scaling(from.map((s) => (s - 1) / s));
  const start = translation(to.map((s) => (s > 1 ? -0.5 : (s - 1) / 2)));
  return product(after, translation(from.map(() => 0.5)), matrix, start, before);
}
