/** @file Norms by a sum of powers: to length 1, to mean square 1, to variance 1, and by what neighboring channels hold. */

import { pad } from "../../../autograd/pad.ts";
import * as f from "../../../autograd/pointwise.ts";
import { mean, variance, vectorNorm } from "../../../autograd/reduce.ts";
import { slice } from "../../../autograd/view.ts";
import type { Tensor } from "../../../tensor/tensor.ts";
import type { Call } from "../call.ts";
import type { Operators } from "../operator.ts";

/** Rows of length 0 stay what they are. */
function unit(c: Call): Tensor {
  const x = c.float(0);
  const [axes, p] = [c.axis(c.int("axis", -1), x.rank), c.int("p", 2)];
  if (p !== 1 && p !== 2) throw c.wrong(`the power p is ${p}; expected 1 or 2`);
  const length = vectorNorm(x, { p, axes, keepDims: true });
  return f.div(x, f.where(f.eq(length, 0), 1, length));
}

function rootMeanSquare(c: Call): Tensor {
  const x = c.float(0);
  const axes = x.shape.map((_, i) => i).slice(c.axis(c.int("axis", -1), x.rank));
  const size = mean(f.square(x), axes, { keepDims: true });
  return f.mul(f.mul(x, f.rsqrt(f.affine(size, 1, c.floatAttribute("epsilon", 1e-5)))), c.float(1));
}

function standardized(c: Call): Tensor {
  const x = c.float(0);
  const axes = (c.ints("axes") ?? [0, 2, 3]).map((a) => c.axis(a, x.rank));
  const spread = f.sqrt(variance(x, axes, { keepDims: true, correction: 0 }));
  return f.div(f.sub(x, mean(x, axes, { keepDims: true })), f.affine(spread, 1, 1e-9));
}

/** By a power of the sum of squares over `size` channels, of an even number one more of those that follow. */
function responses(c: Call): Tensor {
  const x = c.float(0);
  const size = c.int("size", 0);
  if (size < 1) throw c.wrong(`the size is ${size}; expected a number of channels`);
  const before = (size - 1) >> 1;
  const widths = [...new Array<number>(2 * (x.rank - 2)).fill(0), before, size - 1 - before];
  const wide = pad(f.square(x), widths);
  const shifted = Array.from({ length: size }, (_, k) => slice(wide, [undefined, [k, k + x.shape[1]]]));
  const sum = shifted.reduce((a, b) => f.add(a, b));
  const base = f.affine(sum, c.floatAttribute("alpha", 1e-4) / size, c.floatAttribute("bias", 1));
  return f.div(x, f.pow(base, c.floatAttribute("beta", 0.75)));
}

export const operators: Operators = {
  LRN: { device: responses },
  LpNormalization: { device: unit },
  MeanVarianceNormalization: { device: standardized },
  RMSNormalization: { device: rootMeanSquare },
};
