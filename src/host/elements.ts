/**
 * @file Element types of arrays and what libraries and file formats call them: one row per type, from which each room reads the column that it
 * needs. The order of the rows is that of messages that list what is supported.
 */

import type { TypedArray } from "./array.ts";
import { className } from "./class_name.ts";

/** A class of typed arrays. */
export interface ArrayType<A extends TypedArray = TypedArray> {
  readonly BYTES_PER_ELEMENT: number;
  new (length: number): A;
  new (values: ArrayLike<number>): A;
  new (buffer: ArrayBufferLike, byteOffset: number, length: number): A;
}

/** What is known of an element type. */
export interface ElementInfo {
  readonly kind: "float" | "int" | "bool";
  /** Bytes per element in files and in device memory. */
  readonly bytes: number;
  /** Holds the values in host memory, those of 64-bit integers up to 2⁵³. */
  readonly array: ArrayType;
  /** Whether `array` is of this very type and not of a wider one. */
  readonly native: boolean;
  /** The word of NumPy, PyTorch, TensorFlow.js and ONNX. */
  readonly numpy: string;
  /** NumPy's short name without the byte order. */
  readonly short?: string;
  readonly safetensors: string;
  /** PyTorch's class of storages. */
  readonly storage?: string;
  /** `datatype` of NIfTI-1 and NIfTI-2. */
  readonly nifti?: number;
  /** `TensorProto.DataType` of ONNX. */
  readonly onnx?: number;
}

/** All element types by our own names. */
// oxfmt-ignore
export const elements = {
  f64:  { kind: "float", bytes: 8, array: Float64Array, native: true,  numpy: "float64",  short: "f8", safetensors: "F64",  storage: "DoubleStorage",   nifti: 64,   onnx: 11 },
  f32:  { kind: "float", bytes: 4, array: Float32Array, native: true,  numpy: "float32",  short: "f4", safetensors: "F32",  storage: "FloatStorage",    nifti: 16,   onnx: 1 },
  f16:  { kind: "float", bytes: 2, array: Float32Array, native: false, numpy: "float16",  short: "f2", safetensors: "F16",  storage: "HalfStorage",                  onnx: 10 },
  bf16: { kind: "float", bytes: 2, array: Float32Array, native: false, numpy: "bfloat16",              safetensors: "BF16", storage: "BFloat16Storage",              onnx: 16 },
  i64:  { kind: "int",   bytes: 8, array: Float64Array, native: false, numpy: "int64",    short: "i8", safetensors: "I64",  storage: "LongStorage",     nifti: 1024, onnx: 7 },
  u64:  { kind: "int",   bytes: 8, array: Float64Array, native: false, numpy: "uint64",   short: "u8", safetensors: "U64",                              nifti: 1280, onnx: 13 },
  i32:  { kind: "int",   bytes: 4, array: Int32Array,   native: true,  numpy: "int32",    short: "i4", safetensors: "I32",  storage: "IntStorage",      nifti: 8,    onnx: 6 },
  u32:  { kind: "int",   bytes: 4, array: Uint32Array,  native: true,  numpy: "uint32",   short: "u4", safetensors: "U32",                              nifti: 768,  onnx: 12 },
  i16:  { kind: "int",   bytes: 2, array: Int16Array,   native: true,  numpy: "int16",    short: "i2", safetensors: "I16",  storage: "ShortStorage",    nifti: 4,    onnx: 5 },
  u16:  { kind: "int",   bytes: 2, array: Uint16Array,  native: true,  numpy: "uint16",   short: "u2", safetensors: "U16",                              nifti: 512,  onnx: 4 },
  i8:   { kind: "int",   bytes: 1, array: Int8Array,    native: true,  numpy: "int8",     short: "i1", safetensors: "I8",   storage: "CharStorage",     nifti: 256,  onnx: 3 },
  u8:   { kind: "int",   bytes: 1, array: Uint8Array,   native: true,  numpy: "uint8",    short: "u1", safetensors: "U8",   storage: "ByteStorage",     nifti: 2,    onnx: 2 },
  bool: { kind: "bool",  bytes: 1, array: Uint8Array,   native: false, numpy: "bool",     short: "b1", safetensors: "BOOL", storage: "BoolStorage",                  onnx: 9 },
} as const satisfies Record<string, ElementInfo>;

type Table = typeof elements;

/** Our own names. */
export type ElementName = keyof Table;

/** Names of the types that typed arrays have. */
export type NativeName = { [N in ElementName]: Table[N]["native"] extends true ? N : never }[ElementName];

/** What the types are called in a column, e.g. `ForeignName<"safetensors">` or `ForeignName<"numpy", NativeName>`. */
export type ForeignName<C extends "numpy" | "safetensors", N extends ElementName = ElementName> = Table[N][C];

const names = Object.keys(elements) as ElementName[];

/** The types that typed arrays have, in the order of the table. */
export const nativeNames = names.filter((name): name is NativeName => elements[name].native);

/** Our names by those of a column; types that have none there are left out. */
export function elementsBy(
  column: "numpy" | "short" | "safetensors" | "storage" | "nifti" | "onnx",
): ReadonlyMap<unknown, ElementName> {
  return new Map(
    names.flatMap((name): [unknown, ElementName][] => {
      const foreign = (elements[name] as ElementInfo)[column];
      return foreign === undefined ? [] : [[foreign, name]];
    }),
  );
}

/** The element type of a typed array; undefined for arrays that no row has, such as those of 64-bit integers. */
export const nativeOf = (data: TypedArray): NativeName | undefined =>
  nativeNames.find((name) => elements[name].array.name === className(data));

/** Least and greatest value of an integer type; undefined for others. */
export function integerRange(name: ElementName): readonly [number, number] | undefined {
  const { kind, bytes } = elements[name];
  if (kind !== "int") return undefined;
  const span = 2 ** (8 * bytes);
  return name.startsWith("u") ? [0, span - 1] : [-span / 2, span / 2 - 1];
}
