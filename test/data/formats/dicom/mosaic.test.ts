/** @file Mosaics of Siemens scanners: taken apart into slices with the places these have, several of them in time; those that say too little stay pictures. */

import { expect, test } from "vitest";
import { readDicom } from "../../../../src/data/formats/dicom/read_dicom.ts";
import { listSeries, readSeries } from "../../../../src/data/formats/dicom/series.ts";
import { dicomSlice, encodings, imageFile } from "../../../lib/dicom_file.ts";
import { csaHeader, mosaic, type MosaicOptions, picture, up } from "../../../lib/mosaic_file.ts";

const read = (options?: MosaicOptions) => readDicom(imageFile(dicomSlice(mosaic(options))));

/** Spacings of 1.5 across and 2.5 down: the first tile's corner is 3/2 columns and 2/2 rows inside of the picture's. */
const [left, top] = [10 + 1.5 * 1.5, -20 + 2.5];

test("a mosaic is the volume of its slices; the corner is the first tile's, half the other tiles away from the picture's", async () => {
  const volume = await read();
  expect(volume.shape).toEqual([1, 3, 2, 3]);
  expect([...volume.data]).toEqual([0, 10, 20, 3, 13, 23, 1, 11, 21, 4, 14, 24, 2, 12, 22, 5, 15, 25]);
  expect(volume.affine).toEqual([
    [-1.5, 0, 0, -left],
    [0, -2.5, 0, -top],
    [0, 0, 4, 5],
    [0, 0, 0, 1],
  ]);
  expect(volume.meta).not.toHaveProperty("notes");
  expect(volume.meta).not.toHaveProperty("timeStep");
});

test("slices that go against row × column go down", async () => {
  const down = csaHeader({ NumberOfImagesInMosaic: ["3"], SliceNormalVector: ["0.0", "0.0", "-1.0"] });
  const volume = await read({ csa: down });
  expect(volume.affine[2]).toEqual([0, 0, -4, 5]);
  expect([...volume.data.subarray(0, 3)]).toEqual([0, 10, 20]);
});

test.for(["implicit", "bigEndian", "deflated"] as const)("%s: the same volume", async (name) => {
  const volume = await read({ encoding: encodings[name] });
  expect([...volume.data.subarray(0, 6)]).toEqual([0, 10, 20, 3, 13, 23]);
  expect(volume.affine[2]).toEqual([0, 0, 4, 5]);
});

test("the older CSA header, and the private number of images beside none, are read", async () => {
  const old = csaHeader({ Echo: ["1", "2"], NumberOfImagesInMosaic: ["3"], SliceNormalVector: ["0.0", "0.0", "-1.0"] }, false);
  expect((await read({ csa: old })).affine[2]).toEqual([0, 0, -4, 5]);
  const volume = await read({ more: { 0x00291010: undefined, 0x0019100a: ["US", [4]] } });
  expect(volume.shape).toEqual([1, 3, 2, 4]);
  expect(volume.meta.notes).toEqual([
    "a Siemens mosaic without SliceNormalVector: its slices are taken to ascend along row × column",
  ]);
});

test("an item whose length means nothing ends its entry in the older CSA header, and the whole table in the other", async () => {
  const entries = { Odd: ["1", "2"], NumberOfImagesInMosaic: ["3"], SliceNormalVector: ["0.0", "0.0", "-1.0"] };
  for (const length of [-5, 1_000_000]) {
    const old = await read({ csa: csaHeader(entries, false, { name: "Odd", length }) });
    expect([old.shape, old.affine[2]]).toEqual([[1, 3, 2, 3], [0, 0, -4, 5]]); // oxfmt-ignore
    const marked = await read({ csa: csaHeader(entries, true, { name: "Odd", length }) });
    expect(marked.shape).toEqual([1, 6, 4, 1]);
  }
});

