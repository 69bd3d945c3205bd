/**
 * @file Reading zip archives (PKWARE APPNOTE 6.3): stored and deflated entries, zip64. The central directory says what there is, the local
 * headers must agree, entries must not overlap, and nothing inflates beyond what its header promises: `Budget` bounds that.
 */
import { viewOf } from "../array.ts";
import type { Budget, Fail } from "./budget.ts";
import { inflate } from "./inflate.ts";

/** What the directory says of an entry. */
interface Listed {
  readonly name: string;
  /** Bytes once inflated. */
  readonly size: number;
  readonly method: number;
  /** CRC-32 of the bytes once inflated. */
  readonly crc: number;
  /** Where its own header begins. */
  readonly offset: number;
  readonly packedSize: number;
  readonly rawName: Uint8Array;
  /** Where the directory begins, before which all entries end. */
  readonly limit: number;
}

/** An entry of an archive. */
export interface ZipEntry extends Pick<Listed, "name" | "size" | "method"> {
  /** The bytes as they lie in the archive. */
  readonly packed: Uint8Array;
}

/** An entry of an archive that is read in pieces. */
export interface ZipFileEntry extends Pick<Listed, "name" | "size" | "method" | "crc"> {
  /** The bytes as they lie in the archive. @throws FormatError if they do not */
  readonly packed: () => Promise<Blob>;
}

/** Bytes that are read where they are wanted. */
interface Ranges {
  readonly size: number;
  readonly read: (from: number, to: number) => Promise<Uint8Array>;
}

const signatures = { local: 0x04034b50, central: 0x02014b50, end: 0x06054b50, end64: 0x06064b50, locator64: 0x07064b50 } as const;
const [stored, deflated] = [0, 8];
const nameIsUtf8 = 1 << 11;
const encrypted = 1;

/** Whether the bytes begin as a zip archive does. */
export const isZip = (bytes: Uint8Array): boolean =>
  bytes.length >= 22 && [signatures.local, signatures.end].includes(viewOf(bytes).getUint32(0, true) as never);

/** The entries of an archive by name, in the order of its directory. Inflates nothing. @throws FormatError */
export async function readZip(bytes: Uint8Array, fail: Fail): Promise<Map<string, ZipEntry>> {
  const listed = await directoryOf({ size: bytes.length, read: (from, to) => Promise.resolve(bytes.subarray(from, to)) }, fail);
  const ranges: (readonly [begin: number, end: number])[] = [];
  const entries = new Map<string, ZipEntry>();
  for (const entry of listed) {
    const { name, size, method, offset } = entry;
    const [begin, end] = placeOf(bytes.subarray(offset, offset + localBytes(entry)), entry, fail);
    ranges.push([offset, end]);
    entries.set(name, { name, size, method, packed: bytes.subarray(begin, end) });
  }
  ranges.sort((x, y) => x[0] - y[0]);
  for (let i = 1; i < ranges.length; i++) if (ranges[i][0] < ranges[i - 1][1]) throw fail("zip entries overlap");
  return entries;
}

/** The entries of an archive that is not read as a whole. @throws FormatError */
export async function openZip(blob: Blob, fail: Fail): Promise<Map<string, ZipFileEntry>> {
  const read = async (from: number, to: number) => new Uint8Array(await blob.slice(from, to).arrayBuffer());
  const listed = await directoryOf({ size: blob.size, read }, fail);
  return new Map(
    listed.map((entry) => {
      const { name, size, method, crc, offset } = entry;
      const packed = async () => blob.slice(...placeOf(await read(offset, offset + localBytes(entry)), entry, fail));
      return [name, { name, size, method, crc, packed }];
    }),
  );
}

