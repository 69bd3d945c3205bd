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
  const factors = scalesOf(options, from, to);
  if (!factors) return builder.node("Resize", [inputs[0], undefined, undefined, builder.ints(to)], attributes);
  // Runtimes copy what keeps its size, whatever the scales say.
  if (from.every((n, i) => n === to[i]) && factors.some((f) => f !== 1))
    return products(e, interpolateShape(e.tensors[0]!.shape, options).maps);
  const scales = builder.constant({ kind: "float", data: Float32Array.from(factors), shape: [factors.length] });
  return builder.node("Resize", [inputs[0], undefined, scales], attributes);
};

/** The factors of the axes; undefined where the sizes alone count. */
function scalesOf(
  { scaleFactor, recomputeScaleFactor = false, mode = "nearest" }: InterpolateOptions,
  from: readonly number[],
  to: readonly number[],
): number[] | undefined {
  if (scaleFactor === undefined) return undefined;
  const given = typeof scaleFactor === "number" ? new Array<number>(from.length).fill(scaleFactor) : scaleFactor;
  // As PyTorch: "nearest" of images ignores a factor that comes to the same size or twice it, linear modes one that comes to the same.
  const ignored = from.map((n, i) =>
    mode === "nearest" ? from.length === 2 && (to[i] === n || to[i] === 2 * n) : mode.endsWith("linear") && to[i] === n,
  );
  const factors = given.map((f, i) => (recomputeScaleFactor || ignored[i] ? to[i] / from[i] : f));
  return factors.every((f, i) => f === given[i] || ignored[i]) ? factors : undefined;
}

export const emitters: Emitters = { interpolate };
