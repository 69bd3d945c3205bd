/**
 * @file Gzip files (RFC 1952) of any number of members, as bgzip and `cat a.gz b.gz` make them, and with zeros behind, as tapes and disk images do. The
 * platform's decompressor takes one member and does not say where it ends. So a file is taken for one member first, and only if that fails split
 * where a member can begin; that a split is right shows in the checksum and length that end each member. What has been given out already is not
 * given out again.
 */

import { isGzip } from "./inflate.ts";

/** A stream's pieces; Safari has no `for await` over a ReadableStream. */
export async function* piecesOf(stream: ReadableStream<Uint8Array>): AsyncGenerator<Uint8Array> {
  const reader = stream.getReader();
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      yield value;
    }
  } finally {
    await reader.cancel().catch(() => undefined);
  }
}

// A split that is wrong takes the work of inflating up to it. Bytes that look like a member's beginning and are none come once in gigabytes.
const mostWrongSplits = 32;
const leastMember = 18;

/** The pieces of a gzip file, inflated; throws what the decompressor throws for one that is damaged or cut short. */
export async function* gunzip(file: Blob): AsyncGenerator<Uint8Array> {
  let given = 0;
  const member = async function* (from: number, to: number): AsyncGenerator<Uint8Array> {
    let seen = 0;
    for await (const piece of piecesOf(file.slice(from, to).stream().pipeThrough(new DecompressionStream("gzip")))) {
      const fresh = piece.subarray(Math.max(0, given - seen));
      seen += piece.length;
      given = Math.max(given, seen);
      if (fresh.length > 0) yield fresh;
    }
  };

  let failure: unknown;
  try {
    yield* member(0, file.size);
    return;
  } catch (error) {
    failure = error;
  }
  const starts = await memberStarts(file);
  const ends = await possibleEnds(file);
  let wrong = 0;
  for (let from = 0, next = 0; ; given = 0) {
    let to: number | undefined;
    for (const stop of [...starts.slice(next, next + mostWrongSplits), ...ends]) {
      if (stop < from + leastMember) continue;
      try {
        yield* member(from, stop);
        to = stop;
        break;
      } catch {
        if (++wrong > mostWrongSplits) throw failure;
      }
    }
    if (to === undefined) throw failure;
    next = starts.indexOf(to, next) + 1;
    if (next === 0) return;
    from = to;
  }
}

/** Where a member might begin, but for the first. */
async function memberStarts(file: Blob): Promise<number[]> {
  const found: number[] = [];
  const [chunk, header] = [1 << 22, 10];
  for (let at = 0; at < file.size; at += chunk) {
    const bytes = new Uint8Array(await file.slice(at, at + chunk + header - 1).arrayBuffer());
    for (let i = bytes.indexOf(0x1f); i >= 0 && i < chunk; i = bytes.indexOf(0x1f, i + 1)) {
      if (i + header > bytes.length || at + i === 0) continue;
      const [method, flags, system] = [bytes[i + 2], bytes[i + 3], bytes[i + 9]];
      if (isGzip(bytes.subarray(i, i + 2)) && method === 8 && flags < 32 && (system < 14 || system === 255)) found.push(at + i);
    }
  }
  return found;
}

/** Where the last member might end: at the end of the file, or among the zeros there, of which some may be of the length that ends it. */
async function possibleEnds(file: Blob): Promise<number[]> {
  let end = file.size;
  for (const chunk = 1 << 16; end > 0;) {
    const from = Math.max(0, end - chunk);
    const bytes = new Uint8Array(await file.slice(from, end).arrayBuffer());
    const last = bytes.findLastIndex((b) => b !== 0);
    end = from + last + 1;
    if (last >= 0) break;
  }
  // A length of 3 bytes is the commonest.
  const among = [1, 0, 2, 3, 4, 5, 6, 7, 8].map((zeros) => end + zeros).filter((to) => to < file.size);
  return [file.size, ...among];
}
