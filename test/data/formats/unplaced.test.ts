/** @file Files that do not say which way is left and right are told by `meta.unplaced`, and only these. */

import { expect, test } from "vitest";
import { type AffineMatrix, makeVolume, readImage, writeImage, writeNifti } from "../../../src/data/index.ts";
import { dicomSlice } from "../../lib/dicom_file.ts";

const affine: AffineMatrix = [
  [-1, 0, 0, 3],
  [0, 2, 0, -4],
  [0, 0, 3, 5],
  [0, 0, 0, 1],
];
const volume = makeVolume({ data: Uint8Array.from({ length: 24 }, (_, i) => i), shape: [1, 4, 3, 2] }, affine);

const read = async (name: string, bytes: Uint8Array) => (await readImage(bytes, { name })).meta.unplaced;
const written = async (name: string, of = volume) => read(name, (await writeImage(name, of))[0].bytes);

test.each(["a.nii", "a.nii.gz", "a.nrrd", "a.mha", "a.mgh"])("%s is placed", async (name) => {
  expect(await written(name)).toBeUndefined();
});

test.each(["a.npy", "a.tif"])("%s is not", async (name) => {
  expect(await written(name)).toBe(true);
});

test("a picture is not", async () => {
  expect(await written("a.png", makeVolume({ data: Uint8Array.of(1, 2, 3, 4), shape: [1, 2, 2, 1] }))).toBe(true);
});

test("a NIfTI file is by its sform or by its qform, and not without either", async () => {
  const bytes = await writeNifti(volume);
  const coded = async (qform: number, sform: number) => {
    const file = bytes.slice();
    const view = new DataView(file.buffer);
    view.setInt16(252, qform, true);
    view.setInt16(254, sform, true);
    return read("a.nii", file);
  };
  expect([await coded(1, 0), await coded(0, 2), await coded(0, 0)]).toEqual([undefined, undefined, true]);
});

test("an NRRD file is not without space directions", async () => {
  const text = (more: string) => `NRRD0004\ntype: uint8\ndimension: 3\nsizes: 2 1 1\nencoding: raw\n${more}\n\n`;
  const file = (more: string) => Uint8Array.from([...new TextEncoder().encode(text(more)), 1, 2]);
  expect(await read("a.nrrd", file("spacings: 1 1 2"))).toBe(true);
  expect(await read("a.nrrd", file("space: left-posterior-superior\nspace directions: (1,0,0) (0,1,0) (0,0,2)"))).toBeUndefined();
});

test("an MGH file is not where its flag says that nothing is known", async () => {
  const [{ bytes }] = await writeImage("a.mgh", volume);
  const flagged = (goodRas: number) => {
    const file = bytes.slice();
    new DataView(file.buffer).setInt16(28, goodRas);
    return read("a.mgh", file);
  };
  expect([await flagged(1), await flagged(0), await flagged(-1)]).toEqual([undefined, true, true]);
});

test("a DICOM file is not without its position", async () => {
  const slice = { size: [2, 2], pixels: [1, 2, 3, 4] } as const;
  expect(await read("a.dcm", dicomSlice({ ...slice, position: [0, 0, 0] }))).toBeUndefined();
  expect(await read("a.dcm", dicomSlice({ ...slice, more: { 0x00200032: undefined } }))).toBe(true);
});
