/**
 * @file What the header of a packed frame says of itself: JPEG and JPEG-LS by their frame marker (ISO/IEC 10918-1 B.2.2, 14495-1 C.2.2), JPEG 2000 by
 * SIZ (15444-1 A.5.1). Compared with the DICOM header before a codec, which would believe it, asks for memory.
 */

import type { Fail } from "../../../host/bytes/budget.ts";

/** What unpacks a JPEG, by the marker of its frame header. */
export type JpegKind = "jpeg" | "jpegLossless" | "jpegLs";

/** Size and type of a packed picture. */
export interface Codestream {
  /** Of a JPEG: which kind it is, whatever its file says. */
  readonly kind?: JpegKind;
  readonly width: number;
  readonly height: number;
  readonly components: number;
  /** Bits per value. */
  readonly precision: number;
  /** JPEG's component identifiers. */
  readonly ids: readonly number[];
  /** Color transform of Adobe's marker: 0 none, 1 YCbCr. */
  readonly adobe?: number;
  /** Where that number stands. */
  readonly adobeAt?: number;
  /** Where JFIF's marker stands, which stands for YCbCr. */
  readonly jfifAt?: number;
  /** Where JPEG 2000 says of its first component that its values have signs; the same of further ones every 3 bytes. */
  readonly signAt?: number;
}

/** Kinds by marker: sequential and progressive with Huffman codes, lossless, JPEG-LS. Arithmetic and hierarchical ones no codec reads. */
const kinds: Readonly<Record<number, JpegKind>> = {
  0xc0: "jpeg",
  0xc1: "jpeg",
  0xc2: "jpeg",
  0xc3: "jpegLossless",
  0xf7: "jpegLs",
};

/** Reads the header of JPEG and JPEG-LS. */
export function jpegHeader(bytes: Uint8Array, fail: Fail): Codestream {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (bytes[0] !== 0xff || bytes[1] !== 0xd8) throw fail("a packed frame is no JPEG: it does not begin with FFD8");
  let adobeAt: number | undefined;
  let jfifAt: number | undefined;
  for (let at = 2; at + 10 <= bytes.length;) {
    if (bytes[at] !== 0xff) throw fail(`a JPEG frame is damaged: byte ${at} is no marker`);
    const marker = bytes[at + 1];
    if (marker === 0xff) {
      at++;
      continue;
    }
    const length = view.getUint16(at + 2);
    const text = String.fromCharCode(...bytes.subarray(at + 4, at + 9));
    if (marker === 0xe0 && text.startsWith("JFIF")) jfifAt = at + 4;
    if (marker === 0xee && text === "Adobe" && length >= 14) adobeAt = at + 15;
    const isFrame = (marker >= 0xc0 && marker <= 0xcf && ![0xc4, 0xc8, 0xcc].includes(marker)) || marker === 0xf7;
    if (isFrame) {
      const components = bytes[at + 9];
      const ids = Array.from({ length: components }, (_, i) => bytes[at + 10 + 3 * i]);
      const adobe = adobeAt === undefined ? undefined : bytes[adobeAt];
      const [height, width] = [view.getUint16(at + 5), view.getUint16(at + 7)];
      const kind = kinds[marker];
      if (!kind)
        throw fail(
          `a JPEG frame is of the kind FF${marker.toString(16).toUpperCase()}, which no maintained codec reads; unpack the file, for example with dcmdjpeg`,
        );
      return { kind, precision: bytes[at + 4], height, width, components, ids, adobe, adobeAt, jfifAt };
    }
    at += 2 + length;
  }
  throw fail("a JPEG frame has no frame header; it is cut short or damaged");
}

/** Reads the header of JPEG 2000 and HTJ2K, bare or in JP2's boxes. */
export function waveletHeader(bytes: Uint8Array, fail: Fail): Codestream {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let at = 0;
  while (at + 50 <= bytes.length && at < 4096 && view.getUint32(at) !== 0xff4fff51) at++;
  if (at + 43 > bytes.length || view.getUint32(at) !== 0xff4fff51)
    throw fail("a packed frame is no JPEG 2000: it has no SIZ marker");
  const word = (i: number) => view.getUint32(at + 8 + 4 * i);
  return {
    width: word(0) - word(2),
    height: word(1) - word(3),
    components: view.getUint16(at + 40),
    precision: (bytes[at + 42] & 0x7f) + 1,
    ids: [],
    ...(bytes[at + 42] & 0x80 && { signAt: at + 42 }),
  };
}

/**
 * A JPEG 2000 of signed values that claims to have none: all come out higher by half of their range, which is the one thing that the sign changes (15444-1
 * G.1).
 */
export function withoutSigns(bytes: Uint8Array, { signAt = 0, components }: Codestream): Uint8Array {
  const out = bytes.slice();
  for (let i = 0; i < components; i++) out[signAt + 3 * i] &= 0x7f;
  return out;
}

/** A JPEG whose markers say that its components are stored as they are, so that a decoder leaves them so: Adobe's, and not JFIF's, which goes first. */
export function withoutTransform(bytes: Uint8Array, { adobeAt, jfifAt }: Codestream): Uint8Array {
  const marker = adobeAt === undefined ? [0xff, 0xee, 0, 14, ...new TextEncoder().encode("Adobe"), 0, 100, 0, 0, 0, 0, 0] : [];
  const out = new Uint8Array(bytes.length + marker.length);
  out.set([0xff, 0xd8]);
  out.set(marker, 2);
  out.set(bytes.subarray(2), 2 + marker.length);
  for (const at of [adobeAt, jfifAt]) if (at !== undefined) out[at + marker.length] = 0;
  return out;
}
