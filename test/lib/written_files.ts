/** @file Bytes of files that tests write by hand. */

/** Lines as the bytes of a file. */
export const text = (lines: readonly string[]): Uint8Array => new TextEncoder().encode(lines.join("\n"));
/** Bytes and texts, one behind the other. */
export const joined = (...parts: (Uint8Array | string)[]): Uint8Array =>
  new Uint8Array(Buffer.concat(parts.map((p) => Buffer.from(p as never))));
/** Bytes as a file. */
export const named = (name: string, bytes: Uint8Array): File => new File([bytes as Uint8Array<ArrayBuffer>], name);
