/** @file Small square matrices of numbers, rows first: what affines of any rank are computed with. */

/** A matrix, rows first. */
export type Matrix = readonly (readonly number[])[];

/** The n×n identity. */
export const identityMatrix = (n: number): number[][] =>
  Array.from({ length: n }, (_, r) => Array.from({ length: n }, (_, c) => (r === c ? 1 : 0)));

/** `a · b · …`, from left to right. */
export function product(...factors: readonly Matrix[]): number[][] {
  return factors.reduce<Matrix>(
    (a, b) => a.map((row) => b[0].map((_, c) => row.reduce((sum, v, k) => sum + v * b[k][c], 0))),
    identityMatrix(factors[0].length),
  ) as number[][];
}

/** The inverse, by Gauss and Jordan with row pivots; undefined for a singular matrix. */
export function inverseOf(matrix: Matrix): number[][] | undefined {
  const n = matrix.length;
  const work = matrix.map((row, r) => [...row, ...identityMatrix(n)[r]]);
  for (let c = 0; c < n; c++) {
    let pivot = c;
    for (let r = c + 1; r < n; r++) if (Math.abs(work[r][c]) > Math.abs(work[pivot][c])) pivot = r;
    const head = work[pivot][c];
    if (!(Math.abs(head) > 1e-300)) return undefined;
    [work[c], work[pivot]] = [work[pivot], work[c]];
    work[c] = work[c].map((v) => v / head);
    for (let r = 0; r < n; r++) {
      const factor = work[r][c];
      if (r !== c && factor !== 0) work[r] = work[r].map((v, k) => v - factor * work[c][k]);
    }
  }
  return work.map((row) => row.slice(n));
}

/** A homogeneous matrix that moves by `shift`. */
export const translation = (shift: readonly number[]): number[][] =>
  identityMatrix(shift.length + 1).map((row, r) => (r < shift.length ? [...row.slice(0, -1), shift[r]] : row));

/** A homogeneous matrix that scales by `factors` about the origin. */
export const scaling = (factors: readonly number[]): number[][] =>
  identityMatrix(factors.length + 1).map((row, r) => row.map((v, c) => (r === c && r < factors.length ? factors[r] : v)));

/** Whether all entries differ by at most `tolerance`, with the relative 1e-5 of numpy.allclose. */
export const nearlyEqual = (a: Matrix, b: Matrix, tolerance: number): boolean =>
  a.length === b.length &&
  a.every((row, r) => row.every((v, c) => Math.abs(v - b[r][c]) <= tolerance + 1e-5 * Math.abs(b[r][c])));
