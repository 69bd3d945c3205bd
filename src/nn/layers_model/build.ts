/** @file The module of each layer of a TensorFlow.js model. */

import { linear } from "../../autograd/matmul.ts";
import type { Device } from "../../tensor/device.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import type { TfjsOperation } from "../../weights/tfjs/operation.ts";
import { type ActivationSpec, activationLayer, PReLU } from "../layers/activation.ts";
import { Conv, ConvTranspose } from "../layers/conv.ts";
import { Dropout } from "../layers/dropout.ts";
import { Linear } from "../layers/linear.ts";
import { BatchNorm } from "../layers/norm.ts";
import { Upsample } from "../layers/upsample.ts";
import type { Module } from "../module.ts";
import { channelsFirst, channelsLast, cropped, joined, merged, padded, pooledGlobally, reshaped, scaled } from "./arrange.ts";
import { Pool, SameConv } from "./windows.ts";

/** A product over the channels, whatever the number of spatial axes. */
class ChannelLinear extends Linear {
  override forward(x: Tensor): Tensor {
    return channelsFirst(linear(channelsLast(x), this.weight, this.bias));
  }
}

const linearModes = ["linear", "bilinear", "trilinear"] as const;

export function build(device: Device, operation: TfjsOperation): Module {
  switch (operation.kind) {
    case "conv": {
      const { options } = operation;
      const strided = options.padding === "same" && options.stride.some((s) => s !== 1);
      return strided ? new SameConv(device, options) : new Conv(device, options);
    }
    case "convTranspose":
      return new ConvTranspose(device, operation.options);
    case "dense": {
      return new ChannelLinear(device, operation.options);
    }
    case "batchNorm": {
      const { channels, ...options } = operation.options;
      return new BatchNorm(device, channels, options);
    }
    case "prelu":
      return new PReLU(device, { numParameters: operation.channels });
    case "activation":
      return activationLayer(device, operation.act as ActivationSpec);
    case "dropout":
      return new Dropout(device, operation.rate, { channels: operation.channels });
    case "pool":
      return new Pool(operation);
    case "globalPool":
      return pooledGlobally(operation);
    case "upsample": {
      const { factor, mode } = operation;
      return new Upsample({ scaleFactor: factor, mode: mode === "nearest" ? mode : linearModes[factor.length - 1] });
    }
    case "pad":
      return padded(operation);
    case "crop":
      return cropped(operation);
    case "concat":
      return joined(operation);
    case "merge":
      return merged(operation);
    case "affine":
      return scaled(operation);
    case "reshape":
      return reshaped(operation);
  }
}
