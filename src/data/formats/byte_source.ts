/**
 * @file The bytes of an image file, read in pieces, whether the file is packed by gzip or not. How many there are is known before a volume is asked
 * for: from the file's size, or from the length that gzip writes at its end; where neither vouches for it, the bytes have to arrive first.
 */

import { gunzip, piecesOf } from "../../host/bytes/gunzip.ts";
import { joinedBytes } from "../../host/bytes/words.ts";
import { inflatedLimit, isGzip } from "../../host/bytes/inflate.ts";
import { FormatError } from "../../host/errors.ts";
import type { ImageFile } from "./format.ts";

/** The unpacked bytes of a file. */
export interface ByteSource {
  /** The most bytes that there can be. */
  readonly limit: number;
  /** Whether the source is known to have so many bytes. */
  has(bytes: number): boolean;
  /** The first bytes, fewer where the file is shorter. */
  head(bytes: number): Promise<Uint8Array>;
  /** The bytes behind the first `from`, in pieces. @throws FormatError for a file that cannot be read to there */
  pieces(from: number): AsyncGenerator<Uint8Array>;
}

/** By which a platform says that a file was changed or went since it was opened, or that its disk fails. */
const isLost = (cause: unknown): boolean => /^Not(Readable|Found)Error$/.test((cause as Partial<Error> | undefined)?.name ?? "");

/** Waits for what reads a file. @throws FormatError naming the file where that was changed or went meanwhile, or its disk fails */
export async function whileReading<T>(name: string, read: Promise<T>, op = "readImage"): Promise<T> {
  return read.catch((cause: unknown) => {
    if (!isLost(cause)) throw cause;
    throw new FormatError(`${op}: ${name} cannot be read${reason(cause)}; was it changed or removed meanwhile?`, { cause });
  });
}

/** What was found of a file; undefined where its bytes are not those of any format, as of what only begins as gzip does. A file that cannot be read is an error. */
export const ifSound = <T>({ name }: ImageFile, found: Promise<T>): Promise<T | undefined> =>
  whileReading(
    name,
    found.catch((cause: unknown) => {
      if (cause instanceof FormatError) return undefined;
      throw cause;
    }),
  );

/** Opens a file, unpacking it if it begins as gzip does. @param op what errors begin with */
export async function openBytes({ name, blob }: ImageFile, op = "readImage"): Promise<ByteSource> {
  const packed = isGzip(await firstBytes(blob, 2));
  const unreadable = (cause: unknown): unknown =>
    cause instanceof FormatError || isLost(cause)
      ? cause
      : new FormatError(`${op}: ${name}: the file cannot be read to its end${reason(cause)}; it is cut short or damaged`, {
          cause,
        });
  return packed ? await unpackedSource(blob, unreadable) : plainSource(blob, unreadable);
}

/** What the platform says of a failure, which may be nothing. */
export const reason = (cause: unknown): string => ((cause as Error).message ? ` (${(cause as Error).message})` : "");

/** The first bytes of a blob. */
export async function firstBytes(blob: Blob, count: number): Promise<Uint8Array<ArrayBuffer>> {
  return new Uint8Array(await blob.slice(0, count).arrayBuffer());
}

type Explain = (cause: unknown) => unknown;

function plainSource(blob: Blob, unreadable: Explain): ByteSource {
  return {
    limit: blob.size,
    has: (bytes) => bytes <= blob.size,
    head: (bytes) => firstBytes(blob, bytes),
    async *pieces(from) {
      try {
        yield* piecesOf(blob.slice(from).stream());
      } catch (cause) {
        throw unreadable(cause);
      }
    },
  };
}

async function unpackedSource(blob: Blob, unreadable: Explain): Promise<ByteSource> {
  const end = new DataView(await blob.slice(Math.max(0, blob.size - 4)).arrayBuffer());
  // Modulo 2³² and of the last member only: it may vouch for too little, which costs memory and nothing else.
  const written = end.byteLength === 4 ? end.getUint32(0, true) : 0;
  const limit = inflatedLimit(blob.size);
  async function* all(): AsyncGenerator<Uint8Array> {
    try {
      yield* gunzip(blob);
    } catch (cause) {
      throw unreadable(cause);
    }
  }
  return {
    limit,
    // A length that was forged costs no more than this.
    has: (bytes) => bytes <= Math.min(written, 4 * blob.size),
    head: (bytes) => firstOf(all(), bytes),
    pieces: (from) => behind(all(), from),
  };
}

/** Gives the bytes from one place to another. */
export type ReadRange = (from: number, to: number) => Promise<Uint8Array>;

/** What is read around a few bytes, for what comes next mostly lies beside them. */
const window = 1 << 16;

/** Reads few bytes at a time from `size` of them, such as the heads of parts that lie one behind the other. */
export function windowed(read: ReadRange, size: number): ReadRange {
  let [start, held] = [0, new Uint8Array(0)];
  return async (from, to) => {
    if (to - from > window) return read(from, to);
    if (from < start || to > start + held.length)
      [start, held] = [from, new Uint8Array(await read(from, Math.min(size, from + window)))];
    return held.subarray(from - start, to - start);
  };
}

/** The first bytes of pieces, fewer where there are fewer. */
export async function firstOf(pieces: AsyncIterable<Uint8Array>, bytes: number): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  let have = 0;
  for await (const piece of pieces) {
    parts.push(piece.subarray(0, bytes - have));
    have += piece.length;
    if (have >= bytes) break;
  }
  return joinedBytes(parts);
}

/** The pieces without the first bytes of them all. */
export async function* behind(pieces: AsyncIterable<Uint8Array>, from: number): AsyncGenerator<Uint8Array> {
  let at = 0;
  for await (const piece of pieces) {
    const part = piece.subarray(Math.max(0, from - at));
    at += piece.length;
    if (part.length > 0) yield part;
  }
}

/** The pieces as a Blob; the memory grows with what arrives. */
async function blobOf(pieces: AsyncIterable<Uint8Array>): Promise<Blob> {
  const parts: Uint8Array<ArrayBuffer>[] = [];
  for await (const piece of pieces) parts.push(piece as Uint8Array<ArrayBuffer>);
  return new Blob(parts);
}

/** A file that is gzip as a whole, unpacked into memory; others as they are. */
export const unpackedFile = (file: ImageFile): Promise<ImageFile> => whileReading(file.name, unpacked(file));

async function unpacked(file: ImageFile): Promise<ImageFile> {
  if (!isGzip(await firstBytes(file.blob, 2))) return file;
  return { ...file, blob: await blobOf((await openBytes(file)).pieces(0)) };
}
