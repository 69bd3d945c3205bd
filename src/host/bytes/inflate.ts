/** @file Deflate (RFC 1950, 1951, 1952) by the platform, with a bound on what hostile files inflate to. */

import { FormatError } from "../errors.ts";
import type { Fail } from "./budget.ts";
import { joinedBytes } from "./words.ts";

/** Bare, in zlib's wrapping, or gzip's. */
export type DeflateFormat = "deflate-raw" | "deflate" | "gzip";

/** Whether bytes begin as a gzip stream does. */
export const isGzip = (bytes: Uint8Array): boolean => bytes[0] === 0x1f && bytes[1] === 0x8b;

/** The most bytes that a deflated file can hold: a byte expands to no more than 1032 (zlib's technical notes). */
export const inflatedLimit = (packedBytes: number): number => packedBytes * 1032 + 1024;

/** Deflates. */
export async function deflate(bytes: Uint8Array, format: DeflateFormat): Promise<Uint8Array<ArrayBuffer>> {
  const stream = new Blob([bytes as Uint8Array<ArrayBuffer>]).stream().pipeThrough(new CompressionStream(format));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

// What goes into the stream at a time, so that it does not hold more than that.
const stepBytes = 2 ** 20;

/** Deflates pieces as they come. */
export async function* deflatePieces(
  pieces: Iterable<Uint8Array<ArrayBuffer>>,
  format: DeflateFormat,
): AsyncGenerator<Uint8Array, void, undefined> {
  const source = new ReadableStream<Uint8Array<ArrayBuffer>>(pullFrom(stepsOf(pieces)), { highWaterMark: 0 });
  const reader = source.pipeThrough(new CompressionStream(format)).getReader();
  try {
    for (let piece = await reader.read(); !piece.done; piece = await reader.read()) yield piece.value;
  } finally {
    await reader.cancel();
  }
}

function* stepsOf(pieces: Iterable<Uint8Array<ArrayBuffer>>): Generator<Uint8Array<ArrayBuffer>, void, undefined> {
  for (const piece of pieces) for (let at = 0; at < piece.length; at += stepBytes) yield piece.subarray(at, at + stepBytes);
}

function pullFrom(steps: Iterator<Uint8Array<ArrayBuffer>>): UnderlyingDefaultSource<Uint8Array<ArrayBuffer>> {
  return {
    pull(controller) {
      const next = steps.next();
      if (next.done === true) controller.close();
      else controller.enqueue(next.value);
    },
  };
}

/** A byte vouches for so many; what a file promises beyond that has to arrive before it is asked for. */
const vouched = 4;

/**
 * Inflates what promises to become `size` bytes.
 * @throws FormatError (by `fail`) for damaged bytes, and as soon as there are more than promised
 */
export async function inflate(packed: Uint8Array, size: number, format: DeflateFormat, fail: Fail): Promise<Uint8Array> {
  const out = size <= vouched * packed.length ? new Uint8Array(size) : undefined;
  const parts: Uint8Array[] = [];
  let length = 0;
  try {
    // In small parts, of which none can inflate to much: the stream is left as soon as it gives more than was promised.
    let at = 0;
    const source = new ReadableStream<Uint8Array<ArrayBuffer>>({
      pull(controller) {
        if (at >= packed.length) return controller.close();
        controller.enqueue(packed.subarray(at, (at += 16384)) as Uint8Array<ArrayBuffer>);
      },
    });
    const reader = source.pipeThrough(new DecompressionStream(format)).getReader();
    for (let piece = await reader.read(); !piece.done; piece = await reader.read()) {
      if (length + piece.value.length > size) {
        await reader.cancel();
        throw fail(`inflates to more than the ${size} bytes it promises`);
      }
      if (out) out.set(piece.value, length);
      else parts.push(piece.value);
      length += piece.value.length;
    }
  } catch (error) {
    throw error instanceof FormatError ? error : fail(`cannot be inflated: ${(error as Error).message}`);
  }
  if (length !== size) throw fail(`inflates to ${length} bytes instead of the ${size} it promises`);
  return out ?? joinedBytes(parts);
}
