/** @file What is uploaded: arrays of the host, checked, as the element type of a tensor. */

import { type DType, type HostArray, sizeOf, type TypedArray } from "../host/array.ts";
import { DataError, DTypeError, ShapeError } from "../host/errors.ts";
import { expectArguments, expectFull } from "../host/kinds.ts";
import { expectShape, type Shape, showShape } from "../host/shape.ts";

/** Throws `ShapeError` unless there are as many values as the shape says, and as a tensor of `shape` has. */
export function expectUpload(op: string, host: HostArray | { data: readonly number[]; shape: Shape }, shape?: Shape): void {
  // A bare array is the slip of whoever comes from another library.
  const data: unknown = (host as Partial<HostArray> | null | undefined)?.data;
  if (!Array.isArray(data) && !ArrayBuffer.isView(data)) {
    throw new ShapeError(`${op}: expected { data, shape }, such as ${op}({ data: [1, 2, 3, 4], shape: [2, 2] })`);
  }
  expectArguments(op, "weights", { data });
  expectShape(op, host.shape);
  expectFull(op, "the array", host);
  if (shape && sizeOf(shape) !== host.data.length)
    throw new ShapeError(
      `${op}: ${host.data.length} values of shape ${showShape(host.shape)} do not fill a tensor of shape ${showShape(shape)}`,
    );
}

/** Values without their fractions. Throws `DataError` for one that the type does not hold, which would come out as another number. */
function whole<A extends Int32Array | Uint32Array>(data: TypedArray | readonly number[], out: A, low: number, high: number): A {
  for (let i = 0; i < data.length; i++) {
    const value = Math.trunc(data[i]);
    if (!(value >= low && value <= high))
      throw new DataError(
        `upload: the value ${data[i]} at ${i} does not fit ${low < 0 ? "i32" : "u32"}, which holds ${low} to ${high}`,
      );
    out[i] = value;
  }
  return out;
}

/** Values as the device has them. Throws `DTypeError` for f16, `DataError` for numbers outside of an integer type. */
export function convert(data: TypedArray | readonly number[], dtype: DType): Float32Array | Int32Array | Uint32Array {
  switch (dtype) {
    case "f32":
      return data instanceof Float32Array ? data : Float32Array.from(data);
    case "i32":
      return data instanceof Int32Array ? data : whole(data, new Int32Array(data.length), -(2 ** 31), 2 ** 31 - 1);
    case "u32":
      return data instanceof Uint32Array ? data : whole(data, new Uint32Array(data.length), 0, 2 ** 32 - 1);
    case "f16":
      throw new DTypeError("device.write: f16 tensors are made on the device by a cast, not uploaded");
  }
}
