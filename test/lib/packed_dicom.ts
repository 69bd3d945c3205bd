/** @file DICOM files whose pixels are packed, by the packages that unpack them. */

import { execFileSync } from "node:child_process";
import { dicomSlice, type SliceOptions } from "./dicom_file.ts";

export const [columns, rows] = [40, 30];
export const values = Array.from({ length: columns * rows }, (_, i) => ((i * i) % 1021) + 4 * i);
const syntax = (end: string) => ({ syntax: `1.2.840.10008.1.2.4.${end}`, explicit: true, littleEndian: true });
/** A DICOM file of the transfer syntax 1.2.840.10008.1.2.4.`end`. */
export const packed = (end: string, frame: Uint8Array, more: SliceOptions["more"] = {}): Uint8Array<ArrayBuffer> =>
  dicomSlice({
    size: [columns, rows],
    encoding: syntax(end),
    more: { 0x7fe00010: ["OB", { fragments: [new Uint8Array(0), frame] }], ...more },
  });

// In a process of its own: a module of these packages can be made once in each.
const encoder = `
  const [name, type, columns, rows, values] = JSON.parse(process.argv[1]);
  const { default: load } = await import(name);
  const module = await load({ print() {}, printErr() {} });
  const encoder = new module[type]();
  const info = { width: columns, height: rows, bitsPerSample: 16, componentCount: 1, isSigned: false, isUsingColorTransform: false };
  encoder.getDecodedBuffer(info).set(new Uint8Array(Uint16Array.from(values).buffer));
  encoder.setQuality?.(true, 0);
  encoder.setDecompositions?.(2);
  encoder.encode();
  process.stdout.write(Buffer.from(encoder.getEncodedBuffer()).toString("base64"));
`;

/** The values, packed by a class of a package. */
export function encode(name: string, type: string): Uint8Array {
  const args = ["--input-type=module", "-e", encoder, JSON.stringify([name, type, columns, rows, values])];
  return Uint8Array.from(Buffer.from(execFileSync(process.execPath, args, { encoding: "utf8" }), "base64"));
}
