/** @file Activations of later operator sets and of onnxruntime's own domain, which its optimizer writes. */

import * as f from "../../../autograd/pointwise.ts";
import type { Tensor } from "../../../tensor/tensor.ts";
import type { Call } from "../call.ts";
import type { Operators } from "../operator.ts";

function shrink(c: Call): Tensor {
  const [x, edge, bias] = [c.float(0), c.floatAttribute("lambd", 0.5), c.floatAttribute("bias", 0)];
  return f.where(f.gt(x, edge), f.sub(x, bias), f.where(f.lt(x, -edge), f.add(x, bias), 0));
}

/** x, and the bias where there is one. */
const biased = (c: Call): Tensor => (c.has(1) ? f.add(c.float(0), c.float(1)) : c.float(0));

export const operators: Operators = {
  Shrink: { device: shrink },
  Swish: { device: (c) => f.silu(c.float(0), c.floatAttribute("alpha", 1)) },
  "com.microsoft::BiasGelu": { device: (c) => f.gelu(biased(c)) },
  "com.microsoft::FastGelu": { device: (c) => f.gelu(biased(c), { approximate: "tanh" }) },
  "com.microsoft::Gelu": { device: (c) => f.gelu(c.float(0)) },
  "com.microsoft::QuickGelu": { device: (c) => f.silu(c.float(0), c.floatAttribute("alpha", 1.702)) },
};
