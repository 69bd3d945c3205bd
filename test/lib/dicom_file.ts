/** @file A tiny DICOM writer for tests: elements in, bytes out, in the plain encodings and with encapsulated fragments. */

import { deflateRawSync } from "node:zlib";

/** A value: text, numbers of the VR's type, bytes, items of a sequence, or fragments of packed pixels. */
export type DicomValue =
  | string
  | readonly number[]
  | Uint8Array
  | readonly Elements[]
  | { readonly fragments: readonly Uint8Array[] };
/** Elements by tag (0xggggeeee): VR and value. */
export type Elements = ReadonlyMap<number, readonly [vr: string, value: DicomValue]>;

export interface DicomEncoding {
  readonly syntax: string;
  readonly explicit: boolean;
  readonly littleEndian: boolean;
  readonly deflated?: boolean;
  /** Write sequences and items without their lengths. */
  readonly undefinedLengths?: boolean;
}

const base = "1.2.840.10008.1.2";
export const encodings = {
  implicit: { syntax: base, explicit: false, littleEndian: true },
  explicit: { syntax: `${base}.1`, explicit: true, littleEndian: true },
  delimited: { syntax: `${base}.1`, explicit: true, littleEndian: true, undefinedLengths: true },
  bigEndian: { syntax: `${base}.2`, explicit: true, littleEndian: false },
  deflated: { syntax: `${base}.1.99`, explicit: true, littleEndian: true, deflated: true },
  rle: { syntax: `${base}.5`, explicit: true, littleEndian: true },
  deflatedFrames: { syntax: `${base}.8.1`, explicit: true, littleEndian: true },
} as const satisfies Record<string, DicomEncoding>;

const long = new Set(["OB", "OD", "OF", "OL", "OV", "OW", "SQ", "UN", "UT"]);
const widths: Record<string, number> = { US: 2, SS: 2, OW: 2, UL: 4, SL: 4, FL: 4, OF: 4, FD: 8, OD: 8, OB: 1 };

function join(parts: readonly Uint8Array[]): Uint8Array {
  const out = new Uint8Array(parts.reduce((n, p) => n + p.length, 0));
  let at = 0;
  for (const part of parts) {
    out.set(part, at);
    at += part.length;
  }
  return out;
}

function numbers(vr: string, values: readonly number[], little: boolean): Uint8Array {
  const width = widths[vr];
  const view = new DataView(new ArrayBuffer(values.length * width));
  for (const [i, v] of values.entries()) {
    if (width === 1) view.setUint8(i, v);
    else if (width === 2) view.setUint16(2 * i, v & 0xffff, little);
    else if (vr === "FL" || vr === "OF") view.setFloat32(4 * i, v, little);
    else if (width === 4) view.setUint32(4 * i, v >>> 0, little);
    else view.setFloat64(8 * i, v, little);
  }
  return new Uint8Array(view.buffer);
}

function tagBytes(tag: number, little: boolean): Uint8Array {
  return numbers("US", [Math.floor(tag / 65536), tag % 65536], little);
}

function item(tag: number, length: number, little: boolean): Uint8Array {
  return join([tagBytes(tag, little), numbers("UL", [length], little)]);
}

