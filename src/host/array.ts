/** @file Arrays in host memory: what files, transforms and read-backs produce and what the device takes in. */

import { className } from "./class_name.ts";
import { expectArguments } from "./kinds.ts";

/** Element types of device tensors. */
export type DType = "f32" | "f16" | "i32" | "u32";

/** Arrays of numbers that hold host data; 64-bit integers have none and are kept as float64. */
export type TypedArray =
  | Float32Array
  | Float64Array
  | Int32Array
  | Uint32Array
  | Int16Array
  | Uint16Array
  | Int8Array
  | Uint8Array;

/** An n-dimensional array in host memory: row-major (last axis fastest), images channel-first. */
export interface HostArray<A extends TypedArray = TypedArray> {
  /** The elements, as many as `shape` says. */
  readonly data: A;
  /** Length of each axis, the slowest first; `[]` for a scalar. */
  readonly shape: readonly number[];
}

/** Number of elements of a shape; 1 for a scalar (`[]`). */
export function sizeOf(shape: readonly number[]): number {
  if (!Array.isArray(shape)) expectArguments("sizeOf", "numbers", { shape });
  let n = 1;
  for (const d of shape) n *= d;
  return n;
}

/** Whether an array holds whole numbers and nothing else. By its name: arrays of another window, and of half floats, are instances of none of the classes above. */
export const holdsIntegers = (data: TypedArray): boolean => !className(data).startsWith("Float");

/** The bytes of an array's elements, in the same memory. */
export const bytesOf = ({ buffer, byteOffset, byteLength }: ArrayBufferView): Uint8Array =>
  new Uint8Array(buffer, byteOffset, byteLength);

/** A view of the bytes of an array, in the same memory. */
export const viewOf = ({ buffer, byteOffset, byteLength }: ArrayBufferView): DataView =>
  new DataView(buffer, byteOffset, byteLength);
