/**
 * @file The elements of a DICOM data set (PS3.5 section 7): a walk over bytes that nobody vouches for. Only attributes that are known are kept, as
 * places in the bytes, and items of sequences are walked again when they are asked for; so a file of a million empty elements takes no memory.
 * The bytes may be the beginning of a longer file: what lies behind them is a `MoreBytes`, upon which the reader fetches more.
 *
 * Chosen over dicom-parser, which wants the whole file in memory, throws strings, recurses without a bound and inflates by a global library.
 */

import type { Fail } from "../../../host/bytes/budget.ts";
import { decodeText } from "./text.ts";
import { type Keyword, knownTags, type Tag, tags, tagText } from "./tags.ts";

/** How elements are written. */
export interface Encoding {
  readonly explicit: boolean;
  readonly littleEndian: boolean;
}

/** Bytes of a data set, perhaps not all. */
export interface Bytes {
  readonly bytes: Uint8Array;
  readonly whole: boolean;
  /** Where a value cannot lie behind: the size of the file. */
  readonly limit: number;
  readonly fail: Fail;
  /** Value representations of the attributes that are kept, by tag; default those of images. */
  readonly known?: ReadonlyMap<number, string> | undefined;
}

/** Says that the walk needs bytes that were not read yet; never leaves this folder. */
export class MoreBytes extends Error {
  readonly upTo: number;
  constructor(upTo: number) {
    super(`bytes up to ${upTo}`);
    this.upTo = upTo;
  }
}

/** Where an element's value is. */
export interface Element {
  readonly vr: string;
  readonly at: number;
  /** Bytes of the value, without the delimiter of a sequence of undefined length; undefinedLength for encapsulated pixels. */
  readonly length: number;
  readonly encoding: Encoding;
}

/** The length of what ends with a delimiter. */
export const undefinedLength = 0xffffffff;

const item = 0xfffee000;
const itemEnd = 0xfffee00d;
const sequenceEnd = 0xfffee0dd;
const mostNested = 32;
const implicit: Encoding = { explicit: false, littleEndian: true };
const pixelTags: ReadonlySet<number> = new Set([tags.pixelData.tag, tags.floatPixelData.tag, tags.doublePixelData.tag]);
const longVrs: ReadonlySet<string> = new Set(["OB", "OD", "OF", "OL", "OV", "OW", "SQ", "SV", "UC", "UN", "UR", "UT", "UV"]);
const numeric = { US: 2, SS: 2, UL: 4, SL: 4, FL: 4, FD: 8, OV: 8, UV: 8 } as const;

interface Head extends Element {
  readonly tag: number;
}

/** Attributes of a data set or of an item of a sequence. */
export class DataSet {
  readonly elements: ReadonlyMap<number, Element>;
  private readonly source: Bytes;
  private readonly charset: string = "";

  constructor(source: Bytes, elements: ReadonlyMap<number, Element>, charset?: string) {
    this.source = source;
    this.elements = elements;
    this.charset = this.text("specificCharacterSet") ?? charset ?? "";
  }

  find(attribute: Keyword | Tag): Element | undefined {
    return this.elements.get((typeof attribute === "string" ? tags[attribute] : attribute).tag);
  }

  /** A text without the spaces that fill it; undefined if it is absent or empty. */
  text(attribute: Keyword | Tag): string | undefined {
    const found = this.find(attribute);
    if (!found) return undefined;
    const { at, length } = found;
    return decodeText(valueBytes(this.source, at, Math.min(length, 4096)), this.charset) || undefined;
  }

  /** The bytes of its value; none if it is absent. */
  bytes(attribute: Keyword | Tag): Uint8Array {
    const found = this.find(attribute);
    return found ? valueBytes(this.source, found.at, found.length) : new Uint8Array();
  }

