/** @file Files that are not read, or not alone: the error says what they are and what to do. */

import { gzipSync } from "node:zlib";
import { expect, test } from "vitest";
import { readImage, writeImage } from "../../../src/data/formats/read_image.ts";
import { identityAffine, makeVolume } from "../../../src/data/volume.ts";
import { FormatError } from "../../../src/host/errors.ts";
import { named } from "../../lib/written_files.ts";

const refusal = (file: File): Promise<unknown> =>
  readImage(file).then(
    () => "read",
    (error: unknown) => (error instanceof FormatError ? error.message : error),
  );
const bytes = (length: number, at = 0, ...values: number[]): Uint8Array => {
  const out = new Uint8Array(length);
  out.set(values, at);
  return out;
};

test("voxels without their header name it, packed or not", async () => {
  expect(await refusal(named("a.img", bytes(48)))).toMatch(/voxels alone.*header \(a\.hdr, a\.hdr\.gz\).*give both files/);
  expect(await refusal(named("a.img.gz", gzipSync(bytes(48))))).toMatch(/voxels alone.*a\.hdr/);
  expect(await refusal(named("a.zraw", bytes(48)))).toMatch(/voxels alone.*a\.mhd/);
});

test("pictures and images of other formats are called by their names", async () => {
  expect(await refusal(named("a.bmp", bytes(60, 0, 0x42, 0x4d)))).toMatch(/BMP.*PNG/);
  for (const magic of [
    [0x2a, 0xe3, 0x89, 0xb8],
    [0xef, 0xff, 0xe9, 0xb0],
  ]) {
    const gipl = bytes(300, 252, ...magic);
    for (const name of ["a.gipl", "b"]) expect(await refusal(named(name, gipl))).toMatch(/GIPL.*convert/);
    expect(await refusal(named("a.gipl.gz", gzipSync(gipl)))).toMatch(/GIPL/);
  }
});

test("compressions of TIFF that are not read have names", async () => {
  const [{ bytes: tiff }] = await writeImage(
    "a.tif",
    makeVolume({ data: new Uint8Array(4), shape: [1, 2, 2, 1] }, identityAffine),
  );
  const view = new DataView(tiff.buffer, tiff.byteOffset);
  const directory = view.getUint32(4, true);
  const entries = Array.from({ length: view.getUint16(directory, true) }, (_, i) => directory + 2 + 12 * i);
  const place = entries.find((e) => view.getUint16(e, true) === 259)! + 8;
  for (const [code, name] of [
    [6, "JPEG, old style"],
    [50000, "zstd"],
    [50001, "WebP"],
    [34925, "LZMA"],
  ] as const) {
    view.setUint16(place, code, true);
    expect(await refusal(named("a.tif", tiff))).toContain(`compression ${code} (${name}) is not read`);
  }
  view.setUint16(place, 999, true);
  expect(await refusal(named("a.tif", tiff))).toContain("compression 999 is not read");
});
