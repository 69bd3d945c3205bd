/** @file Sizes of batched matrix products of strided operands. */

import { ShapeError } from "../host/errors.ts";
import { sizeOf } from "../host/array.ts";
import { broadcastShapes, type Shape, showShape } from "../host/shape.ts";

/** One side of a product, as a stack of matrices inside a tensor. */
export interface Operand {
  /** Distances between rows and between columns of the matrix that takes part in the product. */
  readonly row: number;
  readonly column: number;
  /** Distance between batch entries per axis, 0 where broadcast. */
  readonly batch: readonly number[];
}

export interface MatmulGeometry {
  readonly rows: number;
  readonly columns: number;
  readonly inner: number;
  readonly batch: readonly number[];
  readonly a: Operand;
  readonly b: Operand;
  readonly outShape: Shape;
}

/** Options of `matmul`. */
export interface MatmulOptions {
  /** The last two axes of `a` in the other order; default false. */
  readonly transposeA?: boolean;
  /** The same of `b`. */
  readonly transposeB?: boolean;
}

function batchStrides(shape: Shape, batch: readonly number[]): number[] {
  let step = shape.at(-1)! * shape.at(-2)!;
  const own = shape.slice(0, -2);
  const strides = new Array<number>(batch.length).fill(0);
  for (let i = own.length - 1; i >= 0; i--) {
    if (own[i] !== 1) strides[i + batch.length - own.length] = step;
    step *= own[i];
  }
  return strides;
}

/** Neighboring batch axes become one where both operands walk them in one stride. */
function mergeBatch(g: MatmulGeometry): MatmulGeometry {
  const batch: number[] = [];
  const a: number[] = [];
  const b: number[] = [];
  g.batch.forEach((size, i) => {
    if (size === 1) return;
    const [sa, sb] = [g.a.batch[i], g.b.batch[i]];
    const last = batch.length - 1;
    if (last >= 0 && a[last] === sa * size && b[last] === sb * size) {
      batch[last] *= size;
      a[last] = sa;
      b[last] = sb;
    } else {
      batch.push(size);
      a.push(sa);
      b.push(sb);
    }
  });
  return { ...g, batch, a: { ...g.a, batch: a }, b: { ...g.b, batch: b } };
}

/** `[…, M, K]` times `[…, K, N]`, batch axes broadcast. Throws `ShapeError`. */
export function matmulShape(op: string, a: Shape, b: Shape, options: MatmulOptions = {}): MatmulGeometry {
  const { transposeA = false, transposeB = false } = options;
  if (a.length < 2 || b.length < 2) throw new ShapeError(`${op}: expected matrices, got ${showShape(a)} and ${showShape(b)}`);
  const [rows, inner] = transposeA ? [a.at(-1)!, a.at(-2)!] : [a.at(-2)!, a.at(-1)!];
  const [terms, columns] = transposeB ? [b.at(-1)!, b.at(-2)!] : [b.at(-2)!, b.at(-1)!];
  if (inner !== terms) {
    throw new ShapeError(
      `${op}: ${showShape(a)} has ${inner} entries along the axis that is summed, ${showShape(b)} has ${terms}; they must be equal`,
    );
  }
  const batch = broadcastShapes(op, a.slice(0, -2), b.slice(0, -2));
  const g = mergeBatch({
    rows,
    columns,
    inner,
    batch,
    a: { row: transposeA ? 1 : inner, column: transposeA ? rows : 1, batch: batchStrides(a, batch) },
    b: { row: transposeB ? 1 : columns, column: transposeB ? inner : 1, batch: batchStrides(b, batch) },
    outShape: [...batch, rows, columns],
  });
  if (g.batch.length > 4)
    throw new ShapeError(`${op}: ${showShape(a)} and ${showShape(b)} broadcast over more than 4 batch axes`);
  return g;
}

/** Twice the multiply-adds. */
export const matmulFlops = (g: MatmulGeometry): number => 2 * sizeOf(g.batch) * g.rows * g.columns * g.inner;
