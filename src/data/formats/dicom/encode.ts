/** @file DICOM data sets as bytes (PS3.5 section 7, PS3.10 section 7), little-endian. */

import { joinedBytes } from "../../../host/bytes/words.ts";
import { DataError } from "../../../host/errors.ts";
import { type AttributeValue, type Attributes, writtenTags } from "./written_tags.ts";
import { tagText } from "./tags.ts";

/** How elements state their types: with them, or not at all, which is how values may have more than 64 KiB. */
export type Syntax = "explicit" | "implicit";

const syntaxes: Readonly<Record<Syntax, string>> = { explicit: "1.2.840.10008.1.2.1", implicit: "1.2.840.10008.1.2" };
/** Made once for this writer. */
const implementation = "2.25.12968475411918123216491743076144061419";
/** Bytes of a value of the long types. */
export const longestValue = 0xfffffffe;
const long: ReadonlySet<string> = new Set(["OB", "OW", "SQ", "UN", "UT"]);

/** A DICOM file: preamble, meta information and the attributes, among them SOPClassUID and SOPInstanceUID. */
export function encodeFile(attributes: Attributes, syntax: Syntax): Uint8Array<ArrayBuffer> {
  const meta = joinedBytes([
    element(0x00020001, "OB", Uint8Array.of(0, 1), "explicit"),
    element(0x00020002, "UI", attributes.SOPClassUID!, "explicit"),
    element(0x00020003, "UI", attributes.SOPInstanceUID!, "explicit"),
    element(0x00020010, "UI", syntaxes[syntax], "explicit"),
    element(0x00020012, "UI", implementation, "explicit"),
    element(0x00020013, "SH", "VOXGRAD", "explicit"),
  ]);
  const preamble = new Uint8Array(132);
  preamble.set(new TextEncoder().encode("DICM"), 128);
  return joinedBytes([preamble, element(0x00020000, "UL", meta.length, "explicit"), meta, dataSet(attributes, syntax)]);
}

/** A number as a decimal string, which has at most 16 letters. */
export function decimalText(value: number): string {
  let text = String(value + 0);
  for (let digits = 15; text.length > 16; digits--) text = String(Number(value.toPrecision(digits)));
  return text;
}

/** A new identifier, from a random number of 122 bits (PS3.5 annex B.2). */
export function newUid(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[6] = (bytes[6] & 0x0f) | 0x40;
  bytes[8] = (bytes[8] & 0x3f) | 0x80;
  return `2.25.${BigInt(`0x${Array.from(bytes, (b) => b.toString(16).padStart(2, "0")).join("")}`)}`;
}

function dataSet(attributes: Attributes, syntax: Syntax): Uint8Array {
  const given = Object.entries(attributes).flatMap(([name, value]) =>
    value === undefined ? [] : [{ ...writtenTags[name as keyof Attributes], value: value as AttributeValue }],
  );
  return joinedBytes(given.sort((a, b) => a.tag - b.tag).map(({ tag, vr, value }) => element(tag, vr, value, syntax)));
}

function element(tag: number, vr: string, value: AttributeValue, syntax: Syntax): Uint8Array {
  const bytes = valueBytes(vr, value, syntax);
  const padded = bytes.length + (bytes.length % 2);
  const implicit = syntax === "implicit";
  const most = implicit || long.has(vr) ? longestValue : 0xfffe;
  if (padded > most)
    throw new DataError(`a DICOM file has no room for a value of ${padded} bytes in ${tagText(tag)}, of ${most} at most`);
  const head = new DataView(new ArrayBuffer(implicit || !long.has(vr) ? 8 : 12));
  head.setUint16(0, tag >>> 16, true);
  head.setUint16(2, tag & 0xffff, true);
  if (implicit) head.setUint32(4, padded, true);
  else {
    head.setUint8(4, vr.charCodeAt(0));
    head.setUint8(5, vr.charCodeAt(1));
    if (long.has(vr)) head.setUint32(8, padded, true);
    else head.setUint16(6, padded, true);
  }
  const fill = vr === "UI" || vr === "OB" ? 0 : 0x20;
  const end = padded > bytes.length ? [Uint8Array.of(fill)] : [];
  return joinedBytes([new Uint8Array(head.buffer), bytes, ...end]);
}

function valueBytes(vr: string, value: AttributeValue, syntax: Syntax): Uint8Array {
  if (value instanceof Uint8Array) return value;
  const all = (Array.isArray(value) ? value : [value]) as readonly (string | number | Attributes)[];
  if (vr === "SQ") return joinedBytes(all.map((one) => item(dataSet(one as Attributes, syntax))));
  if (vr === "AT") return words(all.flatMap((v) => [Number(v) >>> 16, Number(v) & 0xffff]));
  if (vr === "US") return words(all.map(Number));
  if (vr === "UL") return words(all.flatMap((v) => [Number(v) & 0xffff, Number(v) >>> 16]));
  const texts = all.map((v) => (typeof v === "number" ? decimalText(v) : String(v)));
  return new TextEncoder().encode(texts.join("\\"));
}

function words(values: readonly number[]): Uint8Array {
  const view = new DataView(new ArrayBuffer(2 * values.length));
  for (const [i, v] of values.entries()) view.setUint16(2 * i, v, true);
  return new Uint8Array(view.buffer);
}

function item(bytes: Uint8Array): Uint8Array {
  const head = new DataView(new ArrayBuffer(8));
  head.setUint32(0, 0xe000fffe, true);
  head.setUint32(4, bytes.length, true);
  return joinedBytes([new Uint8Array(head.buffer), bytes]);
}
