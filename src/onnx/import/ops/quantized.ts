/** @file Convolutions and products of quantized numbers. Sums are of f32: exact below 2²⁴, which is 258 products of bytes at their largest. */

import { cast } from "../../../autograd/cast.ts";
import { conv } from "../../../autograd/conv.ts";
import { matmul } from "../../../autograd/matmul.ts";
import * as f from "../../../autograd/pointwise.ts";
import { permute, reshape } from "../../../autograd/view.ts";
import type { Tensor } from "../../../tensor/tensor.ts";
import type { Call } from "../call.ts";
import type { Operators } from "../operator.ts";
import { along, centered, rounded, typeOfZero } from "../quantization.ts";
import { window } from "../window.ts";

/** Places of a pair of operands and their zero points among the inputs. */
interface Places {
  readonly a: number;
  readonly b: number;
  readonly zeroA: number;
  readonly zeroB: number;
}

const integer: Places = { a: 0, b: 1, zeroA: 2, zeroB: 3 };
const linear: Places = { a: 0, b: 3, zeroA: 2, zeroB: 5 };

function convolved(c: Call, { a, b, zeroA, zeroB }: Places, bias?: Tensor): Tensor {
  const rank = c.shape(a).length;
  const x = centered(c, a, zeroA, (i) => along(c, i, rank, 1));
  const weight = centered(c, b, zeroB, (i) => along(c, i, rank, 0));
  // The padding is the zero point, which is 0 by now.
  const { stride, dilation, pads } = window(c, x.shape.slice(2), weight.shape.slice(2));
  return conv(x, weight, bias, { stride, dilation, padding: pads, groups: c.int("group", 1) });
}

/** Numbers of the rows of the first operand or the columns of the second; of more than one axis they broadcast as they are. */
const ofRows = (c: Call, i: number): Tensor => {
  const t = c.float(i);
  return t.rank === 1 && t.size > 1 ? reshape(t, [t.size, 1]) : t.rank === 1 ? reshape(t, []) : t;
};
const ofColumns = (c: Call, i: number): Tensor => {
  const t = c.float(i);
  return t.size === 1 ? reshape(t, []) : t;
};

const multiplied = (c: Call, { a, b, zeroA, zeroB }: Places): Tensor =>
  matmul(
    centered(c, a, zeroA, (i) => ofRows(c, i)),
    centered(c, b, zeroB, (i) => ofColumns(c, i)),
  );

/** Sums in units of the scales of both operands as quantized numbers of the result. */
function requantized(c: Call, sums: Tensor, a: Tensor, b: Tensor): Tensor {
  const result = reshape(c.float(6), []);
  const factor = f.div(f.mul(a, b), result);
  return rounded(c, f.mul(sums, factor), 7, typeOfZero(c, 7), (i) => c.float(i));
}

function quantizedConv(c: Call): Tensor {
  const sums = convolved(c, linear, c.optional(8));
  return requantized(c, sums, reshape(c.float(1), []), along(c, 4, sums.rank, 1));
}

const quantizedProduct = (c: Call): Tensor => requantized(c, multiplied(c, linear), ofRows(c, 1), ofColumns(c, 4));

/** A product with a bias in units of both scales; without a scale of the result it is given as floating numbers. */
function quantizedGemm(c: Call): Tensor {
  const sides = [
    { i: 0, spread: ofRows, turned: c.flag("transA") },
    { i: 3, spread: ofColumns, turned: c.flag("transB") },
  ] as const;
  const [a, b] = sides.map(({ i, spread, turned }) => {
    // Scales lie along the columns of the product, which a turned operand has as rows.
    const t = centered(c, i, i + 2, (zero) => (turned && i === 3 ? ofRows(c, zero) : spread(c, zero)));
    return turned ? permute(t, [1, 0]) : t;
  });
  const sums = matmul(a, b);
  // The bias counts in units of alpha too.
  const whole = f.affine(c.has(6) ? f.add(sums, c.float(6)) : sums, c.floatAttribute("alpha", 1));
  const real = f.mul(f.mul(whole, ofRows(c, 1)), ofColumns(c, 4));
  if (!c.has(7)) return real;
  return rounded(c, f.div(real, reshape(c.float(7), [])), 8, typeOfZero(c, 8), (i) => c.float(i));
}

export const operators: Operators = {
  ConvInteger: { device: (c) => cast(convolved(c, integer), "i32") },
  MatMulInteger: { device: (c) => cast(multiplied(c, integer), "i32") },
  QLinearConv: { device: quantizedConv, statistics: [1, 4, 6] },
  QLinearMatMul: { device: quantizedProduct, statistics: [1, 4, 6] },
  "com.microsoft::QGemm": { device: quantizedGemm, statistics: [1, 4, 7] },
};
