/** @file Convolutions. */

import { conv, convTranspose } from "../../../autograd/conv.ts";
import { pad } from "../../../autograd/pad.ts";
import { add } from "../../../autograd/pointwise.ts";
import { reshape } from "../../../autograd/view.ts";
import type { Tensor } from "../../../tensor/tensor.ts";
import type { Call } from "../call.ts";
import type { Operators } from "../operator.ts";
import { autoPads, type Ends, expectLength, window } from "../window.ts";

export function convolution(c: Call): Tensor {
  const [x, weight] = [c.float(0), c.float(1)];
  const { stride, dilation, pads } = window(c, x.shape.slice(2), weight.shape.slice(2));
  return conv(x, weight, c.optional(2), { stride, dilation, padding: pads, groups: c.int("group", 1) });
}

function transposed(c: Call): Tensor {
  const [x, weight, bias] = [c.float(0), c.float(1), c.optional(2)];
  const size = x.shape.slice(2);
  const { stride, dilation, reach, pads } = window(c, size, weight.shape.slice(2));
  const extra = expectLength(c, "output_padding", c.ints("output_padding") ?? size.map(() => 0), size.length, 0);
  const wanted = c.ints("output_shape")?.slice(-size.length);
  const auto = c.choice("auto_pad", autoPads);
  const same = auto === "SAME_UPPER" || auto === "SAME_LOWER";
  const whole = size.map((n, i) => (n - 1) * stride[i] + reach[i]);
  // What is taken away at each end so that the result has the size that is asked for; negative where it must grow.
  const ends = size.map((n, i): Ends => {
    if (!wanted && !same) return [pads[i][0], pads[i][1] - extra[i]];
    const total = whole[i] + extra[i] - (wanted ? wanted[i] : n * stride[i]);
    const [less, more] = [Math.floor(total / 2), Math.ceil(total / 2)];
    const [before, after] = total < 0 ? [0, total] : auto === "SAME_UPPER" ? [less, more] : [more, less];
    return [before, after - extra[i]];
  });
  const options = { stride, dilation, groups: c.int("group", 1) };
  const padding = ends.map(([before, after]): Ends => [Math.max(0, before), Math.max(0, after)]);
  const outputPadding = ends.map(([, after]) => Math.max(0, -after));
  const fits = outputPadding.every((e, i) => e < Math.max(stride[i], dilation[i])) && ends.every(([before]) => before >= 0);
  if (fits) return convTranspose(x, weight, bias, { ...options, padding, outputPadding });
  const y = pad(
    convTranspose(x, weight, undefined, options),
    ends.toReversed().flatMap(([before, after]) => [-before, -after]),
  );
  return bias ? add(y, reshape(bias, [1, bias.size, ...size.map(() => 1)])) : y;
}

export const operators: Operators = { Conv: { device: convolution }, ConvTranspose: { device: transposed } };
