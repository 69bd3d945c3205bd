/** @file Nodes of interpolation. */

import { type InterpolateOptions, interpolateShape } from "../../../kernels/interpolate.ts";
import type { Emitter, Emitters } from "../emission.ts";
import type { Attributes } from "./attributes.ts";
import { products } from "./products.ts";

const interpolate: Emitter = (e) => {
  const { builder, inputs } = e;
  const options = e.args.options as InterpolateOptions;
  const [from, to] = [e.tensors[0]!.shape.slice(2), e.result.shape.slice(2)];
  const { mode = "nearest", alignCorners = false } = options;
  if (mode === "area") return products(e, interpolateShape(e.tensors[0]!.shape, options).maps);
  const exact = mode === "nearest-exact";
  const attributes: Attributes = { axes: from.map((_, i) => i + 2) };
  if (mode === "nearest" || exact) {
    attributes.mode = "nearest";
    attributes.coordinate_transformation_mode = exact ? "half_pixel" : "asymmetric";
    attributes.nearest_mode = exact ? "round_prefer_ceil" : "floor";
  } else {
    attributes.mode = mode === "bicubic" ? "cubic" : "linear";
    attributes.coordinate_transformation_mode = alignCorners ? "align_corners" : "half_pixel";
  }
  // For images PyTorch's "nearest" ignores a factor that comes to the same size or twice it.
  const ignored = mode === "nearest" && from.length === 2 && from.every((n, i) => to[i] === n || to[i] === 2 * n);
  const factors = options.scaleFactor === undefined || ignored ? undefined : spatialFactors(options.scaleFactor, from.length);
  const scales = ignored ? from.map((n, i) => to[i] / n) : factors;
  if (scales) {
    const data = Float32Array.from(scales);
    return builder.node(
      "Resize",
      [inputs[0], undefined, builder.constant({ kind: "float", data, shape: [data.length] })],
      attributes,
    );
  }
  return builder.node("Resize", [inputs[0], undefined, undefined, builder.ints(to)], attributes);
};

const spatialFactors = (factor: number | readonly number[], dims: number): readonly number[] =>
  typeof factor === "number" ? new Array<number>(dims).fill(factor) : factor;

export const emitters: Emitters = { interpolate };
