/** @file The voxels of formats whose header may name other files, several in a row among them, each packed or with something before its voxels. */

import type { Fail } from "../../host/bytes/budget.ts";
import { bunzip2 } from "../../host/bytes/bunzip2.ts";
import { piecesOf } from "../../host/bytes/gunzip.ts";
import { besideFile } from "./beside.ts";
import { behind, firstBytes, openBytes } from "./byte_source.ts";
import type { ImageFile } from "./format.ts";

/** How the bytes of a data file lie in it. */
export interface Packing {
  readonly compression: "none" | "gzip" | "zlib" | "bzip2";
  /** Bytes before the data that are as they are, whatever packs the data. */
  readonly fileSkip?: number;
  /** Lines before the data, before they are unpacked. */
  readonly lineSkip?: number;
  /** Bytes before the data, after they are unpacked; −1: the data are the last bytes. */
  readonly byteSkip?: number;
}

/** Most file names of a pattern. */
const mostFiles = 1 << 16;

/**
 * The names of a C pattern such as `slice%03d.raw` for the numbers from `first` to `last`.
 * @throws FormatError (by `fail`) for a pattern without a number in it
 */
export function namesOfPattern(pattern: string, first: number, last: number, step: number, fail: Fail): string[] {
  const place = /%(0?)(\d*)[diu]/.exec(pattern);
  const count = Math.floor((last - first) / step) + 1;
  if (!place || !Number.isInteger(first) || !Number.isInteger(step) || !(count >= 1 && count <= mostFiles)) {
    throw fail(`the file pattern ${JSON.stringify(pattern)} with ${first} ${last} ${step} names no files`);
  }
  return Array.from({ length: count }, (_, i) => {
    const number = String(first + i * step).padStart(Number(place[2] || 0), place[1] || " ");
    return pattern.replace(place[0], number);
  });
}

/**
 * The bytes of a file's voxels in pieces.
 * @param start where they, or what is skipped before them, begin in the file
 * @param need bytes of voxels in this file
 */
export async function* dataPieces(
  file: ImageFile,
  start: number,
  need: number,
  { compression, fileSkip = 0, lineSkip = 0, byteSkip = 0 }: Packing,
  fail: Fail,
): AsyncGenerator<Uint8Array> {
  const lines = start + fileSkip;
  const from = lines + (await lengthOfLines(file.blob, lines, lineSkip, fail));
  const raw = file.blob.slice(from);
  const pieces = unpacked({ name: file.name, blob: raw }, compression, fail);
  if (byteSkip >= 0) return yield* behind(pieces, byteSkip);
  if (compression !== "none") return yield* lastPieces(pieces, need);
  if (raw.size < need)
    throw fail(
      `the voxels take ${need} bytes, but ${file.name} has ${raw.size} of them; it is cut short or its header is damaged`,
    );
  yield* unpacked({ name: file.name, blob: raw.slice(raw.size - need) }, "none", fail);
}

async function* unpacked(file: ImageFile, compression: Packing["compression"], fail: Fail): AsyncGenerator<Uint8Array> {
  if (compression === "bzip2") return yield* bunzip2(new Uint8Array(await file.blob.arrayBuffer()), fail);
  if (compression === "gzip") return yield* (await openBytes(file)).pieces(0);
  if (compression === "none") return yield* piecesOf(file.blob.stream());
  // Some writers say "compressed" and write gzip.
  const [a, b] = await firstBytes(file.blob, 2);
  const format = a === 0x1f && b === 0x8b ? "gzip" : "deflate";
  yield* piecesOf(file.blob.stream().pipeThrough(new DecompressionStream(format)));
}

/** The last `count` bytes. */
async function* lastPieces(pieces: AsyncIterable<Uint8Array>, count: number): AsyncGenerator<Uint8Array> {
  const held: Uint8Array[] = [];
  let [have, first] = [0, 0];
  for await (const piece of pieces) {
    held.push(piece);
    have += piece.length;
    while (have - held[first].length >= count) {
      have -= held[first].length;
      held[first++] = new Uint8Array(0);
    }
  }
  let drop = Math.max(0, have - count);
  for (const piece of held.slice(first)) {
    yield piece.subarray(Math.min(drop, piece.length));
    drop = Math.max(0, drop - piece.length);
  }
}

/** Bytes of the first lines. */
async function lengthOfLines(blob: Blob, start: number, lines: number, fail: Fail): Promise<number> {
  let [left, at] = [lines, start];
  for (const chunk = 1 << 16; left > 0; at += chunk) {
    if (at >= blob.size) throw fail(`${lines} lines are to be skipped, but the file has fewer`);
    const bytes = await firstBytes(blob.slice(at), chunk);
    for (let i = 0; i < bytes.length; i++) if (bytes[i] === 10 && --left === 0) return at + i + 1 - start;
  }
  return 0;
}

/** The voxels of several files, one after the other, of which each has an equal share. */
export async function* piecesOfFiles(
  header: ImageFile,
  names: readonly string[],
  need: number,
  packing: Packing,
  fail: Fail,
): AsyncGenerator<Uint8Array> {
  const share = need / names.length;
  if (!Number.isInteger(share)) throw fail(`${names.length} data files cannot have equal shares of ${need} bytes`);
  for (const name of names) {
    const file = await besideFile(header, name);
    let left = share;
    for await (const piece of dataPieces(file, 0, share, packing, fail)) {
      const part = piece.subarray(0, left);
      left -= part.length;
      if (part.length > 0) yield part;
      if (left === 0) break;
    }
    if (left > 0)
      throw fail(`${name} lacks ${left} of the ${share} bytes of its share; it is cut short or the header is damaged`);
  }
}

/** Voxels that are written as text behind the header, or in one or several files, and how long that text is. */
export async function textOf(
  header: ImageFile,
  names: readonly string[] | undefined,
  end: number,
  packing: Packing,
  fail: Fail,
): Promise<{ readonly pieces: AsyncGenerator<Uint8Array>; readonly size: number }> {
  const files = names ? await Promise.all(names.map((name) => besideFile(header, name))) : [header];
  async function* pieces(): AsyncGenerator<Uint8Array> {
    for (const file of files) {
      yield* dataPieces(file, names ? 0 : end, 0, packing, fail);
      // The last number of a file need have nothing behind it.
      yield Uint8Array.of(10);
    }
  }
  return { pieces: pieces(), size: files.reduce((sum, { blob }) => sum + blob.size, 0) };
}

/** Whether the files are large enough as they are; of packed ones nobody knows before they are read. */
export async function holds(header: ImageFile, names: readonly string[], need: number, packing: Packing): Promise<boolean> {
  if (packing.compression !== "none") return false;
  let size = 0;
  for (const name of names) size += (await header.beside?.(name))?.blob.size ?? 0;
  return size >= need;
}