async function directoryOf(source: Ranges, fail: Fail): Promise<Listed[]> {
  const { count, start, size } = await findDirectory(source, fail);
  if (!(start + size <= source.size && count * 46 <= size))
    throw fail("the zip directory lies outside of the file; it is cut short");
  const bytes = await source.read(start, start + size);
  const view = viewOf(bytes);
  const entries = new Map<string, Listed>();
  let at = 0;
  for (let i = 0; i < count; i++) {
    if (at + 46 > size || view.getUint32(at, true) !== signatures.central) throw fail(`zip directory: entry ${i} is damaged`);
    const [nameBytes, extraBytes, commentBytes] = [28, 30, 32].map((o) => view.getUint16(at + o, true));
    const next = at + 46 + nameBytes + extraBytes + commentBytes;
    if (next > size) throw fail(`zip directory: entry ${i} is longer than the directory`);
    const flags = view.getUint16(at + 8, true);
    const rawName = bytes.subarray(at + 46, at + 46 + nameBytes);
    const name = decodeName(rawName, flags);
    const sizes = entrySizes(view, at, at + 46 + nameBytes, extraBytes);
    if (!sizes) throw fail(`zip entry "${name}": the sizes are damaged`);
    const method = view.getUint16(at + 10, true);
    if (flags & encrypted) throw fail(`zip entry "${name}" is encrypted`);
    if (method !== stored && method !== deflated)
      throw fail(`zip entry "${name}": compression method ${method} is not supported`);
    const { size: unpacked, packed: packedSize, offset } = sizes;
    if (method === stored && packedSize !== unpacked) throw fail(`zip entry "${name}" is stored, but its two sizes differ`);
    if (entries.has(name)) throw fail(`zip entry "${name}" is there twice`);
    entries.set(name, {
      name,
      size: unpacked,
      method,
      crc: view.getUint32(at + 16, true),
      offset,
      packedSize,
      rawName,
      limit: start,
    });
    at = next;
  }
  return [...entries.values()];
}

/** The bytes of an entry: a view of the archive, or inflated. @throws FormatError if they are not what the directory says */
export async function readEntry(entry: ZipEntry, budget: Budget, fail: Fail): Promise<Uint8Array> {
  if (entry.method === stored) return entry.packed;
  const what = `zip entry "${entry.name}"`;
  budget.take(entry.size, what);
  return inflate(entry.packed, entry.size, "deflate-raw", (problem) => fail(`${what} ${problem}`));
}

const [utf8, latin1] = [new TextDecoder(), new TextDecoder("latin1")];

// Without the flag the name is in code page 437, which agrees with Latin-1 on ASCII; torch writes ASCII.
const decodeName = (bytes: Uint8Array, flags: number): string => (flags & nameIsUtf8 ? utf8 : latin1).decode(bytes);

/** A u64, or NaN beyond 2^53, which no file reaches. */
function u64(view: DataView, at: number): number {
  const high = view.getUint32(at + 4, true);
  return high < 2 ** 21 ? high * 2 ** 32 + view.getUint32(at, true) : NaN;
}

async function findDirectory(source: Ranges, fail: Fail): Promise<{ count: number; start: number; size: number }> {
  // Behind the end a comment of 65535 bytes may stand, before it 20 bytes that tell of zip64.
  const tail = Math.max(0, source.size - 20 - 22 - 0xffff);
  const bytes = await source.read(tail, source.size);
  const view = viewOf(bytes);
  let end = bytes.length - 22;
  while (end >= 0 && !(view.getUint32(end, true) === signatures.end && end + 22 + view.getUint16(end + 20, true) <= bytes.length))
    end--;
  if (end < 0) throw fail("the zip archive has no directory; the file is cut short");
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
  const at = u64(view, locator + 8);
  const end64 = at + 56 <= tail + locator ? viewOf(await source.read(at, at + 56)) : undefined;
  if (end64?.getUint32(0, true) !== signatures.end64) throw fail("the zip64 directory is damaged");
  return { count: u64(end64, 32), size: u64(end64, 40), start: u64(end64, 48) };
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

/** An entry's own header without its name and what follows that. */
const localHeader = 30;

/** Bytes that surely have an entry's own header and its name. */
const localBytes = ({ rawName }: Listed): number => localHeader + rawName.length;

/** Where the bytes of an entry lie in the archive. @throws FormatError if its own header is not there, or does not agree */
function placeOf(
  header: Uint8Array,
  { name, rawName, offset, packedSize, limit }: Listed,
  fail: Fail,
): [begin: number, end: number] {
  const problem = fail(`zip entry "${name}" does not lie in the file; it is damaged or cut short`);
  if (header.length < localHeader + rawName.length) throw problem;
  const view = viewOf(header);
  const nameBytes = view.getUint16(26, true);
  const sameName = nameBytes === rawName.length && rawName.every((byte, i) => header[localHeader + i] === byte);
  if (view.getUint32(0, true) !== signatures.local || !sameName) throw problem;
  const begin = offset + localHeader + nameBytes + view.getUint16(28, true);
  if (begin + packedSize > limit) throw problem;
  return [begin, begin + packedSize];
}
