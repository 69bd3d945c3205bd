/**
 * @file Whole arrays through the WebAssembly kernels: chunk by chunk into the module's memory, changed there, and out again. Both copies are as fast as
 * memory and a chunk stays in the first cache, so that even one addition is done sooner than by a loop, which handles one element at a time.
 */
import { assemble, type Kernel } from "./assembler.ts";
import { chunkSize, pages, places, turn } from "./places.ts";

/** What the functions of `lanesOf` give. */
export type LanesOf<F extends (length: number) => unknown> = NonNullable<ReturnType<F>>;

/** Kernels, and the memory that all modules share with its chunks. */
export interface Lanes<K = unknown> {
  readonly kernels: K;
  readonly memory: WebAssembly.Memory;
  readonly first: Float32Array;
  readonly second: Float32Array;
  readonly third: Float32Array;
}

/**
 * Elements that go from one array to the other before they are changed there, so many that they are in the second cache still. One long copy reads and writes
 * at once, chunks by way of the module take turns: 16 MiB that no cache has take 3.3 ms in place of 4.5.
 */
export const ahead = 8 * chunkSize;

/** From how many elements on the way through the module is worth it. */
const least = 4 * chunkSize;

let memory: WebAssembly.Memory | undefined;

/**
 * What gives some kernels, as a module that is made when they are first wanted, so that a page brings no others; it gives undefined for short arrays, and where
 * a browser has no vectors or a page's policy forbids them: then plain loops do the same.
 */
export function lanesOf<K>(kernels: { readonly [N in keyof K]: Kernel<K[N]> }): (length: number) => Lanes<K> | undefined {
  let opened: Lanes<K> | null | undefined;
  return (length) => {
    if (length < least) return undefined;
    if (opened === undefined) opened = open(kernels);
    return opened ?? undefined;
  };
}

function open<K>(kernels: { readonly [N in keyof K]: Kernel<K[N]> }): Lanes<K> | null {
  try {
    const room = (memory ??= new WebAssembly.Memory({ initial: pages }));
    const { exports } = new WebAssembly.Instance(new WebAssembly.Module(assemble(kernels, pages)), { host: { memory: room } });
    const chunk = (at: number) => new Float32Array(room.buffer, at, chunkSize);
    const { first, second, third } = places;
    return { kernels: exports as K, memory: room, first: chunk(first), second: chunk(second), third: chunk(third) };
  } catch {
    return null;
  }
}

/** `to` becomes what `change` makes of `from` in the first chunk, up to the address `end`, which may be behind the last; `at` is the place of its first element. */
export function changed(
  { first }: Lanes,
  from: Float32Array,
  to: Float32Array,
  change: (end: number, at: number, count: number) => void,
): void {
  for (let at = 0; at < from.length; at += chunkSize) {
    if (from !== to && at % ahead === 0) to.set(from.subarray(at, at + ahead), at);
    const count = fill(first, to, at);
    change(endOf(count), at, count);
    to.set(count === chunkSize ? first : first.subarray(0, count), at);
  }
}

/** Puts the elements from `at` on into a chunk; how many there were. */
export function fill(chunk: Float32Array, from: Float32Array | Float64Array, at: number): number {
  const count = Math.min(chunk.length, from.length - at);
  chunk.set(from.subarray(at, at + count));
  return count;
}

/** Address of the end of so many elements of the first chunk, in whole turns. */
export const endOf = (count: number): number => turn * Math.ceil((4 * count) / turn);
