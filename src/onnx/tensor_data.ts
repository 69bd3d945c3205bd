/** @file The numbers of a TensorProto. */

import { sizeOf, type TypedArray } from "../host/array.ts";
import { elements } from "../host/elements.ts";
import { decodeElements, type ElementType } from "../weights/elements.ts";
import type { HostValue, Kind } from "./values.ts";
import type { OnnxTensor } from "./model.ts";
import type { Budget } from "../host/bytes/budget.ts";

interface Type {
  readonly name: string;
  readonly kind: Kind;
  /** As in other weight files; absent for the two of 64 bits, whose values may be beyond 2⁵³ here. */
  readonly element?: ElementType;
  readonly bytes: number;
}

/** By the number in the file. Strings, complex numbers and types below 8 bits are not here. */
export const types: Readonly<Record<number, Type>> = Object.fromEntries(
  Object.entries(elements).map(([name, { kind, bytes, numpy, safetensors, onnx }]): [number, Type] => [
    onnx,
    { name: numpy, kind, bytes, element: name === "i64" || name === "u64" ? undefined : safetensors },
  ]),
);

export const typeName = (type: number): string => types[type]?.name ?? `type ${type}`;

/** Bytes of a tensor that lie in another file, by its name there. */
export type External = (location: string) => Uint8Array;

function externalBytes(t: OnnxTensor, where: string, size: number, budget: Budget, external: External | undefined): Uint8Array {
  const { location = "", offset = "0", length } = Object.fromEntries(t.external);
  if (!external) {
    throw budget.fail(`${where} lies in another file ("${location}"); give its bytes with the option external`);
  }
  if (location === "" || /(^|[\\/])\.\.([\\/]|$)|^[\\/]|^[a-z]+:/i.test(location)) {
    throw budget.fail(`${where} lies in "${location}", which is not a name below the folder of the model`);
  }
  const bytes = external(location);
  const [start, count] = [Number(offset), length === undefined ? size : Number(length)];
  if (!Number.isSafeInteger(start) || start < 0 || count !== size || start + size > bytes.length) {
    throw budget.fail(
      `${where}: bytes ${offset} to ${start + count} of "${location}" (${bytes.length} bytes) are not its ${size} bytes`,
    );
  }
  return bytes.subarray(start, start + size);
}

function whole64(bytes: Uint8Array, signed: boolean): Float64Array {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return Float64Array.from({ length: bytes.length / 8 }, (_, i) => {
    const high = signed ? view.getInt32(8 * i + 4, true) : view.getUint32(8 * i + 4, true);
    return high * 2 ** 32 + view.getUint32(8 * i, true);
  });
}

const decode = (type: Type, bytes: Uint8Array): TypedArray =>
  type.element ? decodeElements(type.element, bytes) : whole64(bytes, type.name === "int64");

// Small types keep their numbers as 32-bit fields; halves as their bits.
function fromNumbers(type: Type, numbers: readonly number[]): TypedArray {
  if (type.element === "F16" || type.element === "BF16") {
    return decode(type, new Uint8Array(Uint16Array.from(numbers).buffer));
  }
  if (type.element === "F32") return Float32Array.from(numbers);
  return type.bytes < 8 && type.element !== "U32" ? Int32Array.from(numbers) : Float64Array.from(numbers);
}

/**
 * The numbers of a tensor.
 * @throws FormatError when shape and data disagree, for types that are not supported, and for data in other files without `external`
 */
export function decodeTensor(t: OnnxTensor, budget: Budget, external?: External): HostValue {
  const where = `tensor "${t.name}"`;
  const type = types[t.type];
  if (!type) throw budget.fail(`${where} has element ${typeName(t.type)}, which is not supported`);
  if (!t.dims.every((d) => Number.isSafeInteger(d) && d >= 0)) throw budget.fail(`${where} has the shape [${t.dims.join(", ")}]`);
  const size = sizeOf(t.dims);
  const wrong = (count: number) =>
    budget.fail(`${where} of shape [${t.dims.join(", ")}] needs ${size} values of ${type.name}, the file has ${count}`);
  const { kind } = type;
  if (t.external.length > 0 || t.raw) {
    const bytes = t.raw && t.external.length === 0 ? t.raw : externalBytes(t, where, size * type.bytes, budget, external);
    if (bytes.length !== size * type.bytes) throw wrong(bytes.length / type.bytes);
    // Halves double; the budget has room for that once per tensor, and tensors cannot share bytes.
    return { kind, shape: t.dims, data: decode(type, bytes) };
  }
  if (t.numbers.length !== size) throw wrong(t.numbers.length);
  return { kind, shape: t.dims, data: fromNumbers(type, t.numbers) };
}
