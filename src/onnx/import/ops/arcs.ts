/**
 * @file Inverse trigonometric functions. Kernels have none: the argument is brought near 0, where a polynomial holds (coefficients of the Cephes library
 * for f32, S. Moshier, https://www.netlib.org/cephes/).
 */

import * as f from "../../../autograd/pointwise.ts";
import type { Tensor } from "../../../tensor/tensor.ts";
import { same } from "../known.ts";
import type { Operators } from "../operator.ts";
import { polynomial, whole } from "../whole.ts";

/** x · (1 + x² · Σ factors[i] · x²ⁱ). */
const odd = (x: Tensor, factors: readonly number[]): Tensor => {
  const s = f.square(x);
  return f.add(x, f.mul(f.mul(x, s), polynomial(s, factors)));
};

const arcTangent = [-0.333329491539, 0.199777106478, -0.138776856032, 0.0805374449538];
const arcSine = [0.16666752422, 0.074953002686, 0.045470025998, 0.024181311049, 0.042163199048];

/** By the reciprocal above 1, and by the angle to 45° above tan 22.5°. */
function atan(x: Tensor): Tensor {
  const size = f.abs(x);
  const steep = f.gt(size, 1);
  const low = f.where(steep, f.reciprocal(f.maximum(size, 1)), size);
  const high = f.gt(low, Math.SQRT2 - 1);
  const near = f.where(high, f.div(f.sub(low, 1), f.add(low, 1)), low);
  const angle = f.add(odd(near, arcTangent), f.affine(high, Math.PI / 4));
  return f.mul(f.where(steep, f.affine(angle, -1, Math.PI / 2), angle), f.sign(x));
}

/** Half of the angle whose cosine is `size`, which is 0.5 to 1; a number above gives NaN, as it must. */
const halfArc = (size: Tensor): Tensor => odd(f.sqrt(f.affine(size, -0.5, 0.5)), arcSine);

function asin(x: Tensor): Tensor {
  const size = f.abs(x);
  const steep = f.affine(halfArc(size), -2, Math.PI / 2);
  return f.where(f.gt(size, 0.5), f.mul(steep, f.sign(x)), odd(x, arcSine));
}

function acos(x: Tensor): Tensor {
  const arc = f.affine(halfArc(f.abs(x)), 2);
  const outer = f.where(f.gt(x, 0), arc, f.affine(arc, -1, Math.PI));
  return f.where(f.gt(f.abs(x), 0.5), outer, f.affine(odd(x, arcSine), -1, Math.PI / 2));
}

const slope = (x: Tensor): Tensor => f.rsqrt(f.affine(f.square(x), -1, 1));

export const operators: Operators = {
  Acos: { device: whole("Acos", acos, (x) => f.neg(slope(x))), host: same(Math.acos) },
  Asin: { device: whole("Asin", asin, slope), host: same(Math.asin) },
  Atan: { device: whole("Atan", atan, (x) => f.reciprocal(f.affine(f.square(x), 1, 1))), host: same(Math.atan) },
};
