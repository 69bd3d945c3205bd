/** @file Writing zip archives: stored entries (PKWARE APPNOTE 6.3). */

import { FormatError } from "../errors.ts";
import { crc32 } from "./crc32.ts";

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

type Word = readonly [value: number, bytes: 2 | 4];

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
  const out = new Uint8Array(local + name.length + padding);
  words(out, 0, [[0x04034b50, 4], ...common(file), [name.length, 2], [padding, 2]]);
  out.set(name, local);
  // An extra field that no one knows, for its length.
  words(out, local + name.length, [
    [0x4246, 2],
    [padding - 4, 2],
  ]);
  return out;
}

function directoryOf(files: readonly Placed[], start: number, size: number): Uint8Array<ArrayBuffer> {
  const out = new Uint8Array(size + end);
  let to = 0;
  for (const file of files) {
    const { name, header } = file;
    const none = [2, 2, 2, 2, 4].map((bytes): Word => [0, bytes as 2 | 4]);
    words(out, to, [[0x02014b50, 4], [version, 2], ...common(file), [name.length, 2], ...none, [header, 4]]);
    out.set(name, to + central);
    to += central + name.length;
  }
  const { length } = files;
  words(out, to, [
    [0x06054b50, 4],
    [0, 2],
    [0, 2],
    [length, 2],
    [length, 2],
    [size, 4],
    [start, 4],
    [0, 2],
  ]);
  return out;
}

/** Little-endian numbers one after the other. */
function words(out: Uint8Array<ArrayBuffer>, start: number, list: readonly Word[]): void {
  const view = new DataView(out.buffer);
  let at = start;
  for (const [value, bytes] of list) {
    if (bytes === 2) view.setUint16(at, value, true);
    else view.setUint32(at, value, true);
    at += bytes;
  }
}

/** An archive of files under their names, not compressed. @throws FormatError beyond 4 GiB */
export function writeZip(entries: ReadonlyMap<string, Uint8Array>): Uint8Array<ArrayBuffer> {
  const members = [...entries].map(([name, bytes]) => ({ name, size: bytes.length, crc: crc32(bytes) }));
  const { headers, directory } = zipRecords(members);
  const parts = [...[...entries.values()].flatMap((bytes, i) => [headers[i], bytes]), directory];
  const out = new Uint8Array(parts.reduce((n, { length }) => n + length, 0));
  let to = 0;
  for (const part of parts) {
    out.set(part, to);
    to += part.length;
  }
  return out;
}
