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

const [local, central] = [30, 46];

/** An archive of files under their names, not compressed. @throws FormatError beyond 4 GiB */
export function writeZip(entries: ReadonlyMap<string, Uint8Array>): Uint8Array<ArrayBuffer> {
  const files = [...entries].map(([name, bytes]) => ({ name: new TextEncoder().encode(name), bytes, crc: crc32(bytes) }));
  let at = 0;
  const placed = files.map((file) => {
    const header = at;
    const bare = at + local + file.name.length;
    const start = Math.ceil((bare + 4) / alignment) * alignment;
    at = start + file.bytes.length;
    return { ...file, header, padding: start - bare, start };
  });
  const directory = at;
  const size = files.reduce((n, { name }) => n + central + name.length, 0);
  if (directory + size + 22 > largest || files.length > 0xffff)
    throw new FormatError(
      `a zip archive of ${directory} bytes in ${files.length} files is too large; the most are 4 GiB and 65,535`,
    );
  const out = new Uint8Array(directory + size + 22);
  const view = new DataView(out.buffer);
  for (const { name, bytes, crc, header, padding, start } of placed) {
    words(view, header, [0x04034b50, 4], [version, 2], [nameIsUtf8, 2], [0, 2], [0, 2], [firstDay, 2], [crc, 4]);
    words(view, header + 18, [bytes.length, 4], [bytes.length, 4], [name.length, 2], [padding, 2]);
    out.set(name, header + local);
    // An extra field that no one knows, for its length.
    words(view, header + local + name.length, [0x4246, 2], [padding - 4, 2]);
    out.set(bytes, start);
  }
  let to = directory;
  for (const { name, bytes, crc, header } of placed) {
    words(view, to, [0x02014b50, 4], [version, 2], [version, 2], [nameIsUtf8, 2], [0, 2], [0, 2], [firstDay, 2], [crc, 4]);
    words(
      view,
      to + 20,
      [bytes.length, 4],
      [bytes.length, 4],
      [name.length, 2],
      [0, 2],
      [0, 2],
      [0, 2],
      [0, 2],
      [0, 4],
      [header, 4],
    );
    out.set(name, to + central);
    to += central + name.length;
  }
  words(view, to, [0x06054b50, 4], [0, 2], [0, 2], [files.length, 2], [files.length, 2], [size, 4], [directory, 4], [0, 2]);
  return out;
}

/** Little-endian numbers one after the other. */
function words(view: DataView, start: number, ...list: readonly (readonly [value: number, bytes: 2 | 4])[]): void {
  let at = start;
  for (const [value, bytes] of list) {
    if (bytes === 2) view.setUint16(at, value, true);
    else view.setUint32(at, value, true);
    at += bytes;
  }
}