test("colors of a mosaic stay with their pixels, side by side or in planes", async () => {
  const samples = picture.flatMap((v) => [v, v + 100, v + 200]);
  const planes = [0, 100, 200].flatMap((by) => picture.map((v) => v + by));
  for (const [planar, values] of [samples, planes].entries()) {
    const bytes = Uint8Array.from(values);
    const volume = await read({
      more: {
        0x00280002: ["US", [3]],
        0x00280004: ["CS", "RGB"],
        0x00280006: ["US", [planar]],
        0x00280100: ["US", [8]],
        0x00280101: ["US", [8]],
        0x00280102: ["US", [7]],
        0x7fe00010: ["OB", bytes],
      },
    });
    expect(volume.shape).toEqual([3, 3, 2, 3]);
    expect([...volume.data.subarray(0, 3), ...volume.data.subarray(18, 21), ...volume.data.subarray(36, 39)]).toEqual([
      0, 10, 20, 100, 110, 120, 200, 210, 220,
    ]);
  }
});

test("mosaics of a series are its times, a repetition apart; their files may stand in any order", async () => {
  const later = picture.map((v) => v + 100);
  const files = [mosaic({ instance: 2, pixels: later }), mosaic({ instance: 1 })].map((s, i) =>
    imageFile(dicomSlice(s), `IM${i}`),
  );
  const [info] = await listSeries(files);
  expect(info).toMatchObject({ size: [3, 2], count: 6, stack: 0 });
  const volume = await readSeries(files);
  expect(volume.shape).toEqual([2, 3, 2, 3]);
  expect([...volume.data.subarray(0, 3), ...volume.data.subarray(18, 21)]).toEqual([0, 10, 20, 100, 110, 120]);
  expect(volume.meta.timeStep).toBe(2.5);
  expect(volume.affine[0][3]).toBe(-left);
});

test("mosaics that something else than time tells apart are no times, nor those whose numbers have gaps", async () => {
  const series = async (...more: readonly { readonly instance: number; readonly more?: MosaicOptions["more"] }[]) =>
    (await readSeries(more.map((options, i) => imageFile(dicomSlice(mosaic(options)), `IM${i}`)))).meta.timeStep;
  const echo = (instance: number, ms: number) => ({ instance, more: { 0x00180081: ["DS", String(ms)] as const } });
  const acquired = (instance: number, number: number) => ({ instance, more: { 0x00200012: ["IS", String(number)] as const } });
  expect(await series(echo(1, 10), echo(2, 10))).toBe(2.5);
  expect(await series(echo(1, 10), echo(2, 20))).toBeUndefined();
  expect(await series(acquired(1, 1), acquired(2, 2), acquired(3, 3))).toBe(2.5);
  expect(await series(acquired(1, 1), acquired(2, 2), acquired(4, 4))).toBeUndefined();
});

test("more slices than a volume has are nonsense, and no memory is asked for them", async () => {
  const many = csaHeader({ NumberOfImagesInMosaic: ["4096"] });
  const size = { 0x00280010: ["US", [64]], 0x00280011: ["US", [64]] } as const;
  expect((await read({ csa: many, pixels: new Array<number>(4096).fill(1), more: size })).shape).toEqual([1, 64, 64, 1]);
});

test("a mosaic that does not say how many slices it has, or says nonsense, stays the picture that it is, with a note", async () => {
  for (const csa of [
    new Uint8Array(),
    new Uint8Array(400).fill(7),
    up.subarray(0, 150),
    csaHeader({ Other: ["1"] }),
    csaHeader({ NumberOfImagesInMosaic: ["x"] }),
  ]) {
    const volume = await read({ csa });
    expect(volume.shape).toEqual([1, 6, 4, 1]);
    expect(volume.meta.notes).toEqual([expect.stringMatching(/mosaic.*as stored, for nothing says how many/)]);
  }
  const odd = await read({ csa: csaHeader({ NumberOfImagesInMosaic: ["20"] }) });
  expect(odd.shape).toEqual([1, 6, 4, 1]);
  expect(odd.meta.notes?.[0]).toMatch(/20 do not fit it/);
});
