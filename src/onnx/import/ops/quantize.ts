/** @file Between floating numbers and quantized ones. */

import { cast } from "../../../autograd/cast.ts";
import * as f from "../../../autograd/pointwise.ts";
import { amax, amin } from "../../../autograd/reduce.ts";
import type { Tensor } from "../../../tensor/tensor.ts";
import { typeName } from "../../tensor_data.ts";
import { typed } from "../../values.ts";
import type { Call } from "../call.ts";
import type { Operator, Operators } from "../operator.ts";
import { along, blocks, centered, rounded, typeOfZero } from "../quantization.ts";

/** Scales and zero points against the input: one for all, one per element of an axis, or one per block of an axis. */
function spreads(c: Call): (i: number) => Tensor {
  const shape = c.shape(0);
  const block = c.int("block_size", 0);
  const whole = (i: number) => c.shape(i).reduce((n, d) => n * d, 1) === 1;
  // With one scale for all the axis has no meaning, and may be none of the input's.
  return (i) => {
    if (whole(i)) return along(c, i, shape.length, 0);
    const axis = c.axis(c.int("axis", 1), shape.length);
    return block > 0 ? blocks(c, i, axis, block, shape) : along(c, i, shape.length, axis);
  };
}

function quantize(c: Call): Tensor {
  const spread = spreads(c);
  const wanted = c.int("output_dtype", 0);
  const type = c.has(2) || wanted === 0 ? typeOfZero(c, 2) : typeName(wanted);
  return rounded(c, f.div(c.float(0), spread(1)), 2, type, spread);
}

function dequantize(c: Call): Tensor {
  const spread = spreads(c);
  return f.mul(centered(c, 0, 2, spread), spread(1));
}

/** Bytes that just hold the range of the input, with 0 among them. */
function quantizeByRange(c: Call): Tensor[] {
  const x = c.float(0);
  const [low, high] = [f.minimum(amin(x), 0), f.maximum(amax(x), 0)];
  const span = f.sub(high, low);
  // A true division: times 1/255 may be another float.
  const step = f.div(span, c.device.tensor({ data: [255], shape: [] }));
  const scale = f.where(f.eq(span, 0), 1, step);
  const zero = f.round(f.clamp(f.neg(f.div(low, scale)), 0, 255));
  const y = f.clamp(f.add(f.round(f.div(x, scale)), zero), 0, 255);
  return [typed(cast(y, "i32"), "uint8"), scale, typed(cast(zero, "i32"), "uint8")];
}

const [dequantizing, quantizing]: Operator[] = [
  { device: dequantize, statistics: [1] },
  { device: quantize, statistics: [1] },
];

export const operators: Operators = {
  DequantizeLinear: dequantizing,
  DynamicQuantizeLinear: { device: quantizeByRange },
  QuantizeLinear: quantizing,
  "com.microsoft::DequantizeLinear": dequantizing,
  "com.microsoft::QuantizeLinear": quantizing,
};
