/** @file A zip archive of one file that comes in pieces: deflated as it comes, in zip64, since nobody knows its size before (PKWARE APPNOTE 6.3). */

import { crc32 } from "./crc32.ts";
import { deflatePieces } from "./inflate.ts";
import { joinedBytes, type Word, words } from "./words.ts";

const version = 45;
const nameIsUtf8 = 1 << 11;
// Checksum and sizes stand behind the contents.
const describedBehind = 1 << 3;
const deflated = 8;
// 1 January 1980, the first day of the format: the same contents give the same bytes.
const firstDay = 33;
const elsewhere = 0xffffffff;

/** The archive's bytes, piece by piece. */
export async function* zipOfPieces(
  name: string,
  pieces: Iterable<Uint8Array<ArrayBuffer>>,
): AsyncGenerator<Uint8Array, void, undefined> {
  const path = new TextEncoder().encode(name);
  let [crc, size, packed] = [0, 0, 0];
  function* counted() {
    for (const piece of pieces) {
      crc = crc32(piece, crc);
      size += piece.length;
      yield piece;
    }
  }
  yield joinedBytes([words([0x04034b50, 4], ...common(0), [path.length, 2], [20, 2]), path, sizesOf(0, 0)]);
  for await (const piece of deflatePieces(counted(), "deflate-raw")) {
    packed += piece.length;
    yield piece;
  }
  const behind = words([0x08074b50, 4], [crc, 4], [packed, 8], [size, 8]);
  const start = 30 + path.length + 20 + packed + behind.length;
  const none: readonly Word[] = [
    [0, 2],
    [0, 2],
    [0, 2],
    [0, 4],
    [0, 4],
  ];
  const head = words([0x02014b50, 4], [version, 2], ...common(crc), [path.length, 2], [20, 2], ...none);
  const directory = joinedBytes([head, path, sizesOf(size, packed)]);
  yield joinedBytes([behind, directory, endOf(start, directory.length)]);
}

/** What the header of a file and its entry in the directory share; the sizes are in the field that follows the name. */
const common = (crc: number): readonly Word[] => [
  [version, 2],
  [nameIsUtf8 | describedBehind, 2],
  [deflated, 2],
  [0, 2],
  [firstDay, 2],
  [crc, 4],
  [elsewhere, 4],
  [elsewhere, 4],
];

const sizesOf = (size: number, packed: number): Uint8Array => words([1, 2], [16, 2], [size, 8], [packed, 8]);

/** The end of the directory in both forms, and where the longer one begins. */
const endOf = (start: number, size: number): Uint8Array =>
  words(
    ...([
      [0x06064b50, 4],
      [44, 8],
      [version, 2],
      [version, 2],
      [0, 4],
      [0, 4],
      [1, 8],
      [1, 8],
      [size, 8],
      [start, 8],
    ] as const),
    ...([
      [0x07064b50, 4],
      [0, 4],
      [start + size, 8],
      [1, 4],
    ] as const),
    ...([
      [0x06054b50, 4],
      [0, 2],
      [0, 2],
      [1, 2],
      [1, 2],
      [size, 4],
      [elsewhere, 4],
      [0, 2],
    ] as const),
  );
