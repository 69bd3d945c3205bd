/** @file Writing zip archives: stored entries (PKWARE APPNOTE 6.3). */

import { FormatError } from "../errors.ts";
import { crc32 } from "./crc32.ts";
import { joinedBytes, type Word, words } from "./words.ts";

// Where contents begin: PyTorch maps files into memory at such places.
const alignment = 64;
const largest = 0xffffffff;
const version = 20;
const nameIsUtf8 = 1 << 11;
// 1 January 1980, the first day of the format: the same entries give the same bytes.
const firstDay = 33;

const [local, central, end] = [30, 46, 22];

/** What an archive says of a file that it holds. */
export interface ZipMember {
  readonly name: string;
  readonly size: number;
  /** CRC-32 of the contents. */
  readonly crc: number;
}

/** What stands before each file, and behind all of them. */
export interface ZipRecords {
  readonly headers: readonly Uint8Array<ArrayBuffer>[];
  readonly directory: Uint8Array<ArrayBuffer>;
}

/** The bytes of an archive around the contents of its files, which begin at multiples of 64. @throws FormatError beyond 4 GiB */
export function zipRecords(members: readonly ZipMember[]): ZipRecords {
  const files = members.map((member) => ({ ...member, name: new TextEncoder().encode(member.name) }));
  let at = 0;
  const placed = files.map((file) => {
    const header = at;
    const bare = at + local + file.name.length;
    const start = Math.ceil((bare + 4) / alignment) * alignment;
    at = start + file.size;
    return { ...file, header, padding: start - bare };
  });
  const directory = files.reduce((n, { name }) => n + central + name.length, 0);
  if (at + directory + end > largest || files.length > 0xffff)
    throw new FormatError(`a zip archive of ${at} bytes in ${files.length} files is too large; the most are 4 GiB and 65,535`);
  return { headers: placed.map(headerOf), directory: directoryOf(placed, at, directory) };
}

interface Placed {
  readonly name: Uint8Array;
  readonly size: number;
  readonly crc: number;
  readonly header: number;
  readonly padding: number;
}

/** What the header of a file and its entry in the directory share. */
const common = ({ crc, size }: Placed): readonly Word[] => [
  [version, 2],
  [nameIsUtf8, 2],
  [0, 2],
  [0, 2],
  [firstDay, 2],
  [crc, 4],
  [size, 4],
  [size, 4],
];

function headerOf(file: Placed): Uint8Array<ArrayBuffer> {
  const { name, padding } = file;
  const start = words([0x04034b50, 4], ...common(file), [name.length, 2], [padding, 2]);
  // An extra field that no one knows, for its length.
  const extra = words([0x4246, 2], [padding - 4, 2]);
  return joinedBytes([start, name, extra, new Uint8Array(padding - 4)]);
}

function directoryOf(files: readonly Placed[], start: number, size: number): Uint8Array<ArrayBuffer> {
  const none: readonly Word[] = [
    [0, 2],
    [0, 2],
    [0, 2],
    [0, 2],
    [0, 4],
  ];
  const entries = files.flatMap((file) => [
    words([0x02014b50, 4], [version, 2], ...common(file), [file.name.length, 2], ...none, [file.header, 4]),
    file.name,
  ]);
  const { length } = files;
  return joinedBytes([
    ...entries,
    words([0x06054b50, 4], [0, 2], [0, 2], [length, 2], [length, 2], [size, 4], [start, 4], [0, 2]),
  ]);
}

/** An archive of files under their names, not compressed. @throws FormatError beyond 4 GiB */
export function writeZip(entries: ReadonlyMap<string, Uint8Array>): Uint8Array<ArrayBuffer> {
  const members = [...entries].map(([name, bytes]) => ({ name, size: bytes.length, crc: crc32(bytes) }));
  const { headers, directory } = zipRecords(members);
  return joinedBytes([...[...entries.values()].flatMap((bytes, i) => [headers[i], bytes]), directory]);
}
