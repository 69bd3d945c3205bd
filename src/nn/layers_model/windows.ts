/** @file Layers with a window that pads as TensorFlow does: by the size of the input, and the end more than the start where it is odd. */

import { conv } from "../../autograd/conv.ts";
import { pad } from "../../autograd/pad.ts";
import { div } from "../../autograd/pointwise.ts";
import { avgPool, maxPool } from "../../autograd/pool.ts";
import { full } from "../../kernels/view.ts";
import type { Device } from "../../tensor/device.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import type { TfjsOperation } from "../../weights/tfjs/operation.ts";
import { Conv } from "../layers/conv.ts";
import { expectImage, Module } from "../module.ts";

type Operation<K extends TfjsOperation["kind"]> = Extract<TfjsOperation, { readonly kind: K }>;
type Ends = readonly [number, number];

function sameEnds(
  size: readonly number[],
  kernel: readonly number[],
  stride: readonly number[],
  dilation: readonly number[],
): Ends[] {
  return size.map((n, i): Ends => {
    const total = Math.max(0, (Math.ceil(n / stride[i]) - 1) * stride[i] + (kernel[i] - 1) * dilation[i] + 1 - n);
    return [Math.floor(total / 2), Math.ceil(total / 2)];
  });
}

/** A convolution with a stride and the padding "same". */
export class SameConv extends Conv {
  private readonly geometry: Operation<"conv">["options"];

  constructor(device: Device, options: Operation<"conv">["options"]) {
    super(device, { ...options, padding: 0 });
    this.geometry = options;
  }

  override forward(x: Tensor): Tensor {
    const { spatialDims, inChannels, kernelSize, stride, dilation, groups } = this.geometry;
    expectImage("SameConv", x, spatialDims, inChannels);
    const padding = sameEnds(x.shape.slice(2), kernelSize, stride, dilation);
    return conv(x, this.weight, this.bias, { stride, dilation, groups, padding });
  }
}

const lowest = -3.4028234663852886e38;

/** A pool that leaves the padding out: of maxima, and of the numbers that an average is over. */
export class Pool extends Module {
  private readonly operation: Operation<"pool">;

  constructor(operation: Operation<"pool">) {
    super();
    this.operation = operation;
  }

  forward(x: Tensor): Tensor {
    const { of, options } = this.operation;
    const { kernelSize, stride, padding } = options;
    const size = x.shape.slice(2);
    const ends =
      padding === "same"
        ? sameEnds(
            size,
            kernelSize,
            stride,
            kernelSize.map(() => 1),
          )
        : [];
    const window = { kernelSize, stride };
    if (ends.every(([a, b]) => a + b === 0)) return of === "max" ? maxPool(x, window) : avgPool(x, window);
    const widths = ends.toReversed().flat();
    if (of === "max") return maxPool(pad(x, widths, { value: lowest }), window);
    // The share of each window that lies inside.
    const inside = avgPool(pad(full(x.device, [1, 1, ...size], 1), widths), window);
    return div(avgPool(pad(x, widths), window), inside);
  }
}
