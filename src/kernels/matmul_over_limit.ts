/**
 * @file Matrix products of tensors over the binding limit: the largest tensor is halved along its longest axis, batch axes first, until all can be bound.
 * Halves of the terms are added, other halves joined. Operands that are cut are copied, in the order in which they lie in memory.
 */

import { stridesOf } from "../host/shape.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { tooLarge } from "./lib/pieces.ts";
import type { Rows } from "./lib/reach.ts";
import { gather } from "./lib/strided.ts";
import type { MatmulGeometry, Operand } from "./matmul_shape.ts";
import { binary } from "./pointwise.ts";
import { joined } from "./view.ts";

/** A product of blocks of the operands. */
export interface MatmulJob {
  readonly a: Tensor;
  readonly b: Tensor;
  readonly bias: Tensor | undefined;
  readonly g: MatmulGeometry;
}

/** The product of `job`, of blocks that `run` computes. `slabsOf` tells how many partial sums it keeps of each result. */
export function matmulInBlocks(
  op: string,
  job: MatmulJob,
  slabsOf: (g: MatmulGeometry) => number,
  run: (job: MatmulJob) => Tensor,
): Tensor {
  const { a, b, bias, g } = job;
  a.device.empty(g.outShape).dispose(); // refuses results that no buffer holds
  const axes = g.batch.length;
  // Distances along the batch axes, rows, terms and columns; 0: the tensor lacks the axis.
  const ofA = [...g.a.batch, g.a.row, g.a.column, 0];
  const ofB = [...g.b.batch, 0, g.b.row, g.b.column];
  const ofY = [...g.batch.map(() => 1), 1, 0, 1];
  const elements = (block: readonly Rows[], strides: readonly number[]) =>
    block.reduce((n, { count }, i) => (strides[i] === 0 ? n : n * count), 1);

  const product = (block: readonly Rows[], first: boolean): Tensor => {
    const counts = block.map((r) => r.count);
    const [rows, inner, columns] = counts.slice(axes);
    const [left, right] = [
      { shape: orderOf(block, ofA, axes), strides: ofA },
      { shape: orderOf(block, ofB, axes), strides: ofB },
    ];
    const batch = counts.slice(0, axes);
    const part = (operand: typeof left, [one, other]: readonly [number, number]): Operand => {
      const own = stridesWithin(block, operand.shape);
      return { row: own[one], column: own[other], batch: own.slice(0, axes) };
    };
    const piece: MatmulGeometry = {
      rows,
      columns,
      inner,
      batch,
      a: part(left, [axes, axes + 1]),
      b: part(right, [axes + 1, axes + 2]),
      outShape: [...batch, rows, columns],
    };
    const slabs = slabsOf(piece);
    const bytes = [elements(block, ofA), elements(block, ofB), elements(block, ofY) * slabs].map((n) => 4 * n);
    const largest = bytes.indexOf(Math.max(...bytes));
    if (bytes[largest] > a.device.maxBindingSize) {
      const strides = [ofA, ofB, slabs > 1 ? ofY.with(axes + 1, 1) : ofY][largest];
      const axis = axisToHalve(counts, strides, axes);
      if (axis === undefined) throw tooLarge(op, a.bytes > b.bytes ? a : b);
      const { start, count } = block[axis];
      const half = Math.ceil(count / 2);
      const halves = [
        product(block.with(axis, { start, count: half }), first),
        product(block.with(axis, { start: start + half, count: count - half }), first && axis !== axes + 1),
      ];
      if (axis !== axes + 1) return joined(halves, axis > axes ? axis - 1 : axis);
      const sum = binary("add", halves[0], halves[1]);
      for (const t of halves) t.dispose();
      return sum;
    }
    const cut = (t: Tensor, { shape, strides }: typeof left) =>
      elements(block, strides) === t.size
        ? t.view(t.shape)
        : gather(
            op,
            t,
            shape.map((i) => counts[i]),
            shape.map((i) => strides[i]),
            block.reduce((at, { start }, i) => at + start * strides[i], 0),
          );
    const ends = bias && first ? gather(op, bias, [columns], [1], block[axes + 2].start) : undefined;
    const [x, y] = [cut(a, left), cut(b, right)];
    const result = run({ a: x, b: y, bias: ends, g: piece });
    for (const t of [x, y, ends]) t?.dispose();
    return result;
  };

  const whole = [...g.batch, g.rows, g.inner, g.columns].map((count) => ({ start: 0, count }));
  const flat = product(whole, true);
  const y = flat.view(g.outShape);
  flat.dispose();
  return y;
}

// The axes that a tensor has, in the order of its memory.
const orderOf = (block: readonly Rows[], strides: readonly number[], axes: number): number[] => {
  const own = block.flatMap((_, i) => (strides[i] === 0 ? [] : [i]));
  return [...own.filter((i) => i < axes), ...own.filter((i) => i >= axes).sort((i, j) => strides[j] - strides[i])];
};

// Distances along all axes in a block of its own.
function stridesWithin(block: readonly Rows[], order: readonly number[]): number[] {
  const strides = stridesOf(order.map((i) => block[i].count));
  return block.map((_, i) => (order.includes(i) ? strides[order.indexOf(i)] : 0));
}

function axisToHalve(counts: readonly number[], strides: readonly number[], axes: number): number | undefined {
  const able = counts.flatMap((n, i) => (n > 1 && strides[i] !== 0 ? [i] : []));
  return able.find((i) => i < axes) ?? able.toSorted((i, j) => counts[j] - counts[i])[0];
}
