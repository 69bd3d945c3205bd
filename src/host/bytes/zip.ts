/**
 * @file Reading zip archives (PKWARE APPNOTE 6.3): stored and deflated entries, zip64. The central directory says what there is, the local
 * headers must agree, entries must not overlap, and nothing inflates beyond what its header promises: `Budget` bounds that.
 */
import type { Budget, Fail } from "./budget.ts";
import { inflate } from "./inflate.ts";

/** An entry of an archive. */
export interface ZipEntry {
  readonly name: string;
  /** Bytes once inflated. */
  readonly size: number;
  readonly method: number;
  /** The bytes as they lie in the archive. */
  readonly packed: Uint8Array;
}

const signatures = { local: 0x04034b50, central: 0x02014b50, end: 0x06054b50, end64: 0x06064b50, locator64: 0x07064b50 } as const;
const [stored, deflated] = [0, 8];
const nameIsUtf8 = 1 << 11;
const encrypted = 1;

/** Whether the bytes begin as a zip archive does. */
export const isZip = (bytes: Uint8Array): boolean =>
  bytes.length >= 22 && [signatures.local, signatures.end].includes(viewOf(bytes).getUint32(0, true) as never);

/** The entries of an archive by name, in the order of its directory. Inflates nothing. @throws FormatError */
export function readZip(bytes: Uint8Array, fail: Fail): Map<string, ZipEntry> {
  const view = viewOf(bytes);
  const { count, start, size } = findDirectory(bytes, view, fail);
  if (start + size > bytes.length || count * 46 > size) throw fail("the zip directory lies outside of the file; it is cut short");
  const entries = new Map<string, ZipEntry>();
  const ranges: (readonly [begin: number, end: number])[] = [];
  let at = start;
  for (let i = 0; i < count; i++) {
    if (at + 46 > start + size || view.getUint32(at, true) !== signatures.central)
      throw fail(`zip directory: entry ${i} is damaged`);
    const [nameBytes, extraBytes, commentBytes] = [28, 30, 32].map((o) => view.getUint16(at + o, true));
    const next = at + 46 + nameBytes + extraBytes + commentBytes;
    if (next > start + size) throw fail(`zip directory: entry ${i} is longer than the directory`);
    const flags = view.getUint16(at + 8, true);
    const rawName = bytes.subarray(at + 46, at + 46 + nameBytes);
    const name = decodeName(rawName, flags);
    const sizes = entrySizes(view, at, at + 46 + nameBytes, extraBytes);
    if (!sizes) throw fail(`zip entry "${name}": the sizes are damaged`);
    const method = view.getUint16(at + 10, true);
    if (flags & encrypted) throw fail(`zip entry "${name}" is encrypted`);
    if (method !== stored && method !== deflated)
      throw fail(`zip entry "${name}": compression method ${method} is not supported`);
    if (method === stored && sizes.packed !== sizes.size) throw fail(`zip entry "${name}" is stored, but its two sizes differ`);
    if (entries.has(name)) throw fail(`zip entry "${name}" is there twice`);
    const begin = dataStart(bytes, view, sizes.offset, rawName);
    const end = begin + sizes.packed;
    if (Number.isNaN(begin) || end > start)
      throw fail(`zip entry "${name}" does not lie in the file; it is damaged or cut short`);
    ranges.push([sizes.offset, end]);
    entries.set(name, { name, size: sizes.size, method, packed: bytes.subarray(begin, end) });
    at = next;
  }
  ranges.sort((a, b) => a[0] - b[0]);
  for (let i = 1; i < ranges.length; i++) if (ranges[i][0] < ranges[i - 1][1]) throw fail("zip entries overlap");
  return entries;
}

/** The bytes of an entry: a view of the archive, or inflated. @throws FormatError if they are not what the directory says */
export async function readEntry(entry: ZipEntry, budget: Budget, fail: Fail): Promise<Uint8Array> {
  if (entry.method === stored) return entry.packed;
  const what = `zip entry "${entry.name}"`;
  budget.take(entry.size, what);
  return inflate(entry.packed, entry.size, "deflate-raw", (problem) => fail(`${what} ${problem}`));
}

const viewOf = (bytes: Uint8Array): DataView => new DataView(bytes.buffer, bytes.byteOffset, bytes.length);

const [utf8, latin1] = [new TextDecoder(), new TextDecoder("latin1")];

// Without the flag the name is in code page 437, which agrees with Latin-1 on ASCII; torch writes ASCII.
const decodeName = (bytes: Uint8Array, flags: number): string => (flags & nameIsUtf8 ? utf8 : latin1).decode(bytes);

/** A u64, or NaN beyond 2^53, which no file reaches. */
function u64(view: DataView, at: number): number {
  const high = view.getUint32(at + 4, true);
  return high < 2 ** 21 ? high * 2 ** 32 + view.getUint32(at, true) : NaN;
}

function findDirectory(bytes: Uint8Array, view: DataView, fail: Fail): { count: number; start: number; size: number } {
  const lowest = Math.max(0, bytes.length - 22 - 0xffff);
  let end = bytes.length - 22;
  while (
    end >= lowest &&
    !(view.getUint32(end, true) === signatures.end && end + 22 + view.getUint16(end + 20, true) <= bytes.length)
  )
    end--;
  if (end < lowest) throw fail("the zip archive has no directory; the file is cut short");
  const plain = {
    count: view.getUint16(end + 10, true),
    size: view.getUint32(end + 12, true),
    start: view.getUint32(end + 16, true),
  };
  const locator = end - 20;
  if (locator < 0 || view.getUint32(locator, true) !== signatures.locator64) {
    if (view.getUint16(end + 4, true) !== 0) throw fail("the zip archive is spread over several files");
    return plain;
  }
  const end64 = u64(view, locator + 8);
  if (!(end64 + 56 <= locator) || view.getUint32(end64, true) !== signatures.end64) throw fail("the zip64 directory is damaged");
  return { count: u64(view, end64 + 32), size: u64(view, end64 + 40), start: u64(view, end64 + 48) };
}

/** Sizes and offset of a directory entry; those of 0xffffffff are in its zip64 field. */
function entrySizes(
  view: DataView,
  at: number,
  extra: number,
  extraBytes: number,
): { packed: number; size: number; offset: number } | undefined {
  const values = [24, 20, 42].map((o) => view.getUint32(at + o, true)); // in the order of the zip64 field
  const large = values.flatMap((v, i) => (v === 0xffffffff ? [i] : []));
  if (large.length > 0) {
    let field = extra;
    const end = extra + extraBytes;
    while (field + 4 <= end && view.getUint16(field, true) !== 1) field += 4 + view.getUint16(field + 2, true);
    if (field + 4 + 8 * large.length > end) return undefined;
    large.forEach((i, k) => (values[i] = u64(view, field + 4 + 8 * k)));
  }
  const [size, packed, offset] = values;
  return values.every(Number.isSafeInteger) ? { packed, size, offset } : undefined;
}

/** Where the bytes of an entry begin, from its local header; NaN if there is no such header. */
function dataStart(bytes: Uint8Array, view: DataView, offset: number, name: Uint8Array): number {
  if (offset + 30 > bytes.length || view.getUint32(offset, true) !== signatures.local) return NaN;
  const nameBytes = view.getUint16(offset + 26, true);
  const start = offset + 30 + nameBytes + view.getUint16(offset + 28, true);
  const sameName = nameBytes === name.length && name.every((byte, i) => bytes[offset + 30 + i] === byte);
  return sameName ? start : NaN;
}