function element(tag: number, vr: string, value: DicomValue, encoding: DicomEncoding): Uint8Array {
  const little = encoding.littleEndian;
  let bytes: Uint8Array;
  let length: number | undefined;
  if (typeof value === "string") {
    const text = new TextEncoder().encode(value);
    bytes = text.length % 2 === 0 ? text : join([text, new TextEncoder().encode(vr === "UI" ? "\0" : " ")]);
  } else if (value instanceof Uint8Array) {
    bytes = value.length % 2 === 0 ? value : join([value, Uint8Array.of(0)]);
  } else if ("fragments" in value) {
    length = 0xffffffff;
    bytes = join([
      ...value.fragments.flatMap((f) => [item(0xfffee000, f.length + (f.length % 2), little), f, new Uint8Array(f.length % 2)]),
      item(0xfffee0dd, 0, little),
    ]);
  } else if (vr === "SQ") {
    const open = encoding.undefinedLengths ?? false;
    const items = (value as readonly Elements[]).map((elements) => {
      const inner = dataSet(elements, encoding);
      if (!open) return join([item(0xfffee000, inner.length, little), inner]);
      return join([item(0xfffee000, 0xffffffff, little), inner, item(0xfffee00d, 0, little)]);
    });
    bytes = join(open ? [...items, item(0xfffee0dd, 0, little)] : items);
    if (open) length = 0xffffffff;
  } else {
    const raw = numbers(vr, value as readonly number[], little);
    bytes = raw.length % 2 === 0 ? raw : join([raw, Uint8Array.of(0)]);
  }
  length ??= bytes.length;
  const head = encoding.explicit
    ? long.has(vr)
      ? [new TextEncoder().encode(vr), Uint8Array.of(0, 0), numbers("UL", [length], little)]
      : [new TextEncoder().encode(vr), numbers("US", [length], little)]
    : [numbers("UL", [length], little)];
  return join([tagBytes(tag, little), ...head, bytes]);
}

/** Elements in the order of their tags. */
function dataSet(elements: Elements, encoding: DicomEncoding): Uint8Array {
  const sorted = [...elements].sort(([a], [b]) => a - b);
  return join(sorted.map(([tag, [vr, value]]) => element(tag, vr, value, encoding)));
}

/** A DICOM file with preamble and meta information. */
export function dicomFile(elements: Elements, encoding: DicomEncoding = encodings.explicit): Uint8Array<ArrayBuffer> {
  const plain = { syntax: "", explicit: true, littleEndian: true };
  const meta = dataSet(new Map([[0x00020010, ["UI", encoding.syntax] as const]]), plain);
  const body = dataSet(elements, encoding);
  const preamble = new Uint8Array(132);
  preamble.set(new TextEncoder().encode("DICM"), 128);
  return join([preamble, meta, encoding.deflated ? deflateRawSync(body) : body]) as Uint8Array<ArrayBuffer>;
}

/** An image of a series, as far as tests do not say otherwise. */
export interface SliceOptions {
  readonly series?: string;
  readonly instance?: number;
  readonly position?: readonly number[];
  readonly orientation?: readonly number[];
  readonly pixels?: readonly number[];
  readonly size?: readonly [columns: number, rows: number];
  /** Elements that are added or replaced; undefined takes one away. */
  readonly more?: Readonly<Record<number, readonly [vr: string, value: DicomValue] | undefined>>;
  readonly encoding?: DicomEncoding;
}

let count = 0;

/** A slice of 16-bit pixels. */
export function dicomSlice(options: SliceOptions = {}): Uint8Array<ArrayBuffer> {
  const { series = "1.2.3", instance = 1, size = [3, 2], orientation = [1, 0, 0, 0, 1, 0] } = options;
  const pixels = options.pixels ?? Array.from({ length: size[0] * size[1] }, (_, i) => i + 100 * instance);
  const elements = new Map<number, readonly [string, DicomValue]>([
    [0x00080016, ["UI", "1.2.840.10008.5.1.4.1.1.4"]],
    [0x00080018, ["UI", `1.2.9.${++count}`]],
    [0x00080060, ["CS", "MR"]],
    [0x0008103e, ["LO", "a series"]],
    [0x00100020, ["LO", "patient 1"]],
    [0x00180050, ["DS", "3"]],
    [0x0020000e, ["UI", series]],
    [0x00200013, ["IS", String(instance)]],
    [0x00200037, ["DS", orientation.join("\\")]],
    [0x00280002, ["US", [1]]],
    [0x00280004, ["CS", "MONOCHROME2"]],
    [0x00280010, ["US", [size[1]]]],
    [0x00280011, ["US", [size[0]]]],
    [0x00280030, ["DS", "2.5\\1.5"]],
    [0x00280100, ["US", [16]]],
    [0x00280101, ["US", [16]]],
    [0x00280102, ["US", [15]]],
    [0x00280103, ["US", [0]]],
    [0x7fe00010, ["OW", pixels]],
  ]);
  elements.set(0x00200032, ["DS", (options.position ?? [0, 0, 4 * instance]).join("\\")]);
  for (const [tag, value] of Object.entries(options.more ?? {})) {
    if (value) elements.set(Number(tag), value);
    else elements.delete(Number(tag));
  }
  return dicomFile(elements, options.encoding);
}

