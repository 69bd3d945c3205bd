/** @file Norms. */

import { fixedBatchNorm, groupNorm, layerNorm } from "../../../autograd/norm.ts";
import * as f from "../../../autograd/pointwise.ts";
import { mean, variance } from "../../../autograd/reduce.ts";
import { expand, reshape } from "../../../autograd/view.ts";
import { full } from "../../../kernels/view.ts";
import { sameShape } from "../../../host/shape.ts";
import type { Tensor } from "../../../tensor/tensor.ts";
import type { Call } from "../call.ts";
import type { Operators } from "../operator.ts";

function batchNormalization(c: Call): Tensor {
  if (c.opset < 7 && !c.flag("is_test")) throw c.unsupported("training (is_test = 0; export the model in evaluation instead)");
  if (c.flag("training_mode")) throw c.unsupported("training_mode (export the model in evaluation instead)");
  if (!c.flag("spatial", true)) throw c.unsupported("spatial = 0");
  const [x, weight, bias, center, variance] = [0, 1, 2, 3, 4].map((i) => c.float(i));
  return fixedBatchNorm(x, weight, bias, center, variance, { eps: c.floatAttribute("epsilon", 1e-5) });
}

function groupNormalization(c: Call): Tensor {
  const x = c.float(0);
  const groups = c.int("num_groups", 1);
  const eps = c.floatAttribute("epsilon", 1e-5);
  const params = [c.float(1), c.float(2)];
  if (c.opset >= 21) return groupNorm(x, groups, params[0], params[1], { eps });
  // Before operator set 21 there is one scale per group.
  const spread = params.map((t) => reshape(expand(reshape(t, [groups, 1]), [groups, x.shape[1] / groups]), [x.shape[1]]));
  return groupNorm(x, groups, spread[0], spread[1], { eps });
}

function instanceNormalization(c: Call): Tensor {
  const x = c.float(0);
  return groupNorm(x, x.shape[1], c.float(1), c.float(2), { eps: c.floatAttribute("epsilon", 1e-5) });
}

function layerNormalization(c: Call): readonly Tensor[] {
  const x = c.float(0);
  const eps = c.floatAttribute("epsilon", 1e-5);
  const axis = c.axis(c.int("axis", -1), x.rank);
  const y = normalizedLayer(c, x, x.shape.slice(axis), eps);
  if (c.node.outputs.length === 1) return [y];
  const axes = x.shape.map((_, i) => i).slice(axis);
  const spread = variance(x, axes, { keepDims: true, correction: 0 });
  return [y, mean(x, axes, { keepDims: true }), f.rsqrt(f.affine(spread, 1, eps))];
}

function normalizedLayer(c: Call, x: Tensor, trailing: readonly number[], eps: number): Tensor {
  const scale = c.float(1);
  const bias = c.optional(2);
  if (sameShape(scale.shape, trailing) && (!bias || sameShape(bias.shape, trailing))) {
    return layerNorm(x, trailing, scale, bias ?? full(c.device, trailing, 0), { eps });
  }
  const y = f.mul(layerNorm(x, trailing, undefined, undefined, { eps }), scale);
  return bias ? f.add(y, bias) : y;
}

export const operators: Operators = {
  BatchNormalization: { device: batchNormalization, statistics: [3, 4] },
  GroupNormalization: { device: groupNormalization },
  InstanceNormalization: { device: instanceNormalization },
  LayerNormalization: { device: layerNormalization },
};
