/** @file Nodes of matrix products. */

import type { Emission, Emitter, Emitters } from "../emission.ts";

function transposed({ builder, tensors, inputs }: Emission, i: number): string {
  const rank = tensors[i]!.rank;
  const perm = Array.from({ length: rank }, (_, k) => (k < rank - 2 ? k : 2 * rank - 3 - k));
  return builder.node("Transpose", [inputs[i]], { perm });
}

const matmul: Emitter = (e) => {
  const { transposeA, transposeB } = e.args;
  return e.builder.node("MatMul", [transposeA ? transposed(e, 0) : e.inputs[0], transposeB ? transposed(e, 1) : e.inputs[1]]);
};

const linear: Emitter = (e) => {
  const { builder, tensors, inputs } = e;
  if (tensors[0]!.rank === 2) return builder.node("Gemm", inputs, { transB: 1 });
  const y = builder.node("MatMul", [inputs[0], transposed(e, 1)]);
  return inputs[2] ? builder.node("Add", [y, inputs[2]]) : y;
};

export const emitters: Emitters = { matmul, linear };
