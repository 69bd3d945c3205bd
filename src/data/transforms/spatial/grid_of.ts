/** @file Which grid holds an image at another voxel size: affine, size and origin, as MONAI chooses them. */
import { DataError } from "../../../host/errors.ts";
import { inverseOf, type Matrix, product, scaling } from "../../../host/matrix.ts";
import { roundHalfEven } from "../../../host/rounding.ts";

/** Voxel size per axis: the column lengths of the matrix without its last row. */
export const columnLengths = (affine: Matrix): number[] =>
  affine.slice(0, -1).map((_, c) => Math.hypot(...affine.slice(0, -1).map((row) => row[c])));

/**
 * An affine with columns of the given lengths, without translation: diagonal, or with the rotation of the given one but without its shears. Lengths of 0
 * or below stay the affine's own.
 */
export function zoomedAffine(op: string, affine: Matrix, lengths: readonly number[], diagonal: boolean): number[][] {
  const own = columnLengths(affine);
  const scale = own.map((v, i) => (lengths[i] > 0 ? lengths[i] : v) || 1);
  if (diagonal) return scaling(scale);
  const dims = affine.length - 1;
  const linear = affine.slice(0, dims).map((row) => row.slice(0, dims));
  const upper = choleskyUpper(op, product(transposed(linear), linear));
  const rotation = product(linear, inverseOf(upper)!);
  const turned = product(
    rotation,
    scale.map((s, r) => scale.map((_, c) => (r === c ? s : 0))),
  );
  return [...turned.map((row) => [...row, 0]), [...new Array<number>(dims).fill(0), 1]];
}

const transposed = (m: Matrix): number[][] => m[0].map((_, c) => m.map((row) => row[c]));

/** U with Uᵀ · U = m, for a symmetric positive matrix. */
function choleskyUpper(op: string, m: Matrix): number[][] {
  const n = m.length;
  const u = m.map((row) => row.map(() => 0));
  for (let r = 0; r < n; r++) {
    for (let c = r; c < n; c++) {
      let sum = m[r][c];
      for (let k = 0; k < r; k++) sum -= u[k][r] * u[k][c];
      if (c === r && !(sum > 0)) throw new DataError(`${op}: the affine is singular: ${JSON.stringify(m)}`);
      u[r][c] = c === r ? Math.sqrt(sum) : sum / u[r][r];
    }
  }
  return u;
}

/**
 * The size of the grid of affine `to` that holds an image of affine `from`, and the place of its first voxel: that of the image's corner which is
 * first along all axes of the new grid, or, if no corner is, so that the centers meet.
 */
export function shapeAndOffset(
  op: string,
  size: readonly number[],
  from: Matrix,
  to: Matrix,
  scaleExtent: boolean,
): { shape: number[]; offset: number[] } {
  const dims = size.length;
  const back = inverseOf(to);
  if (!back) throw new DataError(`${op}: the affine ${JSON.stringify(to)} is not invertible`);
  const ends = size.map((s) => (scaleExtent ? [-0.5, s - 0.5] : [0, s - 1]));
  const corners = Array.from({ length: 2 ** dims }, (_, n) => [...ends.map((e, a) => e[(n >> (dims - 1 - a)) & 1]), 1]);
  const times = (m: Matrix, p: readonly number[]) => m.map((row) => row.reduce((sum, v, c) => sum + v * p[c], 0));
  const inNew = corners.map((c) => times(product(back, from), c).slice(0, dims));
  const span = size.map((_, a) => Math.max(...inNew.map((p) => p[a])) - Math.min(...inNew.map((p) => p[a])));
  const shape = span.map((v) => roundHalfEven(scaleExtent ? v : v + 1));
  const firstOfAll = inNew.findIndex((p) => p.every((v, a) => inNew.every((q) => q[a] - v >= -1e-8)));
  const linear = (m: Matrix, p: readonly number[]) => m.slice(0, dims).map((row) => p.reduce((sum, v, c) => sum + row[c] * v, 0));
  let offset: number[];
  if (firstOfAll >= 0) offset = times(from, corners[firstOfAll]).slice(0, dims);
  else {
    const center = linear(
      from,
      size.map((s) => s / 2),
    );
    const shifted = linear(
      to,
      shape.map((s) => s / 2),
    );
    offset = center.map((v, a) => v + from[a][dims] - shifted[a]);
  }
  if (scaleExtent) {
    const start = times(from, [...size.map((s, a) => 0.5 * (s / shape[a] - 1)), 1]);
    offset = offset.map((v, a) => Math.abs(start[a]) * Math.sign(v));
  }
  return { shape, offset };
}
