/** @file What matmul/matrix.wgsl needs beside the tensors: which products of f16 it takes, and how they are cut. */

import { sizeOf } from "../host/array.ts";
import type { Device } from "../tensor/device.ts";
import { type Matrices, matricesOf } from "./lib/matrices.ts";
import { workgroupsToFill } from "./lib/occupancy.ts";
import type { MatmulGeometry } from "./matmul_shape.ts";

/** See matmul/matrix.wgsl: SM · SN subgroups of S lanes own RM · RN matrices of M rows by N columns each, in steps of KS · K terms. */
export interface MatrixTile extends Matrices {
  readonly SM: number;
  readonly SN: number;
  readonly RM: number;
  readonly RN: number;
  readonly KS: number;
  /** 1: neighbours of the operand are terms of one row or column, else 0. */
  readonly AK: number;
  readonly BK: number;
}

/** Terms of a step. */
export const stepOf = ({ KS, K }: MatrixTile): number => KS * K;

/** Whether the kernel takes a product of f16 values: neither side of it is a vector, which a tile would hardly fill, and neighbours of an operand are neighbours in memory. */
export function hasMatrix(device: Device, { rows, columns, inner, a, b }: MatmulGeometry): boolean {
  const contiguous = [a, b].every(({ row, column }) => row === 1 || column === 1);
  return matricesOf(device) !== undefined && contiguous && Math.min(rows, columns, inner) >= 8;
}

/** The tile with the most reuse of which there are enough. */
export function matrixTile(device: Device, { rows, columns, batch, a, b }: MatmulGeometry): MatrixTile {
  const matrices = matricesOf(device)!;
  const { M, N, K, S } = matrices;
  const large = Math.ceil(rows / 128) * Math.ceil(columns / 128) * sizeOf(batch);
  const wide = large >= workgroupsToFill(device, "conv");
  const [SM, SN] = wide ? [2, 4] : [2, 2];
  // A tile has no more lines than there are lanes.
  const [RM, RN] = [Math.min(wide ? 64 : 32, SN * S) / M, Math.min(32, SM * S) / N];
  return { ...matrices, SM, SN, RM, RN, KS: 32 / K, AK: a.column === 1 ? 1 : 0, BK: b.row === 1 ? 1 : 0 };
}

/** Whether lanes may fetch two values at a time: all of them begin at even places, and there are no odd ones at the end. */
export function hasPairs({ rows, columns, inner, a, b }: MatmulGeometry, { AK, BK }: MatrixTile): boolean {
  const even = (list: readonly number[]) => list.every((n) => n % 2 === 0);
  return even([
    ...a.batch,
    ...b.batch,
    ...(AK ? [a.row, inner] : [a.column, rows]),
    ...(BK ? [b.column, inner] : [b.row, columns]),
  ]);
}
