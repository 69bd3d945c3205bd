/** @file Interpolation with its gradient. */

import { interpolateNames, type InterpolateOptions, interpolateShape } from "../kernels/interpolate.ts";
import { resample, resampleGradient } from "../kernels/resample.ts";
import { expectKind } from "../tensor/kind.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { type Backward, record } from "./tape.ts";
import { expectOptions } from "../host/options.ts";
import { expectArguments } from "../host/kinds.ts";

export type { InterpolateMode, InterpolateOptions } from "../kernels/interpolate.ts";

/**
 * Images at another size, as PyTorch's `interpolate`.
 * @param x `[N, C, spatial…]` with 1 to 3 spatial axes
 * @returns `[N, C, size…]`
 * @throws ShapeError, ConfigError for options that do not fit together
 */
export function interpolate(x: Tensor, options: InterpolateOptions): Tensor {
  expectOptions("interpolate", options, interpolateNames);
  expectKind("interpolate", { x });
  expectArguments("interpolate", "object", { options });
  const { maps, outShape } = interpolateShape(x.shape, options);
  const backward: Backward = (dy) => [resampleGradient("interpolate", dy, maps, x.shape)];
  return record("interpolate", [x], resample("interpolate", x, maps, outShape), backward, { options });
}
