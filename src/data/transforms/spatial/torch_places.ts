/**
 * @file Where PyTorch samples, rounding by rounding: MONAI's `AffineTransform` normalizes a matrix, `affine_grid` multiplies it and `grid_sample` takes it back;
 * its `Affine` multiplies a grid of centered voxels. Places that lie halfway between two voxels, as those of every second voxel do, go to the one or the
 * other by how these steps round.
 */
import { wholes } from "../../../host/rounding.ts";
import { type Matrix, product, scaling } from "../../../host/matrix.ts";

/** What the steps are computed in. */
export type Precision = "float32" | "float64";

/** Bits from where on a place may differ from the exact one. */
const uncertain = { float32: 2 ** -20, float64: 2 ** -48 } as const;

/** torch multiplies smaller matrices in a loop of its own, without fusing additions. */
const fusedFrom = 400;

/** Places along the axes of an image. */
export interface TorchPlaces {
  /** Puts places along axis `a` that are halfway between voxels where torch has them; `outputOf` gives the output of the k-th. How many there were. */
  settle(a: number, places: Float64Array, outputOf: (k: number) => readonly number[]): number;
}

/** Places of an output of size `to` in an image of size `from`, 2 or 3 axes of both. @param matrix voxels of the output to those of the image */
export function torchPlaces(from: readonly number[], to: readonly number[], matrix: Matrix, precision: Precision): TorchPlaces {
  const dims = from.length;
  const single = precision === "float32";
  const round = single ? Math.fround : (x: number) => x;
  const fma = single ? (a: number, b: number, c: number) => Math.fround(a * b + c) : fusedMultiplyAdd;
  // The inverse of the output's normalization, which is divided by in one precision and multiplied with the reciprocal in the other.
  const inverse = to.map((n) => {
    const [scale, shift] = [round(2 / n), round(1 / n - 1)];
    const reciprocal = round(1 / scale);
    return { scale: reciprocal, shift: single ? round(-shift / scale) : -shift * reciprocal };
  });
  const theta = from.map((n, a) => {
    const scale = round(2 / n);
    const row = inverse.map((_, c) => round(scale * round(matrix[a][c])));
    const last = round(round(scale * round(matrix[a][dims])) + round(1 / n - 1));
    const moved = inverse.reduce((sum, { shift }, c) => round(sum + round(row[c] * shift)), 0);
    return [...inverse.map((out, c) => round(row[c] * out.scale)), round(moved + last)];
  });
  const base = to.map((n) => {
    const step = round(2 / (n - 1));
    return Float64Array.from({ length: n }, (_, i) => {
      if (n === 1) return 0;
      const even = i < n >> 1 ? fma(step, i, -1) : fma(-step, n - 1 - i, 1);
      return round(round(even * (n - 1)) / n);
    });
  });
  const fused = to.reduce((n, s) => n * s, 1) * (dims + 1) * dims >= fusedFrom;
  const margin = from.map((n, a) => {
    const farthest = to.reduce((sum, s, c) => sum + Math.abs(matrix[a][c]) * s, Math.abs(matrix[a][dims]));
    return uncertain[precision] * (n + farthest);
  });
  const at = (a: number, o: readonly number[]): number => {
    let sum = 0;
    for (let c = dims - 1; c >= 0; c--) {
      const [x, t] = [base[c][o[c]], theta[a][c]];
      sum = fused ? fma(x, t, sum) : round(sum + round(x * t));
    }
    const shifted = round(round(sum + theta[a][dims]) + 1);
    return round(round(shifted * from[a]) - 1) / 2;
  };
  return settledBy(margin, at);
}

/**
 * The same of a grid of centered voxels that a matrix moves, as `Affine` does; the matrix is one of float32.
 * @param centered output places to those of the image, both relative to the center, in voxels
 * @param alignCorners corners of the output onto the faces of the grid, and its faces onto corner voxels of the image
 * @param grid what places are moved in
 * @param sampling what they are sampled in: `RandAffine` does so in float64, whatever its grid is
 */
export function gridPlaces(
  from: readonly number[],
  to: readonly number[],
  centered: Matrix,
  alignCorners: boolean,
  grid: Precision,
  sampling: Precision,
): TorchPlaces {
  const round = sampling === "float32" ? Math.fround : (x: number) => x;
  const fma = grid === "float32" ? (a: number, b: number, c: number) => Math.fround(a * b + c) : fusedMultiplyAdd;
  const stretch = to.map((n) => (alignCorners ? Math.max(n, 2) / (Math.max(n, 2) - 1) : 1));
  const matrix = (grid === "float32" ? singleProduct : product)(centered, scaling(stretch.map(Math.fround)));
  const margin = from.map((n, a) => {
    const farthest = to.reduce((sum, s, c) => sum + Math.abs(matrix[a][c]) * s, Math.abs(matrix[a][to.length]));
    return uncertain.float32 * (n + farthest);
  });
  return settledBy(margin, (a, o) => {
    const place = [...o.map((v, c) => v - (to[c] - 1) / 2), 1];
    const moved = place.reduce((sum, v, c) => fma(matrix[a][c], v, sum), 0);
    const shifted = round(round(moved * round(2 / Math.max(2, from[a]))) + 1);
    return alignCorners ? round(shifted * ((from[a] - 1) / 2)) : round(round(shifted * from[a]) - 1) / 2;
  });
}

/** Matrices multiplied in float32, sums fused. */
export const singleProduct = (...factors: readonly Matrix[]): number[][] =>
  factors
    .map((m) => m.map((row) => row.map(Math.fround)))
    .reduce((a, b) => a.map((row) => b[0].map((_, c) => row.reduce((sum, v, k) => Math.fround(v * b[k][c] + sum), 0))));

/** Puts what may be halfway within `margin` where `at` says. */
function settledBy(margin: readonly number[], at: (a: number, o: readonly number[]) => number): TorchPlaces {
  return {
    settle: (a, places, outputOf) => {
      const most = margin[a];
      let count = 0;
      for (let k = 0; k < places.length; k++) {
        const p = places[k];
        if (!(Math.abs(p - (p + wholes - wholes)) > 0.5 - most)) continue;
        places[k] = at(a, outputOf(k));
        count++;
      }
      return count;
    },
  };
}

/** a · b + c, rounded once: what products and sums leave over is added at the end. */
function fusedMultiplyAdd(a: number, b: number, c: number): number {
  const p = a * b;
  const [ah, bh] = [upperHalf(a), upperHalf(b)];
  const [al, bl] = [a - ah, b - bh];
  const left = al * bl - (p - ah * bh - al * bh - ah * bl);
  const s = p + c;
  const d = s - p;
  return s + (p - (s - d) + (c - d) + left);
}

/** The upper 26 bits. */
function upperHalf(x: number): number {
  const y = x * (2 ** 27 + 1);
  return y - (y - x);
}
