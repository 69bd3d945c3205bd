/** @file Sine, cosine and tangent. Kernels have none: the argument is brought to half a turn, where a polynomial holds. */

import * as f from "../../../autograd/pointwise.ts";
import type { Tensor } from "../../../tensor/tensor.ts";
import { same } from "../known.ts";
import type { Operators } from "../operator.ts";
import { polynomial, whole } from "../whole.ts";

// π in three parts. The first two have 8 and 11 bits, so that their multiples are floats without rounding, up to 8192 turns.
const parts = [3.140625, 9.67502593994140625e-4, 1.5099579909783765e-7];
// sin r = r + r³ · (c₀ + c₁ r² + …), by least squares at Chebyshev's points of [−π/2, π/2]; the error is 2e-11, far below that of f32.
const series = [-0.16666666603244198, 0.00833333039703423, -0.00019840793670957414, 2.752216523326715e-6, -2.3839621657020344e-8];

/** Sine of `x` and a number of quarter turns, 0 or 1; within 2e-7 for arguments up to a thousand, more and more wrong beyond 10⁵. */
function sine(x: Tensor, quarters: 0 | 1): Tensor {
  // Half turns to take away; a cosine is a sine that stands in the middle of one.
  const halves = f.round(f.affine(x, 1 / Math.PI, -quarters / 2));
  const turns = quarters === 0 ? halves : f.add(halves, 0.5);
  const r = parts.reduce((rest, part) => f.sub(rest, f.affine(turns, part)), x);
  const s = f.square(r);
  const wave = f.add(r, f.mul(f.mul(r, s), polynomial(s, series)));
  // Every other half turn the sign changes: 1 for even numbers, −1 for odd ones, and for cosines the reverse.
  const odd = f.sub(halves, f.affine(f.floor(f.affine(halves, 0.5)), 2));
  return f.mul(wave, quarters === 0 ? f.affine(odd, -2, 1) : f.affine(odd, 2, -1));
}

const sin = (x: Tensor): Tensor => sine(x, 0);
const cos = (x: Tensor): Tensor => sine(x, 1);
const tan = (x: Tensor): Tensor => f.div(sin(x), cos(x));

export const operators: Operators = {
  Cos: { device: whole("Cos", cos, (x) => f.neg(sin(x))), host: same(Math.cos) },
  Sin: { device: whole("Sin", sin, cos), host: same(Math.sin) },
  Tan: { device: whole("Tan", tan, (x) => f.affine(f.square(tan(x)), 1, 1)), host: same(Math.tan) },
};
