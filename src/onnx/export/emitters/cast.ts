/** @file Nodes of conversions. */

import { elements } from "../../../host/elements.ts";
import type { DType } from "../../../host/array.ts";
import type { Emitter, Emitters } from "../emission.ts";

// In ONNX half precision is a matter of the whole model.
const cast: Emitter = ({ builder, inputs, args }) => {
  const dtype = args.dtype as DType;
  return dtype === "f16" ? undefined : builder.node("Cast", inputs, { to: elements[dtype].onnx });
};

export const emitters: Emitters = { cast };
