/**
 * @file Element types of weight files and how their bytes become typed arrays and back. Typed arrays have the byte order of the host, which is
 * little-endian wherever WebGPU runs, as are the files.
 */
import type { HostArray, TypedArray } from "../host/array.ts";
import { type ElementName, elements, type ForeignName, nativeOf } from "../host/elements.ts";
import { DTypeError } from "../host/errors.ts";
import { roundHalfEven } from "../host/rounding.ts";

/** Element types of weight files, by their names in safetensors. */
export type ElementType = ForeignName<"safetensors">;

/**
 * A tensor of a weight file. `dtype` is the type in the file; `data` holds F16 and BF16 as float32, I64 and U64 as exact float64 and BOOL as
 * bytes. Tensors that share memory in the file may share it here: take `data` as read-only.
 */
export interface WeightTensor extends HostArray {
  /** Element type in the file, or the next wider one. */
  readonly dtype: ElementType;
  /** The type in the file where `dtype` is not it but the next wider one: "int4", "uint4". */
  readonly storedAs?: string;
}

interface Codec {
  /** Bytes per element in the file. */
  readonly bytes: number;
  /** Bytes per element of the typed array. */
  readonly hostBytes: number;
  /** The values of `length` elements that begin at the aligned address `at`: a view of the buffer or a new array. */
  decode(buffer: ArrayBuffer, at: number, length: number): TypedArray;
  encode(data: TypedArray): ArrayBufferView;
}

const codecOf = (name: ElementName): Codec => {
  const { array, bytes } = elements[name];
  if (name === "f16") return half(f16ToNumber, numberToF16);
  if (name === "bf16") return half((bits) => floatOfBits(bits << 16), numberToBf16);
  if (name === "i64") return whole("I64", BigInt64Array);
  if (name === "u64") return whole("U64", BigUint64Array);
  return {
    bytes,
    hostBytes: bytes,
    decode: (buffer, at, length) => new array(buffer, at, length),
    encode: (data) => (data instanceof array ? data : new array(data)),
  };
};

/** How each type is read and written, by its name in safetensors. */
export const ELEMENTS = Object.fromEntries(
  (Object.keys(elements) as ElementName[]).map((name) => [elements[name].safetensors, codecOf(name)]),
) as Readonly<Record<ElementType, Codec>>;

/** An integer of 64 bits that float64 cannot hold. */
export class InexactIntegerError extends RangeError {}

export const isElementType = (dtype: string): dtype is ElementType => Object.hasOwn(ELEMENTS, dtype);

/** Whether values take more memory than in the file. */
export const widens = (dtype: ElementType): boolean => ELEMENTS[dtype].hostBytes > ELEMENTS[dtype].bytes;

/**
 * `bytes` as values.
 * @param bytes elements of the type, one after the other
 * @param owned the values may take the place of the bytes; by default they are a copy
 * @throws InexactIntegerError for integers that float64 cannot hold
 */
export function decodeElements(dtype: ElementType, bytes: Uint8Array, owned = false): TypedArray {
  const codec: Codec = ELEMENTS[dtype];
  const aligned = bytes.byteOffset % codec.bytes === 0;
  // What widens gets a new array anyway: it may be read in place. Not bytes.slice: that of a Node Buffer shares its memory.
  const own = aligned && (owned || widens(dtype)) ? bytes : new Uint8Array(bytes);
  return codec.decode(own.buffer as ArrayBuffer, own.byteOffset, own.length / codec.bytes);
}

/** The element type of a typed array. @throws DTypeError for one that has none */
export function elementTypeOf(data: TypedArray): ElementType {
  const native = nativeOf(data);
  if (native) return elements[native].safetensors;
  // By name: not every engine has the first.
  const { name } = data.constructor;
  if (name === "Float16Array") return "F16";
  if (name === "Uint8ClampedArray") return "U8";
  throw new DTypeError(`a ${name} has no element type of weight files; convert it to one of the other typed arrays`);
}

// Loops instead of `from(data, map)`, which collects the values in a list first: ten times the memory and the time.
function half(decode: (bits: number) => number, encode: (value: number) => number): Codec {
  return {
    bytes: 2,
    hostBytes: 4,
    decode(buffer, at, length) {
      const bits = new Uint16Array(buffer, at, length);
      const values = new Float32Array(length);
      for (let i = 0; i < length; i++) values[i] = decode(bits[i]);
      return values;
    },
    encode(data) {
      const bits = new Uint16Array(data.length);
      for (let i = 0; i < bits.length; i++) bits[i] = encode(data[i]);
      return bits;
    },
  };
}

function whole(name: string, type: typeof BigInt64Array | typeof BigUint64Array): Codec {
  return {
    bytes: 8,
    hostBytes: 8,
    decode(buffer, at, length) {
      const bits = new type(buffer, at, length);
      // In place: the buffer is a copy of ours, and a word is read before it is written.
      const values = new Float64Array(buffer, at, length);
      for (let i = 0; i < length; i++) {
        const n = Number(bits[i]);
        if (!Number.isSafeInteger(n))
          throw new InexactIntegerError(`the ${name} value ${bits[i]} is beyond the exact integers of float64`);
        values[i] = n;
      }
      return values;
    },
    encode(data) {
      const words = new type(data.length);
      for (let i = 0; i < words.length; i++) words[i] = BigInt(data[i]);
      return words;
    },
  };
}

const floats = new Float32Array(1);
const words = new Uint32Array(floats.buffer);

function floatOfBits(bits: number): number {
  words[0] = bits;
  return floats[0];
}

function bitsOfFloat(value: number): number {
  floats[0] = value;
  return words[0];
}

function f16ToNumber(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 31;
  const fraction = bits & 1023;
  if (exponent === 31) return fraction ? NaN : sign * Infinity;
  return exponent === 0 ? sign * fraction * 2 ** -24 : sign * (1024 + fraction) * 2 ** (exponent - 25);
}

/** Nearest float16, ties to even; beyond its range infinity. */
function numberToF16(value: number): number {
  const x = Math.abs(value);
  const sign = value < 0 || Object.is(value, -0) ? 0x8000 : 0;
  if (Number.isNaN(value)) return 0x7e00;
  if (x >= 65520) return sign | 0x7c00;
  // Scaled so that one unit is the last place of the result; below 2^-14 that place is fixed (subnormals).
  const exponent = Math.max(Math.floor(Math.log2(x || 2 ** -24)), -14);
  const units = roundHalfEven(x / 2 ** (exponent - 10));
  // Field e + 15 and fraction units − 1024; a carry moves into the field by itself, and subnormals (units < 1024) come out with field 0.
  return sign | (((exponent + 14) << 10) + units);
}

function numberToBf16(value: number): number {
  const bits = bitsOfFloat(value);
  if (Number.isNaN(value)) return 0x7fc0;
  return (bits + 0x7fff + ((bits >>> 16) & 1)) >>> 16;
}
