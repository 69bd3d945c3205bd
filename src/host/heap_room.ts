/**
 * @file Room in the heap that results keep coming from. The C library of Linux (glibc) gives large blocks back to the system as soon as they are free, so that
 * each page of the next result is a new one, which takes four times as long as writing it; in threads that is so with every result.
 */
import type { TypedArray } from "./array.ts";

/** Memory that is not written to. */
type Allocate = (bytes: number) => Uint8Array<ArrayBuffer>;

const mebibyte = 2 ** 20;
/** Just below 32 MiB, the largest block that glibc learns from. */
const block = 32 * mebibyte - 2 ** 16;
/** As V8 collects what nobody has after 64 MiB of it, there is room for as much again. */
const blocks = 4;
/** Results of fewer bytes are fast enough. */
const leastBytes = 4 * mebibyte;

let kept: TypedArray | undefined;

/**
 * Before the first large result of a thread, makes 128 MiB of the heap that stay with the process once results have been in them. Nothing is written: it takes
 * microseconds, and addresses in place of memory.
 *
 * A block that is freed raises the bound up to which blocks come from the heap. A heap is given back from its end on, which from now on is a block that stays.
 */
export function keepHeapRoom(bytes: number, allocate: Allocate): void {
  if (kept || bytes < leastBytes) return;
  kept = new Uint8Array();
  if ((globalThis as { readonly process?: { readonly platform?: string } }).process?.platform !== "linux") return;
  free(allocate(block));
  const room = Array.from({ length: blocks }, () => allocate(block));
  // As large as they are, since a smaller one might come from in front of them.
  kept = allocate(block);
  room.forEach(free);
}

/** Gives the memory back at once, in place of waiting for the garbage collector. A WebAssembly module's stays: only its module can. */
export function free({ buffer }: TypedArray): void {
  try {
    (buffer as { transfer?(bytes: number): unknown }).transfer?.(0);
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
  }
}
