/** @file Matrix products. */

import { linear, matmul } from "../../../autograd/matmul.ts";
import * as f from "../../../autograd/pointwise.ts";
import type { Tensor } from "../../../tensor/tensor.ts";
import type { Call } from "../call.ts";
import type { Operators } from "../operator.ts";

export function gemm(c: Call): Tensor {
  const [alpha, beta] = [c.floatAttribute("alpha", 1), c.floatAttribute("beta", 1)];
  const [transposeA, transposeB] = [c.flag("transA"), c.flag("transB")];
  const [a, b, bias] = [c.float(0), c.float(1), c.optional(2)];
  const plain = alpha === 1 && beta === 1 && !transposeA && transposeB;
  if (plain && (!bias || (bias.rank === 1 && bias.size === b.shape[0]))) return linear(a, b, bias);
  const product = matmul(a, b, { transposeA, transposeB });
  const scaled = alpha === 1 ? product : f.affine(product, alpha);
  if (!bias) return scaled;
  return f.add(scaled, beta === 1 ? bias : f.affine(bias, beta));
}

/** The product of matrices, either of them turned where its attribute says so. */
export const multiplied = (c: Call): Tensor => {
  if (c.flag("transBatchA") || c.flag("transBatchB")) throw c.unsupported("an operand with its batch axis moved");
  return matmul(c.float(0), c.float(1), { transposeA: c.flag("transA"), transposeB: c.flag("transB") });
};

export const operators: Operators = { Gemm: { device: gemm }, MatMul: { device: (c) => matmul(c.float(0), c.float(1)) } };