  /** Its numbers, of a numeric type or of a text; [] if it is absent. */
  numbers(attribute: Keyword | Tag): number[] {
    const found = this.find(attribute);
    if (!found || found.length === 0) return [];
    const value = valueBytes(this.source, found.at, found.length);
    if (found.vr in numeric) return binaryNumbers(value, found.vr as keyof typeof numeric, found.encoding.littleEndian);
    const text = new TextDecoder("latin1").decode(value);
    return text.split("\\").map((part) => {
      const clean = part.replaceAll("\0", "").trim();
      return clean === "" ? NaN : Number(clean);
    });
  }

  /** Its first number if that is finite. */
  number(attribute: Keyword | Tag): number | undefined {
    const [first] = this.numbers(attribute);
    return Number.isFinite(first) ? first : undefined;
  }

  /** The items of a sequence, one after the other. */
  *items(attribute: Keyword | Tag): Generator<DataSet> {
    const found = this.find(attribute);
    if (!found) return;
    const end = found.at + found.length;
    for (let at = found.at; at < end;) {
      const head = readHead(this.source, at, found.encoding);
      if (head.tag !== item) return;
      const walk = walkElements(this.source, head.at, itemLimit(head, end), found.encoding, 0, head.length === undefinedLength);
      yield new DataSet(this.source, walk.elements, this.charset);
      at = head.length === undefinedLength ? walk.next : head.at + head.length;
    }
  }

  /** The first item of a sequence. */
  first(attribute: Keyword | Tag): DataSet | undefined {
    const { value } = this.items(attribute).next() as { value?: DataSet };
    return value;
  }
}

const itemLimit = (head: Head, end: number): number =>
  head.length === undefinedLength ? end : Math.min(end, head.at + head.length);

/**
 * The attributes from a byte on, up to the pixels.
 * @throws FormatError for what is no data set
 */
export function readDataSet(source: Bytes, from: number, encoding: Encoding): DataSet {
  return new DataSet(source, walkElements(source, from, source.limit, encoding, 0, false).elements);
}

/** The attributes of the group of file meta information, and where it ends. */
export function readMeta(source: Bytes, from: number): { meta: DataSet; next: number } {
  const walk = walkElements(source, from, source.limit, { explicit: true, littleEndian: true }, 0, false, 0x0002);
  return { meta: new DataSet(source, walk.elements), next: walk.next };
}

/** Walks elements up to a byte, an item's delimiter, the pixels, or what is not of a group. */
function walkElements(
  source: Bytes,
  from: number,
  to: number,
  encoding: Encoding,
  depth: number,
  delimited: boolean,
  group?: number,
): { elements: Map<number, Element>; next: number } {
  const elements = new Map<number, Element>();
  let at = from;
  // A last few bytes that are no element stand behind some files.
  const end = source.whole && !delimited ? Math.min(to, source.bytes.length) : to;
  while (end - at >= 8) {
    const head = readHead(source, at, encoding);
    if (group !== undefined && Math.floor(head.tag / 65536) !== group) return { elements, next: at };
    if (head.tag === itemEnd) return { elements, next: head.at };
    if (head.tag === sequenceEnd || head.tag === item) {
      if (depth > 0 || delimited)
        throw source.fail(`${tagText(head.tag)} stands at byte ${at}, where an element should begin; the file is damaged`);
      // What some writers leave of a sequence whose own head is lost, which other readers pass over too.
      at = head.length === undefinedLength ? head.at : head.at + head.length;
      continue;
    }
    if (depth === 0 && pixelTags.has(head.tag) && !delimited) {
      elements.set(head.tag, head);
      return { elements, next: head.at };
    }
    const length = head.length === undefinedLength ? undefined : head.length;
    const next = length === undefined ? skipSequence(source, head, to, depth + 1) : { at: head.at + length, length };
    if (next.at > to) throw source.fail(`${tagText(head.tag)} at byte ${at} has ${length} bytes, but ${to - head.at} are left`);
    if (vrOf(source, head.tag)) elements.set(head.tag, { ...head, length: next.length });
    at = next.at;
  }
  if (delimited) throw source.fail(`an item that began before byte ${at} has no end; the file is cut short`);
  return { elements, next: at };
}

