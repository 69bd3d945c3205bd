/** @file Attributes that many operations of TensorFlow share. */

import type { AttributeInput } from "./builder.ts";
import type { TfNode } from "./graph_def.ts";

/** The entries of a list such as `strides` that stand for space; 1 each if it is missing. */
export function spatialOf(node: TfNode, key: string, rank: number): number[] {
  const list = node.integers(key) ?? Array.from({ length: rank }, () => 1);
  if (list.length !== rank || list[0] !== 1 || list[rank - 1] !== 1)
    throw node.fail(`${key} is [${list.join(", ")}]; expected ${rank} numbers, of which the first and the last are 1`);
  return list.slice(1, -1);
}

/** Throws `FormatError` for images with the channels first, which TensorFlow.js does not run either. */
export function expectChannelsLast(node: TfNode): void {
  const format = node.text("data_format", "NHWC");
  if (format !== "NHWC" && format !== "NDHWC" && format !== "")
    throw node.fail(`data_format ${format} is not supported, only channels last`);
}

/** Strides and padding as ONNX names them. */
export function windowAttributes(node: TfNode, rank: number): Record<string, AttributeInput> {
  expectChannelsLast(node);
  const strides = spatialOf(node, "strides", rank);
  const padding = node.text("padding", "VALID");
  if (padding === "SAME") return { strides, auto_pad: "SAME_UPPER" };
  if (padding === "VALID") return { strides, auto_pad: "VALID" };
  const ends = node.integers("explicit_paddings");
  if (padding !== "EXPLICIT" || ends?.length !== 2 * rank) throw node.fail(`padding ${padding} is not supported`);
  const at = (end: number) => Array.from({ length: rank - 2 }, (_, i) => ends[2 * (i + 1) + end]);
  return { strides, pads: [...at(0), ...at(1)] };
}
