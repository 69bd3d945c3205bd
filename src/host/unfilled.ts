/** @file Room for results: arrays whose elements are all written before one is read. */
import type { TypedArray } from "./array.ts";
import { free, keepHeapRoom } from "./heap_room.ts";

/** Node's memory as it is, which `ArrayBuffer` zeroes or has the system zero: half of what a pass over a volume costs. */
interface Raw {
  allocUnsafeSlow?(bytes: number): Uint8Array<ArrayBuffer>;
}

/** Below this zeros cost nothing. */
const leastBytes = 2 ** 16;

/** An array of the element type of `like` for who writes every element: what it holds is anything. */
export function unfilledLike<A extends TypedArray>(like: A, length: number): A {
  const type = like.constructor as {
    new (n: number): A;
    new (buffer: ArrayBuffer): A;
  };
  const bytes = length * like.BYTES_PER_ELEMENT;
  const raw = bytes >= leastBytes ? (globalThis as { readonly Buffer?: Raw }).Buffer : undefined;
  if (raw?.allocUnsafeSlow) keepHeapRoom(bytes, raw.allocUnsafeSlow);
  const buffer = raw?.allocUnsafeSlow?.(bytes).buffer;
  // An array never shares its buffer: whoever transfers or keeps it would do so with another's.
  return buffer?.byteLength === bytes ? new type(buffer) : new type(length);
}

const float32 = new Float32Array();

/** `unfilledLike` a `Float32Array`. */
export const unfilledFloats = (length: number): Float32Array<ArrayBuffer> =>
  unfilledLike<Float32Array<ArrayBuffer>>(float32, length);

/**
 * Gives the memory of arrays back that nobody else has, in place of waiting for the garbage collector: the next result gets its pages, which the processor
 * still has at hand. Arrays on the buffer of one of `kept` stay.
 */
export function release(arrays: readonly TypedArray[], kept: readonly TypedArray[] = []): void {
  for (const array of arrays)
    if (array.buffer.byteLength >= leastBytes && !kept.some((k) => k.buffer === array.buffer)) free(array);
}

/** A copy on its own buffer. */
export function copyOf<A extends TypedArray>(data: A): A {
  const out = unfilledLike(data, data.length);
  out.set(data as never);
  return out;
}
