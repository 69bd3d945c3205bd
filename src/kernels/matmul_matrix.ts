/** @file What matmul/matrix.wgsl needs beside the tensors: which products of f16 it takes, how they are cut, and operands in the order in which it reads them. */

import { sizeOf } from "../host/array.ts";
import type { Device } from "../tensor/device.ts";
import { write } from "../tensor/kernel.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { type Matrices, matricesOf } from "./lib/matrices.ts";
import { workgroupsToFill } from "./lib/occupancy.ts";
import { grid } from "./lib/workgroups.ts";
import type { MatmulGeometry, Operand } from "./matmul_shape.ts";
import { WIDE } from "./shaders/lib/eight_places.gen.ts";
import { packShader } from "./shaders/matmul/pack.gen.ts";

/** See matmul/matrix.wgsl: SM · SN subgroups of S lanes own RM · RN matrices of M rows by N columns each, in steps of KS · K terms. */
export interface MatrixTile extends Matrices {
  readonly SM: number;
  readonly SN: number;
  readonly RM: number;
  readonly RN: number;
  readonly KS: number;
  /** 1: neighbors of the operand are terms of one row or column, else 0. */
  readonly AK: number;
  readonly BK: number;
}

/** Terms of a step. */
export const stepOf = ({ KS, K }: MatrixTile): number => KS * K;

/** Whether the kernel takes a product of f16 values: neither side of it is a vector, which a tile would hardly fill, and neighbors of an operand are neighbors in memory. */
export function hasMatrix(device: Device, { rows, columns, inner, a, b }: MatmulGeometry): boolean {
  const contiguous = [a, b].every(({ row, column }) => row === 1 || column === 1);
  return matricesOf(device) !== undefined && contiguous && Math.min(rows, columns, inner) >= 8;
}

/** A tile of 128 by 128 results, or of 64 by 128 where there are too few of them, slabs of 256 terms included. */
export function matrixTile(device: Device, { rows, columns, inner, batch, a, b }: MatmulGeometry): MatrixTile {
  const matrices = matricesOf(device)!;
  const { M, N, K, S } = matrices;
  const large = Math.ceil(rows / 128) * Math.ceil(columns / 128) * sizeOf(batch) * Math.ceil(inner / 256);
  const SM = large >= workgroupsToFill(device, "conv") ? 2 : 1;
  const SN = S > 32 ? 2 : 4;
  return { ...matrices, SM, SN, RM: 64 / M, RN: 128 / (SN * N), KS: 32 / K, AK: a.column === 1 ? 1 : 0, BK: b.row === 1 ? 1 : 0 };
}

const even = (n: number): boolean => n % WIDE === 0;

// Whether all neighbors may be read in eights.
const inEights = ({ row, column, batch }: Operand): boolean => even(row === 1 ? column : row) && batch.every(even);

/** The operands that have to be packed before the kernel reads them in eights, terms included. */
export function unpacked({ inner, a, b }: MatmulGeometry): ("a" | "b")[] {
  return (
    [
      ["a", a],
      ["b", b],
    ] as const
  ).flatMap(([name, operand]) => (even(inner) && inEights(operand) ? [] : [name]));
}

/** The product of packed operands, in place of those that have to be. */
export function packOperands(op: string, tensors: { readonly a: Tensor; readonly b: Tensor }, g: MatmulGeometry) {
  const inner = Math.ceil(g.inner / WIDE) * WIDE;
  const own: Tensor[] = [];
  const packed = { ...tensors, g: { ...g, inner } };
  for (const name of unpacked(g)) {
    const x = tensors[name];
    const [lines, line, term] = name === "a" ? [g.rows, g.a.row, g.a.column] : [g.columns, g.b.column, g.b.row];
    const matrix = lines * g.inner;
    const count = (x.size / g.inner) * (inner / WIDE);
    const y = x.device.empty([x.size / g.inner, inner], "f16");
    x.device.run(
      packShader({
        params: { lines, inner: g.inner, line, term, matrix, eights: inner / WIDE, count },
        bind: { x, packed: write(y) },
        workgroups: grid(x.device, op, count, 64),
      }),
    );
    own.push(y);
    const batch = g[name].batch.map((distance) => (distance / matrix) * lines * inner);
    packed[name] = y;
    packed.g[name] = name === "a" ? { row: inner, column: 1, batch } : { row: 1, column: inner, batch };
  }
  return { ...packed, own };
}
