/** @file Patches put back into an image, those that overlap added: a transposed convolution whose kernels are single ones. */

import { convTranspose } from "../../../autograd/conv.ts";
import { pad } from "../../../autograd/pad.ts";
import { reshape } from "../../../autograd/view.ts";
import { sizeOf } from "../../../host/array.ts";
import { showShape } from "../../../host/shape.ts";
import { eye } from "../../../kernels/create.ts";
import type { Tensor } from "../../../tensor/tensor.ts";
import type { Call } from "../call.ts";
import type { Operators } from "../operator.ts";
import { expectLength } from "../window.ts";

function folded(c: Call): Tensor {
  const x = c.float(0);
  const [size, kernel] = [c.list(1)!, c.list(2)!];
  const dims = size.length;
  if (dims < 1 || dims > 3) throw c.unsupported(`an image of ${dims} axes`);
  const list = (name: string, fallback: number, least: number, count = dims) =>
    expectLength(c, name, c.ints(name) ?? new Array<number>(count).fill(fallback), count, least);
  const [stride, dilation, pads] = [list("strides", 1, 1), list("dilations", 1, 1), list("pads", 0, 0, 2 * dims)];
  const whole = size.map((n, i) => n + pads[i] + pads[i + dims]);
  const reach = kernel.map((k, i) => (k - 1) * dilation[i] + 1);
  const counts = whole.map((n, i) => Math.floor((n - reach[i]) / stride[i]) + 1);
  const [taps, places] = [sizeOf(kernel), sizeOf(counts)];
  const channels = x.shape[1] / taps;
  if (x.rank !== 3 || kernel.length !== dims || !Number.isInteger(channels) || x.shape[2] !== places)
    throw c.wrong(`${showShape(x.shape)} for patches [${kernel.join(", ")}] of an image [${size.join(", ")}]`);
  const patches = reshape(x, [x.shape[0] * channels, taps, ...counts]);
  const wide = convTranspose(patches, reshape(eye(c.device, taps), [taps, 1, ...kernel]), undefined, { stride, dilation });
  // Without the padding, and with zeros at the end where no patch reaches it.
  const ends = size.map((n, i) => [-pads[i], n + pads[i] - wide.shape[i + 2]]);
  return reshape(pad(wide, ends.toReversed().flat()), [x.shape[0], channels, ...size]);
}

export const operators: Operators = { Col2Im: { device: folded, known: [1, 2] } };
