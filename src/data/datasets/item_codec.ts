/**
 * @file Items as bytes and back, for caches on disk: JSON for what is small, then the typed arrays one after the other. A file of another version,
 * one that is cut short, or has a byte that is another, is refused.
 */

import { expectKinds } from "../../host/kinds.ts";
import { failing } from "../../host/bytes/budget.ts";
import { DataError } from "../../host/errors.ts";
import { bytesOf, type TypedArray } from "../../host/array.ts";

const magic = "voxgrad item 2";
// "voxgrad item 2 89abcdef\n": of all that is behind it.
const checked = magic.length + 10;

/** Word by word: a CRC, which goes by bytes, takes several times as long as reading them. Another word, if it is the only one, always gives another sum. */
function checksum(bytes: Uint8Array): string {
  const rest = bytes.subarray(checked);
  const { buffer, byteOffset, length } = rest.byteOffset % 4 === 0 ? rest : new Uint8Array(rest);
  const words = new Uint32Array(buffer, byteOffset, Math.floor(length / 4));
  let sum = 0;
  for (let i = 0; i < words.length; i++) {
    sum = Math.imul(sum ^ words[i], 0x9e3779b1);
    sum ^= sum >>> 15; // a product moves bits up alone: without it, two turned signs would cancel
  }
  return (sum >>> 0).toString(16).padStart(8, "0");
}

const arrayTypes = {
  Float32Array,
  Float64Array,
  Int32Array,
  Uint32Array,
  Int16Array,
  Uint16Array,
  Int8Array,
  Uint8Array,
} as const;
type ArrayName = keyof typeof arrayTypes;

/** An array's place behind the JSON. */
interface Place {
  readonly $array: ArrayName;
  readonly at: number;
  readonly length: number;
}

// Element sizes go up to eight bytes.
const aligned = (n: number): number => Math.ceil(n / 8) * 8;
const special = new Map<number, string>([
  [NaN, "NaN"],
  [Infinity, "Infinity"],
  [-Infinity, "-Infinity"],
]);

/** The error of a record or list that is endless. */
export const inItself = (): DataError => new DataError("encodeItem: a record or list that lies in itself has no form in bytes");

/** What JSON has no word for where it cannot be left out. */
const none = { $none: true };

const noData = (value: unknown): DataError =>
  new DataError(
    `encodeItem: ${typeof value === "object" ? Object.prototype.toString.call(value) : `a ${typeof value}`} has no form in bytes; expected records, lists, texts, numbers and typed arrays`,
  );

/** Whether a value is a record of what it shows, unlike a Map, a Date or a Blob. */
export const isPlainRecord = (value: object): boolean => Object.prototype.toString.call(value) === "[object Object]";

/** A value of plain records, lists, strings, numbers, booleans and typed arrays as bytes. @throws DataError for what is none of these */
export function encodeItem(value: unknown): Uint8Array<ArrayBuffer> {
  const arrays: TypedArray[] = [];
  let size = 0;
  const around = new Set<unknown>();
  const plain = (v: unknown): unknown => {
    if (around.has(v)) throw inItself();
    if (typeof v === "number" && !Number.isFinite(v)) return { $number: special.get(v) };
    if (ArrayBuffer.isView(v)) {
      const array = v as TypedArray;
      const type = array.constructor.name === "Buffer" ? "Uint8Array" : array.constructor.name;
      if (!Object.hasOwn(arrayTypes, type)) throw noData(v);
      const place = {
        $array: type,
        at: size,
        length: array.length,
      };
      arrays.push(array);
      size = aligned(size + array.byteLength);
      return place;
    }
    if (typeof v === "object" && v !== null) {
      if (!Array.isArray(v) && !isPlainRecord(v)) throw noData(v);
      around.add(v);
      const made = Array.isArray(v)
        ? v.map((w) => (w === undefined ? none : plain(w)))
        : Object.fromEntries(Object.entries(v).map(([k, w]) => [k, plain(w)]));
      around.delete(v);
      return made;
    }
    if (typeof v === "function" || typeof v === "bigint" || typeof v === "symbol") throw noData(v);
    return v;
  };
  const json = new TextEncoder().encode(JSON.stringify(value === undefined ? none : plain(value)));
  const head = new TextEncoder().encode(`${magic} 00000000\n${json.length} ${size}\n`);
  const start = aligned(head.length + json.length);
  const out = new Uint8Array(start + size);
  out.set(head);
  out.set(json, head.length);
  let at = start;
  for (const array of arrays) {
    out.set(bytesOf(array), at);
    at += aligned(array.byteLength);
  }
  out.set(new TextEncoder().encode(checksum(out)), magic.length + 1);
  return out;
}

/** The value that `encodeItem` was given. @param source what the bytes are, for messages. @throws FormatError for other bytes */
export function decodeItem(bytes: Uint8Array, source: string): unknown {
  expectKinds("decodeItem", { bytes: { bytes }, text: { source } });
  const fail = failing(`decodeItem: ${source}`);
  const head = new TextDecoder("latin1").decode(bytes.subarray(0, 64));
  const match = /^voxgrad item 2 ([\da-f]{8})\n(\d+) (\d+)\n/.exec(head);
  if (!match) throw fail("it is no cached item of this version");
  const jsonLength = Number(match[2]);
  const start = aligned(match[0].length + jsonLength);
  if (bytes.length !== start + Number(match[3]))
    throw fail(`it has ${bytes.length} bytes, its head says ${start + Number(match[3])}`);
  if (checksum(bytes) !== match[1]) throw fail("its checksum is another: it is damaged");
  let parsed: unknown;
  try {
    parsed = JSON.parse(new TextDecoder().decode(bytes.subarray(match[0].length, match[0].length + jsonLength)));
  } catch (cause) {
    throw fail(`its JSON is damaged: ${(cause as Error).message}`);
  }
  const whole = (v: unknown): unknown => {
    if (Array.isArray(v)) return v.map(whole);
    if (typeof v !== "object" || v === null) return v;
    if ("$none" in v) return undefined;
    if ("$number" in v) return Number(v.$number);
    if ("$array" in v) return arrayAt(v as Place);
    return Object.fromEntries(Object.entries(v).map(([k, w]) => [k, whole(w)]));
  };
  const arrayAt = ({ $array, at, length }: Place): TypedArray => {
    const Type = Object.hasOwn(arrayTypes, $array) ? arrayTypes[$array] : undefined;
    if (!Type || !(at >= 0 && length >= 0) || start + at + length * Type.BYTES_PER_ELEMENT > bytes.length)
      throw fail(`an array of ${length} ${String($array)} at ${at} does not lie in it`);
    const from = start + at;
    // Not bytes.slice(): a Buffer's shares memory.
    const own: Uint8Array<ArrayBuffer> = Uint8Array.prototype.slice.call(bytes, from, from + length * Type.BYTES_PER_ELEMENT);
    return new Type(own.buffer);
  };
  return whole(parsed);
}
