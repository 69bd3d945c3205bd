/** @file Memory of arrays between two transforms, given back as soon as the next has read it (`Compose` with `reuseMemory`). */
import { isHostArray } from "../../host/kinds.ts";
import type { TypedArray } from "../../host/array.ts";
import { release } from "../../host/unfilled.ts";

/** All buffers in a value, however deep. */
function* buffersIn(value: unknown, seen = new Set<unknown>()): Generator<ArrayBufferLike> {
  if (value instanceof ArrayBuffer) yield value;
  else if (ArrayBuffer.isView(value)) yield value.buffer;
  else if (typeof value === "object" && value !== null && !seen.has(value)) {
    seen.add(value);
    const parts: Iterable<unknown> = value instanceof Map || value instanceof Set ? value.values() : Object.values(value);
    for (const part of parts) if (typeof part === "object") yield* buffersIn(part, seen);
  }
}

/** The arrays that a value is, or that an item or each of a list has as entries. */
function arraysOf(value: unknown): TypedArray[] {
  if (Array.isArray(value)) return value.flatMap(arraysOf);
  const own = isHostArray(value)
    ? [value]
    : typeof value === "object" && value !== null
      ? Object.values(value).filter(isHostArray)
      : [];
  return own.map(({ data }) => data as TypedArray);
}

/** One value's way through a chain, and what of it others may have. */
export class Passage {
  private readonly kept = new WeakSet<ArrayBufferLike>();

  /** @param given what goes in, which stays the caller's */
  constructor(given: unknown) {
    this.keep(given);
  }

  /** Others have seen `value`: its arrays stay. */
  keep(value: unknown): void {
    for (const buffer of buffersIn(value)) this.kept.add(buffer);
  }

  /** A transform has read `read` and made `next` of it: gives back the arrays that are in `read` alone. */
  giveBack(read: unknown, next: unknown): void {
    // What is a part of something larger has others beside it.
    const own = arraysOf(read).filter(({ buffer, byteLength }) => byteLength === buffer.byteLength && !this.kept.has(buffer));
    if (own.length === 0) return;
    const later = new Set(buffersIn(next));
    release(own.filter(({ buffer }) => !later.has(buffer)));
  }
}
