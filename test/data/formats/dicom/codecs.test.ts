/** @file Packed DICOM frames made by hand; `codecs.full.test.ts` has those that need an encoder. */

import { expect, test } from "vitest";
import { readDicom } from "../../../../src/data/formats/dicom/read_dicom.ts";
import { type DicomValue, dicomSlice, imageFile } from "../../../lib/dicom_file.ts";
import { readFixture } from "../../../lib/fixture.ts";

/** A file of 3×2 pixels of 8 bits whose frame is packed. */
function packed(end: string, frame: Uint8Array): Uint8Array<ArrayBuffer> {
  const pixels: DicomValue = { fragments: [new Uint8Array(0), frame] };
  return dicomSlice({
    encoding: { syntax: `1.2.840.10008.1.2.4.${end}`, explicit: true, littleEndian: true },
    more: { 0x7fe00010: ["OB", pixels], 0x00280100: ["US", [8]], 0x00280101: ["US", [8]], 0x00280102: ["US", [7]] },
  });
}

/** ISO/IEC 10918-1 H: differences of categories 0 and 1, coded as 0 and 10, from the pixel to the left, or above in the first column. */
function losslessJpeg(differences: readonly number[], size: readonly [columns: number, rows: number]): Uint8Array {
  const bits = differences.map((d) => (d === 0 ? "0" : d > 0 ? "101" : "100")).join("");
  const bytes = (bits.padEnd(Math.ceil(bits.length / 8) * 8, "1").match(/.{8}/g) ?? []).map((b) => Number.parseInt(b, 2));
  const head = [
    [0xff, 0xd8],
    [0xff, 0xc3, 0, 11, 8, 0, size[1], 0, size[0], 1, 1, 0x11, 0],
    [0xff, 0xc4, 0, 21, 0, 1, 1, ...new Array<number>(14).fill(0), 0, 1],
    [0xff, 0xda, 0, 8, 1, 1, 0, 1, 0, 0],
  ].flat();
  return Uint8Array.from([...head, ...bytes, 0xff, 0xd9]);
}

test("lossless JPEG: every voxel, the last too", async () => {
  const frame = losslessJpeg([0, 1, 1, -1, 0, 1], [3, 2]);
  const pixels = [128, 129, 130, 127, 127, 128];
  const volume = await readDicom(imageFile(packed("70", frame)));
  expect(pixels.map((_, i) => volume.data[(i % 3) * 2 + Math.floor(i / 3)])).toEqual(pixels);
});

test("a frame that is another JPEG than the file says is unpacked as what it is", async () => {
  const frame = losslessJpeg([0, 1, 1, -1, 0, 1], [3, 2]);
  for (const end of ["50", "80"]) expect((await readDicom(imageFile(packed(end, frame)))).data[5]).toBe(128);
  const arithmetic = Uint8Array.from(frame);
  arithmetic[3] = 0xc9;
  await expect(readDicom(imageFile(packed("70", arithmetic)))).rejects.toThrow(
    /of the kind FFC9, which no maintained codec reads/,
  );
});

test("JPEG of 12 bits is refused by name", async () => {
  const frame = Uint8Array.from([0xff, 0xd8, 0xff, 0xc1, 0, 11, 12, 0, 2, 0, 3, 1, 1, 0x11, 0, 0xff, 0xd9]);
  await expect(readDicom(imageFile(packed("51", frame)))).rejects.toThrow(/JPEG has 12 bits/);
});

test("JPEG 2000 and HTJ2K of signed bytes: those below 0 are not cut to 0", async () => {
  const { values, syntaxes } = readFixture<{
    signedFrames: { readonly values: string; readonly syntaxes: Readonly<Record<string, string>> };
  }>("odd_images.json").signedFrames;
  const [columns, rows] = [40, 30];
  const expected = [...new Int8Array(Buffer.from(values, "base64"))];
  for (const [end, frame] of Object.entries(syntaxes)) {
    const volume = await readDicom(
      imageFile(
        dicomSlice({
          size: [columns, rows],
          encoding: { syntax: `1.2.840.10008.1.2.4.${end}`, explicit: true, littleEndian: true },
          more: {
            0x7fe00010: ["OB", { fragments: [new Uint8Array(0), Buffer.from(frame, "base64")] }],
            0x00280100: ["US", [8]],
            0x00280101: ["US", [8]],
            0x00280102: ["US", [7]],
            0x00280103: ["US", [1]],
          },
        }),
      ),
    );
    expect(expected.map((_, i) => volume.data[(i % columns) * rows + Math.floor(i / columns)])).toEqual(expected);
  }
});
