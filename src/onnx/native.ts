/** @file Operators whose meaning in ONNX has no equal among this library's: their note carries the node, so that a model can be exported again. */

import { type Backward, record } from "../autograd/tape.ts";
import type { Tensor } from "../tensor/tensor.ts";
import type { HostValue } from "./values.ts";

/** A number is an integer attribute; floats are wrapped. `float` holds it. */
export type AttributeValue = number | string | readonly number[] | { readonly float: number };

export interface NativeNode {
  readonly op: string;
  readonly attributes: Readonly<Record<string, AttributeValue>>;
  /** Known inputs after the first one; undefined for those left out. */
  readonly operands: readonly (HostValue | undefined)[];
}

/** Notes `y` as the result of an ONNX node applied to `x`. */
export function native(x: Tensor, y: Tensor, backward: Backward, node: NativeNode): Tensor {
  return record("onnx", [x], y, backward, { node });
}
