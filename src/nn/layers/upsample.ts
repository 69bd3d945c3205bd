/** @file Layers that enlarge images: interpolation and pixel shuffle. */

import { expectArguments } from "../../host/kinds.ts";
import { interpolate, type InterpolateOptions } from "../../autograd/interpolate.ts";
import { pixelShuffle } from "../../autograd/pixel_shuffle.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import { Module } from "../module.ts";
import { interpolateNames } from "../../kernels/interpolate.ts";
import { expectOptions } from "../../host/options.ts";

/** `interpolate` as a layer, nearest by default as PyTorch's `Upsample`: `[N, C, spatial…]` → `[N, C, size…]`. Throws as `interpolate`. */
export class Upsample extends Module {
  private readonly options: InterpolateOptions;

  constructor(options: InterpolateOptions) {
    expectOptions("Upsample", options, interpolateNames);
    super();
    this.options = options;
  }

  forward(x: Tensor): Tensor {
    return interpolate(x, this.options);
  }
}

/** `pixelShuffle` as a layer: `[N, C·factorᵈ, size…]` → `[N, C, size·factor…]`. Throws `ShapeError` for other channels. */
export class PixelShuffle extends Module {
  private readonly factor: number;

  constructor(factor: number) {
    expectArguments("PixelShuffle", "number", { factor });
    super();
    this.factor = factor;
  }

  forward(x: Tensor): Tensor {
    return pixelShuffle(x, this.factor);
  }
}
