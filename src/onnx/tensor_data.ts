/** @file The numbers of a TensorProto. */

import { sizeOf, type TypedArray, viewOf } from "../host/array.ts";
import { type ArrayType, elements } from "../host/elements.ts";
import { decodeElements, type ElementType } from "../weights/elements.ts";
import type { HostValue, Kind } from "./values.ts";
import type { OnnxTensor } from "./model.ts";
import type { Budget } from "../host/bytes/budget.ts";

interface Type {
  readonly name: string;
  readonly kind: Kind;
  /** As in other weight files: for types of half a byte the next wider one. */
  readonly element: ElementType;
  readonly bits: number;
  readonly array: ArrayType;
}

const whole: readonly (readonly [number, Type])[] = Object.entries(elements).map(
  ([, { kind, bytes, numpy, safetensors, onnx, array }]) => [
    onnx,
    { name: numpy, kind, bits: 8 * bytes, element: safetensors, array },
  ],
);

/** By the number in the file. */
export const types: Readonly<Record<number, Type>> = {
  ...Object.fromEntries(whole),
  21: { name: "uint4", kind: "int", bits: 4, element: "U8", array: Uint8Array },
  22: { name: "int4", kind: "int", bits: 4, element: "I8", array: Int8Array },
};

// What there is beside them, by onnx.proto. None of these can be computed with here.
const foreign: Readonly<Record<number, string>> = {
  8: "string",
  14: "complex64",
  15: "complex128",
  17: "float8e4m3fn",
  18: "float8e4m3fnuz",
  19: "float8e5m2",
  20: "float8e5m2fnuz",
  23: "float4e2m1",
  24: "float8e8m0",
  25: "uint2",
  26: "int2",
};

export const typeName = (type: number): string => types[type]?.name ?? foreign[type] ?? `type ${type}`;

/** Why a tensor cannot be read for its type; undefined if it can. */
export const unsupportedType = (t: OnnxTensor): string | undefined =>
  types[t.type] ? undefined : `its element type ${typeName(t.type)} is not supported`;

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
  const view = viewOf(bytes);
  return Float64Array.from({ length: bytes.length / 8 }, (_, i) => {
    const high = signed ? view.getInt32(8 * i + 4, true) : view.getUint32(8 * i + 4, true);
    return high * 2 ** 32 + view.getUint32(8 * i, true);
  });
}

/** Two to a byte, the lower half first. */
function halves(bytes: Uint8Array, size: number, signed: boolean): TypedArray {
  const data = new (signed ? Int8Array : Uint8Array)(size);
  for (let i = 0; i < size; i++) {
    const v = (bytes[i >> 1] >> (4 * (i & 1))) & 15;
    data[i] = signed && v > 7 ? v - 16 : v;
  }
  return data;
}

function decode({ bits, element }: Type, bytes: Uint8Array, size: number): TypedArray {
  if (bits === 4) return halves(bytes, size, element === "I8");
  return element === "I64" || element === "U64" ? whole64(bytes, element === "I64") : decodeElements(element, bytes);
}

// Small types keep their numbers as 32-bit fields; halves as their bits, and quarters two to a field.
function fromNumbers(type: Type, numbers: readonly number[], size: number): TypedArray {
  if (type.bits === 4) return decode(type, Uint8Array.from(numbers), size);
  if (type.element === "F16" || type.element === "BF16")
    return decode(type, new Uint8Array(Uint16Array.from(numbers).buffer), size);
  return new type.array(numbers);
}

/**
 * The numbers of a tensor.
 * @throws FormatError when shape and data disagree, for types that are not supported, and for data in other files without `external`
 */
export function decodeTensor(t: OnnxTensor, budget: Budget, external?: External): HostValue {
  const where = `tensor "${t.name}"`;
  const type = types[t.type];
  if (!type) throw budget.fail(`${where}: ${unsupportedType(t)}`);
  if (!t.dims.every((d) => Number.isSafeInteger(d) && d >= 0)) throw budget.fail(`${where} has the shape [${t.dims.join(", ")}]`);
  const size = sizeOf(t.dims);
  const wrong = (count: number) =>
    budget.fail(`${where} of shape [${t.dims.join(", ")}] needs ${size} values of ${type.name}, the file has ${count}`);
  const { kind, name } = type;
  const bytesOf = (count: number) => Math.ceil((count * type.bits) / 8);
  if (t.external.length > 0 || t.raw) {
    const bytes = t.raw && t.external.length === 0 ? t.raw : externalBytes(t, where, bytesOf(size), budget, external);
    if (bytes.length !== bytesOf(size)) throw wrong((8 * bytes.length) / type.bits);
    if (type.bits === 4) budget.take(size, where);
    // Halves double; the budget has room for that once per tensor, and tensors cannot share bytes.
    return { kind, shape: t.dims, type: name, data: decode(type, bytes, size) };
  }
  const given = type.bits === 4 ? Math.ceil(size / 2) : size;
  if (t.numbers.length !== given) throw wrong(t.numbers.length);
  return { kind, shape: t.dims, type: name, data: fromNumbers(type, t.numbers, size) };
}
