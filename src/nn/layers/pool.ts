/** @file Pooling layers for 1, 2 and 3 spatial axes. */

import { expectArguments } from "../../host/kinds.ts";
import { adaptiveAvgPool, avgPool, type AvgPoolOptions, maxPool, type MaxPoolOptions } from "../../autograd/pool.ts";
import { expectOptions } from "../../host/options.ts";
import type { Spatial } from "../../host/shape.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import { Module } from "../module.ts";
import { maxPoolNames, avgPoolNames } from "../../kernels/pool.ts";

/** `maxPool` as a layer: `[N, C, spatial…]` → `[N, C, smaller…]`. `forward` throws `ShapeError` for windows that do not fit. */
export class MaxPool extends Module {
  private readonly options: MaxPoolOptions;

  constructor(options: MaxPoolOptions) {
    expectOptions("MaxPool", options, maxPoolNames);
    super();
    this.options = options;
  }

  forward(x: Tensor): Tensor {
    return maxPool(x, this.options);
  }
}

/** `avgPool` as a layer: `[N, C, spatial…]` → `[N, C, smaller…]`. `forward` throws `ShapeError` for windows that do not fit. */
export class AvgPool extends Module {
  private readonly options: AvgPoolOptions;

  constructor(options: AvgPoolOptions) {
    expectOptions("AvgPool", options, avgPoolNames);
    super();
    this.options = options;
  }

  forward(x: Tensor): Tensor {
    return avgPool(x, this.options);
  }
}

/** `adaptiveAvgPool` as a layer: `[N, C, spatial…]` → `[N, C, outputSize…]`. `forward` throws `ShapeError`. */
export class AdaptiveAvgPool extends Module {
  private readonly outputSize: Spatial;

  constructor(outputSize: Spatial) {
    expectArguments("AdaptiveAvgPool", "spread", { outputSize });
    super();
    this.outputSize = outputSize;
  }

  forward(x: Tensor): Tensor {
    return adaptiveAvgPool(x, this.outputSize);
  }
}
