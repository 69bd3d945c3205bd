/**
 * @file Indices of maxima. ONNX counts them over the whole tensor, this library inside each plane. They stay as the kernel gives them as long
 * as they only go to MaxUnpool, and are converted where anything else looks at them.
 */

import { cast } from "../../autograd/cast.ts";
import { add } from "../../autograd/pointwise.ts";
import { sizeOf } from "../../host/array.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import type { Call } from "./call.ts";

// The size of the plane that they count in.
const planes = new WeakMap<Tensor, number>();

/** Marks indices inside planes of `size`. */
export function planeIndices(indices: Tensor, size: readonly number[]): Tensor {
  planes.set(indices, sizeOf(size));
  return indices;
}

const exact = 2 ** 24;

function shifted(c: Call, indices: Tensor, plane: number, sign: 1 | -1): Tensor {
  const [n, channels] = indices.shape;
  if (n * channels * plane > exact) throw c.unsupported(`arithmetic with indices into more than ${exact} elements`);
  const offsets = Float32Array.from({ length: n * channels }, (_, i) => sign * i * plane);
  const shape = [n, channels, ...indices.shape.slice(2).map(() => 1)];
  return cast(add(cast(indices, "f32"), c.device.tensor({ data: offsets, shape })), "i32");
}

/** Indices over the whole tensor. Tensors that are no marked indices come back as they are. */
export function toTensorIndices(c: Call, t: Tensor): Tensor {
  const plane = planes.get(t);
  return plane === undefined ? t : shifted(c, t, plane, 1);
}

/** Indices inside planes of `size`. */
export function toPlaneIndices(c: Call, t: Tensor, size: readonly number[]): Tensor {
  const plane = planes.get(t);
  if (plane === sizeOf(size)) return t;
  return shifted(c, toTensorIndices(c, t), sizeOf(size), -1);
}
