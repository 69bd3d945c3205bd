/** @file Packed DICOM frames, encoded by the packages that decode them; what does not fit the header is refused before a codec sees it. */

import { execFileSync } from "node:child_process";
import { expect, test } from "vitest";
import { setDicomCodec } from "../../../../src/data/formats/dicom/codecs.ts";
import { readDicom } from "../../../../src/data/formats/dicom/read_dicom.ts";
import { ConfigError } from "../../../../src/host/errors.ts";
import { dicomSlice, imageFile, type SliceOptions } from "../../../lib/dicom_file.ts";

const [columns, rows] = [40, 30];
const values = Array.from({ length: columns * rows }, (_, i) => ((i * i) % 1021) + 4 * i);
const syntax = (end: string) => ({ syntax: `1.2.840.10008.1.2.4.${end}`, explicit: true, littleEndian: true });
const packed = (end: string, frame: Uint8Array, more: SliceOptions["more"] = {}): Uint8Array<ArrayBuffer> =>
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

function encode(name: string, type: string): Uint8Array {
  const args = ["--input-type=module", "-e", encoder, JSON.stringify([name, type, columns, rows, values])];
  return Uint8Array.from(Buffer.from(execFileSync(process.execPath, args, { encoding: "utf8" }), "base64"));
}

test.for([
  ["80", "@cornerstonejs/codec-charls/wasmjs", "JpegLSEncoder"],
  ["90", "@cornerstonejs/codec-openjpeg/wasmjs", "J2KEncoder"],
  ["201", "@cornerstonejs/codec-openjph", "HTJ2KEncoder"],
] as const)("transfer syntax …4.%s: every voxel", async ([end, name, type]) => {
  const frame = encode(name, type);
  const volume = await readDicom(imageFile(packed(end, frame)));
  expect(Array.from({ length: values.length }, (_, i) => volume.data[(i % columns) * rows + Math.floor(i / columns)])).toEqual(
    values,
  );
  const other = { 0x00280010: ["US", [rows - 1]] } as const;
  await expect(readDicom(imageFile(packed(end, frame, other)))).rejects.toThrow(
    /a packed frame has 40×30 pixels of 1 samples, the header says 40×29/,
  );
  await expect(readDicom(imageFile(packed(end, frame.slice(0, 40))))).rejects.toThrow(
    /readDicom: image\.dcm: .*(cut short|no SIZ|damaged)/,
  );
});

test("a codec that a page imports itself: the build that needs no file beside it", async () => {
  const frame = encode("@cornerstonejs/codec-openjpeg/wasmjs", "J2KEncoder");
  const name = "@cornerstonejs/codec-openjpeg/decode";
  setDicomCodec("jpeg2000", () => import(name));
  expect((await readDicom(imageFile(packed("90", frame)))).data[rows]).toBe(values[1]);
  setDicomCodec("jpeg2000", () => Promise.reject(new TypeError("Failed to fetch dynamically imported module")));
  await expect(readDicom(imageFile(packed("90", frame)))).rejects.toThrow(/npm install @cornerstonejs\/codec-openjpeg/);
  expect(() => setDicomCodec("gif" as "jpeg", () => import(name))).toThrow(ConfigError);
});