/** Where a sequence of undefined length ends. */
function skipSequence(source: Bytes, sequence: Head, to: number, depth: number): { at: number; length: number } {
  if (depth > mostNested) throw source.fail(`sequences are nested more than ${mostNested} deep; the file is damaged`);
  let { at } = sequence;
  for (;;) {
    const head = readHead(source, at, sequence.encoding);
    if (head.tag === sequenceEnd) return { at: head.at, length: at - sequence.at };
    if (head.tag !== item)
      throw source.fail(`${tagText(head.tag)} stands at byte ${at}, where an item of ${tagText(sequence.tag)} should begin`);
    if (head.length !== undefinedLength) at = head.at + head.length;
    else at = walkElements(source, head.at, to, sequence.encoding, depth, true).next;
    if (at > to) throw source.fail(`the sequence ${tagText(sequence.tag)} has no end; the file is cut short`);
  }
}

const vrOf = ({ known = knownTags }: Bytes, tag: number): string | undefined => known.get(tag);

/** The tag, type and length at a byte. */
function readHead(source: Bytes, at: number, encoding: Encoding): Head {
  const { littleEndian } = encoding;
  const view = viewOf(source, at, 8);
  const tag = view.getUint16(0, littleEndian) * 65536 + view.getUint16(2, littleEndian);
  const group = Math.floor(tag / 65536);
  const named = encoding.explicit && group !== 0xfffe;
  const vr = named ? String.fromCharCode(view.getUint8(4), view.getUint8(5)) : "";
  // Some writers fall back to implicit elements inside an explicit file.
  if (!/^[A-Z]{2}$/.test(vr)) {
    const length = view.getUint32(4, littleEndian);
    return { tag, vr: vrOf(source, tag) ?? "UN", at: at + 8, length, encoding };
  }
  if (!longVrs.has(vr)) return { tag, vr, at: at + 8, length: view.getUint16(6, littleEndian), encoding };
  const length = viewOf(source, at, 12).getUint32(8, littleEndian);
  // An unknown element of undefined length is a sequence in implicit little-endian (PS3.5 section 6.2.2).
  if (vr === "UN") {
    const inner = length === undefinedLength ? implicit : encoding;
    return { tag, vr: vrOf(source, tag) ?? vr, at: at + 12, length, encoding: inner };
  }
  return { tag, vr, at: at + 12, length, encoding };
}

function viewOf(source: Bytes, at: number, length: number): DataView {
  const { bytes } = source;
  if (at + length <= bytes.length) return new DataView(bytes.buffer, bytes.byteOffset + at, length);
  if (!source.whole && at + length <= source.limit) throw new MoreBytes(at + length);
  throw source.fail(`the file ends at byte ${bytes.length}, inside an element; it is cut short`);
}

function valueBytes(source: Bytes, at: number, length: number): Uint8Array {
  viewOf(source, at, length);
  return source.bytes.subarray(at, at + length);
}

function binaryNumbers(value: Uint8Array, vr: keyof typeof numeric, littleEndian: boolean): number[] {
  const view = new DataView(value.buffer, value.byteOffset, value.byteLength);
  const width = numeric[vr];
  const read = (at: number): number => {
    switch (vr) {
      case "US":
        return view.getUint16(at, littleEndian);
      case "SS":
        return view.getInt16(at, littleEndian);
      case "UL":
        return view.getUint32(at, littleEndian);
      case "SL":
        return view.getInt32(at, littleEndian);
      case "FL":
        return view.getFloat32(at, littleEndian);
      case "FD":
        return view.getFloat64(at, littleEndian);
      default:
        return Number(view.getBigUint64(at, littleEndian));
    }
  };
  return Array.from({ length: Math.floor(value.length / width) }, (_, i) => read(i * width));
}
