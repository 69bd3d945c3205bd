/**
 * @file The voxel block of a NIfTI file: element types, byte order, and the turn between the file's order (x fastest) and the
 * row-major `[C, nx, ny, nz]` of a Volume. Pure functions on memory; sizes have been checked by the caller.
 */

import { ConfigError, DataError, FormatError } from "../../../host/errors.ts";
import type { TypedArray } from "../../../host/array.ts";
import { elements, elementsBy, integerRange, nativeOf, type NativeName } from "../../../host/elements.ts";

/** Element types that can be written. */
export type NiftiDtype = NativeName;
/** Element types that can be read; 64-bit integers become float64 where that is exact. */
export type FileDtype = NiftiDtype | "i64" | "u64";

const byCode = elementsBy("nifti");

/** Why the other codes of the standard are refused. */
const refused: Readonly<Record<number, string>> = {
  0: "unknown",
  1: "1-bit",
  32: "complex64",
  128: "RGB24",
  1536: "float128",
  1792: "complex128",
  2048: "complex256",
  2304: "RGBA32",
};

/** The element type of a `datatype` code, with its size in bytes; a string says why there is none. */
export function elementTypeOf(code: number): { readonly dtype: FileDtype; readonly bytes: number } | string {
  const dtype = byCode.get(code) as FileDtype | undefined;
  return dtype ? { dtype, bytes: elements[dtype].bytes } : (refused[code] ?? "not a NIfTI type");
}

/**
 * Turns a voxel block into an array `[channels, nx, ny, nz]`, before scaling.
 * @param raw the block exactly; its bytes may be changed
 * @throws FormatError if a 64-bit integer is beyond ±2^53 and would lose digits
 */
export function decodeVoxels(
  raw: Uint8Array,
  dtype: FileDtype,
  littleEndian: boolean,
  [channels, nx, ny, nz]: readonly number[],
  name: string,
): TypedArray {
  const width = elements[dtype].bytes;
  const block = raw.byteOffset % 8 === 0 ? raw : new Uint8Array(raw);
  if (!littleEndian) swapBytes(block, width);
  if (dtype === "i64" || dtype === "u64") {
    const values = integers64(block, dtype === "i64", name);
    const out = new Float64Array(values.length);
    reverseAxes(values, out, channels, nz, ny, nx);
    return out;
  }
  const out = new Uint8Array(block.length);
  reverseAxes(bitsOf(block, width), bitsOf(out, width), channels, nz, ny, nx);
  return new elements[dtype].array(out.buffer, 0, out.length / width);
}

/** The voxel block of an array `[channels, nx, ny, nz]`, little-endian, into `block`. */
export function encodeVoxels(data: TypedArray, [channels, nx, ny, nz]: readonly number[], block: Uint8Array): void {
  const width = data.BYTES_PER_ELEMENT;
  const aligned = data.byteOffset % width === 0 ? data : data.slice();
  const bytes = new Uint8Array(aligned.buffer, aligned.byteOffset, aligned.byteLength);
  reverseAxes(bitsOf(bytes, width), bitsOf(block, width), channels, nx, ny, nz);
}

/** The element type of an array, under its NIfTI name. */
export function dtypeOf(data: TypedArray): NiftiDtype {
  const dtype = nativeOf(data);
  if (!dtype)
    throw new ConfigError(`writeNifti: cannot write a ${Object.prototype.toString.call(data)}; convert it to Float32Array`);
  return dtype;
}

/**
 * The same values as another element type.
 * @throws DataError if the type cannot hold a value exactly (an integer type and a fraction, NaN or a value out of range)
 */
export function castTo(data: TypedArray, dtype: NiftiDtype): TypedArray {
  const { array } = elements[dtype];
  if (data instanceof array) return data;
  const range = integerRange(dtype);
  const out = new array(data.length);
  for (let i = 0; i < data.length; i++) {
    const v = data[i];
    if (range && !(Number.isInteger(v) && v >= range[0] && v <= range[1])) {
      throw new DataError(
        `writeNifti: element ${i} is ${v}, which ${dtype} (integers ${range[0]} to ${range[1]}) cannot hold; choose another dtype or round first`,
      );
    }
    out[i] = v;
  }
  return out;
}

type Bits = Uint8Array | Uint16Array | Uint32Array | Float64Array;

/** A view that moves elements of a width without looking at them: four array types instead of eight keep the loop fast. */
function bitsOf(bytes: Uint8Array, width: number): Bits {
  const array = width === 1 ? Uint8Array : width === 2 ? Uint16Array : width === 4 ? Uint32Array : Float64Array;
  return new array(bytes.buffer as ArrayBuffer, bytes.byteOffset, bytes.byteLength / width);
}

/**
 * Row-major `[n, a, b, c]` → row-major `[n, c, b, a]`: the step between x-fastest and z-fastest order, either way. Goes in
 * tiles, since one of the two sides is always strided and a whole column of cache lines would not stay in the cache.
 */
export function reverseAxes(from: Bits, to: Bits, n: number, a: number, b: number, c: number): void {
  const tile = 32;
  for (let base = 0, image = 0; image < n; image++, base += a * b * c) {
    for (let i0 = 0; i0 < a; i0 += tile) {
      const i1 = Math.min(i0 + tile, a);
      for (let k0 = 0; k0 < c; k0 += tile) {
        const k1 = Math.min(k0 + tile, c);
        for (let j = 0; j < b; j++) {
          for (let k = k0; k < k1; k++) {
            let source = base + (i0 * b + j) * c + k;
            const target = base + (k * b + j) * a;
            for (let i = i0; i < i1; i++, source += b * c) to[target + i] = from[source];
          }
        }
      }
    }
  }
}

/** Reverses the bytes of every element in place. */
function swapBytes(bytes: Uint8Array, width: number): void {
  for (let at = 0; at < bytes.length; at += width) {
    for (let lo = at, hi = at + width - 1; lo < hi; lo++, hi--) {
      const held = bytes[lo];
      bytes[lo] = bytes[hi];
      bytes[hi] = held;
    }
  }
}

function integers64(bytes: Uint8Array, signed: boolean, name: string): Float64Array {
  const words = new Uint32Array(bytes.buffer, bytes.byteOffset, bytes.byteLength / 4);
  const out = new Float64Array(words.length / 2);
  for (let i = 0; i < out.length; i++) {
    const high = signed ? words[2 * i + 1] | 0 : words[2 * i + 1];
    const v = high * 2 ** 32 + words[2 * i];
    if (v > Number.MAX_SAFE_INTEGER || v < -Number.MAX_SAFE_INTEGER) {
      throw new FormatError(
        `readNifti: ${name}: voxel ${i} is about ${v}; 64-bit integers beyond 2^53 cannot be kept exactly; store the image as float64`,
      );
    }
    out[i] = v;
  }
  return out;
}
