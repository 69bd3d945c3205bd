/** @file Hyperbolic functions and their inverses: by exponentials and logarithms, and near 0, where those cancel out, by polynomials of the Cephes library. */

import * as f from "../../../autograd/pointwise.ts";
import type { Tensor } from "../../../tensor/tensor.ts";
import { same } from "../known.ts";
import type { Operators } from "../operator.ts";
import { polynomial, whole } from "../whole.ts";

/** Below `limit` in size x · (1 + x² · Σ factors[i] · x²ⁱ), and `far` of the size with the sign of x above. */
function odd(x: Tensor, limit: number, factors: readonly number[], far: (size: Tensor) => Tensor): Tensor {
  const [size, s] = [f.abs(x), f.square(x)];
  const near = f.add(x, f.mul(f.mul(x, s), polynomial(s, factors)));
  return f.where(f.gt(size, limit), f.mul(far(size), f.sign(x)), near);
}

const halfSum = (x: Tensor, sign: 1 | -1): Tensor => f.affine(f.add(f.exp(x), f.affine(f.exp(f.neg(x)), sign)), 0.5);

const sinh = (x: Tensor): Tensor => odd(x, 1, [0.166667160211, 0.00833028376239, 0.000203721912945], (a) => halfSum(a, -1));
const cosh = (x: Tensor): Tensor => halfSum(x, 1);

/** ln(x + √(x² ± 1)) without x², which may overflow. */
const logarithm = (x: Tensor, sign: 1 | -1): Tensor =>
  f.add(f.log(x), f.log(f.affine(f.sqrt(f.affine(f.square(f.reciprocal(x)), sign, 1)), 1, 1)));

const asinh = (x: Tensor): Tensor =>
  odd(x, 0.5, [-0.16666288134, 0.074847586088, -0.042699340972, 0.020122003309], (a) => logarithm(f.maximum(a, 0.5), 1));

function acosh(x: Tensor): Tensor {
  const above = f.sub(x, 1);
  const near = f.mul(
    polynomial(above, [1.4142135263, -0.11784741703, 0.026454905019, -0.0075272886713, 0.0017596881071]),
    f.sqrt(above),
  );
  return f.where(f.gt(above, 0.5), logarithm(x, -1), near);
}

const atanh = (x: Tensor): Tensor =>
  odd(x, 0.5, [0.333337300303, 0.1997821645, 0.14669143173, 0.0824370301058, 0.181740078349], (a) =>
    f.affine(f.log(f.div(f.add(a, 1), f.affine(a, -1, 1))), 0.5),
  );

const square = (x: Tensor, factor: number, offset: number): Tensor => f.affine(f.square(x), factor, offset);

export const operators: Operators = {
  Acosh: { device: whole("Acosh", acosh, (x) => f.rsqrt(square(x, 1, -1))), host: same(Math.acosh) },
  Asinh: { device: whole("Asinh", asinh, (x) => f.rsqrt(square(x, 1, 1))), host: same(Math.asinh) },
  Atanh: { device: whole("Atanh", atanh, (x) => f.reciprocal(square(x, -1, 1))), host: same(Math.atanh) },
  Cosh: { device: whole("Cosh", cosh, sinh), host: same(Math.cosh) },
  Sinh: { device: whole("Sinh", sinh, cosh), host: same(Math.sinh) },
};
