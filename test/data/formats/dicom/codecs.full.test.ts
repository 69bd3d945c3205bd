/** @file Packed DICOM frames, encoded by the packages that decode them; what does not fit the header is refused before a codec sees it. */

import { expect, test } from "vitest";
import { setDicomCodec } from "../../../../src/data/formats/dicom/codecs.ts";
import { readDicom } from "../../../../src/data/formats/dicom/read_dicom.ts";
import { ConfigError } from "../../../../src/host/errors.ts";
import { imageFile } from "../../../lib/dicom_file.ts";
import { columns, encode, packed, rows, values } from "../../../lib/packed_dicom.ts";

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
