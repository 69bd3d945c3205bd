/** @file Little-endian numbers, as the headers of archives have them. */

/** A number and how many bytes it takes. */
export type Word = readonly [value: number, bytes: 2 | 4 | 8];

/** The bytes of numbers one after the other. */
export function words(...list: readonly Word[]): Uint8Array<ArrayBuffer> {
  const out = new Uint8Array(list.reduce((n, [, bytes]) => n + bytes, 0));
  const view = new DataView(out.buffer);
  let at = 0;
  for (const [value, bytes] of list) {
    if (bytes === 2) view.setUint16(at, value, true);
    else if (bytes === 4) view.setUint32(at, value, true);
    else view.setBigUint64(at, BigInt(value), true);
    at += bytes;
  }
  return out;
}

/** Parts one after the other. */
export function joinedBytes(parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const out = new Uint8Array(parts.reduce((n, { length }) => n + length, 0));
  let at = 0;
  for (const part of parts) {
    out.set(part, at);
    at += part.length;
  }
  return out;
}