/** An object of many frames of 16-bit pixels, counted from 0, in one file. */
export function dicomFrames(
  [columns, rows, frames]: readonly [columns: number, rows: number, frames: number],
  more: Iterable<readonly [number, readonly [string, DicomValue]]>,
  encoding?: DicomEncoding,
): Uint8Array<ArrayBuffer> {
  const elements = new Map<number, readonly [string, DicomValue]>([
    [0x00080018, ["UI", "1.2.9.9"]],
    [0x0020000e, ["UI", "1.2.3"]],
    [0x00200037, ["DS", "1\\0\\0\\0\\1\\0"]],
    [0x00280002, ["US", [1]]],
    [0x00280004, ["CS", "MONOCHROME2"]],
    [0x00280008, ["IS", String(frames)]],
    [0x00280010, ["US", [rows]]],
    [0x00280011, ["US", [columns]]],
    [0x00280030, ["DS", "1\\1"]],
    [0x00280100, ["US", [16]]],
    [0x00280101, ["US", [16]]],
    [0x00280102, ["US", [15]]],
    [0x00280103, ["US", [0]]],
    [0x7fe00010, ["OW", Array.from({ length: columns * rows * frames }, (_, i) => i)]],
    ...more,
  ]);
  return dicomFile(elements, encoding);
}

/** The functional groups of a frame of an enhanced object, at a height and with an intercept of its own. */
export const frameGroups = (
  z: number,
  intercept: number,
  more: Iterable<readonly [number, readonly [string, DicomValue]]> = [],
): Elements =>
  new Map<number, readonly [string, DicomValue]>([
    [0x00209113, ["SQ", [new Map([[0x00200032, ["DS", `0\\0\\${z}`] as const]])]]],
    [
      0x00289145,
      [
        "SQ",
        [
          new Map([
            [0x00281053, ["DS", "1"] as const],
            [0x00281052, ["DS", String(intercept)] as const],
          ]),
        ],
      ],
    ],
    ...more,
  ]);

/** A frame of 16-bit words as RLE (PS3.5 annex G): the high bytes, then the low ones. */
export function rleFrame(words: Uint8Array): Uint8Array {
  const half = words.length / 2;
  const segments = [1, 0].map((byte) => packBits(Uint8Array.from({ length: half }, (_, i) => words[2 * i + byte])));
  const header = new DataView(new ArrayBuffer(64));
  [2, 64, 64 + segments[0].length].forEach((v, i) => header.setUint32(4 * i, v, true));
  return join([new Uint8Array(header.buffer), ...segments]);
}

/** Runs of a byte, and bytes as they are, in steps of at most 128; of even length. */
function packBits(bytes: Uint8Array): Uint8Array {
  const out = new Uint8Array(2 * bytes.length + 2);
  let length = 0;
  for (let at = 0, end = 0; at < bytes.length; at = end) {
    end = at + 1;
    while (end < bytes.length && end - at < 128 && bytes[end] === bytes[at]) end++;
    if (end - at > 2) {
      out[length++] = 257 - (end - at);
      out[length++] = bytes[at];
    } else {
      while (end < bytes.length && end - at < 128 && bytes[end] !== bytes[end - 1]) end++;
      out[length++] = end - at - 1;
      out.set(bytes.subarray(at, end), length);
      length += end - at;
    }
  }
  if (length % 2 === 1) out[length++] = 0x80;
  return out.subarray(0, length);
}

/** A file for the readers. */
export const imageFile = (bytes: Uint8Array<ArrayBuffer>, name = "image.dcm"): { name: string; blob: Blob } => ({
  name,
  blob: new Blob([bytes]),
});
