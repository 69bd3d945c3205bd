/** @file DICOM series: found by headers alone, sorted by position, with the affine of their positions; what does not fit is an error or a note. */

import { mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { expect, test } from "vitest";
import { listSeriesFolder, readSeriesFolder } from "../../../../src/data/index.node.ts";
import { dicomFormat } from "../../../../src/data/formats/dicom/dicom.ts";
import { imageStem, isImageName } from "../../../../src/data/formats/formats.ts";
import { readImageFile } from "../../../../src/data/formats/images.node.ts";
import { listSeries, readSeries, type ReadSeriesOptions } from "../../../../src/data/formats/dicom/series.ts";
import { ConfigError, DataError, FormatError } from "../../../../src/host/errors.ts";
import { dicomSlice, imageFile, type SliceOptions } from "../../../lib/dicom_file.ts";

const files = (slices: readonly SliceOptions[]) => slices.map((s, i) => imageFile(dicomSlice(s), `IM${i}`));
const at = (positions: readonly (readonly number[])[], more: SliceOptions = {}): SliceOptions[] =>
  positions.map((position, i) => ({ position, instance: i + 1, ...more }));
const along = (...z: number[]) => z.map((v) => [0, 0, v]);
const read = (slices: readonly SliceOptions[], options?: ReadSeriesOptions) => readSeries(files(slices), options);

test("slices are sorted along their normal, whatever their names and numbers", async () => {
  const volume = await read(at(along(8, 0, 4)));
  expect([...volume.data.subarray(0, 3)]).toEqual([200, 300, 100]);
  expect(volume.affine).toEqual([
    [-1.5, 0, 0, 0],
    [0, -2.5, 0, 0],
    [0, 0, 4, 0],
    [0, 0, 0, 1],
  ]);
  expect(volume.meta.notes).toBeUndefined();
});

test("the normal, not the z axis, decides", async () => {
  const orientation = [0, 1, 0, 0, 0, -1];
  const volume = await read(
    at(
      [0, -3, 3].map((x) => [x, 1, 2]),
      { orientation },
    ),
  );
  // Row × column points to −x of LPS, which is the patient's right.
  expect(volume.affine.map((row) => row[2])).toEqual([3, 0, 0, 0]);
  expect([...volume.data.subarray(0, 3)]).toEqual([300, 100, 200]);
});

test("many slices are put in place over several rounds of reading", async () => {
  const z = Array.from({ length: 70 }, (_, i) => (i * 37) % 70);
  const volume = await read(at(along(...z)));
  expect([...volume.data.subarray(70, 140)]).toEqual(Array.from({ length: 70 }, (_, k) => 100 * (z.indexOf(k) + 1) + 3));
});

test("missing, uneven and doubled slices are errors that say which", async () => {
  await expect(read(at(along(0, 4, 12, 16)))).rejects.toThrow(/missing between IM1 and IM2: they are 8 mm apart, others 4 mm/);
  await expect(read(at(along(0, 4, 9, 12)))).rejects.toThrow(/unevenly spaced: 3 mm to 5 mm/);
  await expect(read(at(along(0, 4, 4, 8)))).rejects.toThrow(/IM1 and IM2 at one place/);
  await expect(read(at(along(0, 4, 12, 16)))).rejects.toThrow(DataError);
  const accepted = await read(at(along(0, 4, 12, 16)), { uneven: "accept" });
  expect(accepted.spacing[2]).toBeCloseTo(16 / 3);
  expect(accepted.meta.notes?.[0]).toMatch(/missing/);
});

test("rounded positions are even", async () => {
  expect((await read(at(along(0, 3.33, 6.67, 10)))).meta.notes).toBeUndefined();
  expect((await read(at(along(0, 3.2, 6.67, 10)))).meta.notes?.[0]).toMatch(/unevenly/);
});

test("a tilted gantry shears the affine, with a note", async () => {
  const volume = await read(at([0, 1, 2].map((k) => [0, k, 4 * k])));
  expect(volume.affine.map((row) => row[2])).toEqual([0, -1, 4, 0]);
  expect(volume.meta.notes?.[0]).toMatch(/14\.0° off their normal \(gantry tilt\)/);
});

test("echoes at each place become channels", async () => {
  const echo = (z: number, time: number, instance: number): SliceOptions => ({
    position: [0, 0, z],
    instance,
    more: { 0x00180081: ["DS", String(time)] },
  });
  const volume = await read([echo(0, 4.6, 1), echo(0, 2.3, 2), echo(4, 4.6, 3), echo(4, 2.3, 4)]);
  expect(volume.shape).toEqual([2, 3, 2, 2]);
  expect([...volume.data.subarray(0, 2), ...volume.data.subarray(12, 14)]).toEqual([200, 400, 100, 300]);
  expect(volume.meta.notes?.[0]).toBe("2 slices at each place became channels, by echoTime: 2.3; 4.6");
});

test("what nothing but the number tells apart is sorted by it", async () => {
  const volume = await read([...at(along(0, 4)), ...at(along(0, 4)).map((s, i) => ({ ...s, instance: i + 3 }))]);
  expect([...volume.data.subarray(0, 2), ...volume.data.subarray(12, 14)]).toEqual([100, 200, 300, 400]);
  expect(volume.meta.notes?.[0]).toMatch(/order of their numbers/);
  await expect(read([...at(along(0, 4)), ...at(along(0, 4))])).rejects.toThrow(/nothing tells the 2 slices/);
});

test("copies of a file are left out", async () => {
  const all = files(at(along(0, 4)));
  const volume = await readSeries([...all, { ...all[0], name: "copy" }]);
  expect(volume.shape).toEqual([1, 3, 2, 2]);
  expect(volume.meta.notes).toEqual(["1 file is a copy of another and is left out"]);
});

test("slices without position are sorted by number, with a note", async () => {
  const slices = [3, 1, 2].map((instance): SliceOptions => ({ instance, more: { 0x00200032: undefined } }));
  const volume = await read(slices);
  expect([...volume.data.subarray(0, 3)]).toEqual([100, 200, 300]);
  expect(volume.spacing[2]).toBe(3);
  expect(volume.meta.notes?.join()).toMatch(/no position.*InstanceNumber/);
});

test("each slice has its own scaling", async () => {
  const scaled = (k: number): SliceOptions => ({
    position: [0, 0, k],
    instance: k + 1,
    pixels: [10, 0, 0, 0, 0, 0],
    more: { 0x00281053: ["DS", String(k + 0.5)], 0x00281052: ["DS", "0"] },
  });
  expect([...(await read([scaled(0), scaled(1)])).data.subarray(0, 2)]).toEqual([5, 15]);
});

test("several series: listed, and one is chosen by UID, its beginning or its description", async () => {
  const other: SliceOptions = { series: "1.2.4", size: [4, 4], more: { 0x0008103e: ["LO", "another"], 0x00200011: ["IS", "7"] } };
  const all = [
    ...files([...at(along(0, 4)), ...at(along(0, 4, 8), other)]),
    { name: "notes.txt", blob: new Blob(["no image at all"]) },
  ];
  const list = await listSeries(all);
  expect(list.map(({ uid, count }) => [uid, count])).toEqual([
    ["1.2.3", 2],
    ["1.2.4", 3],
  ]);
  expect(list[1]).toMatchObject({
    description: "another",
    modality: "MR",
    patientId: "patient 1",
    number: 7,
    size: [4, 4],
    stack: 0,
    problems: [],
  });
  await expect(readSeries(all)).rejects.toThrow(
    /2 series are there; choose one[^]*stack 0 of 1\.2\.3: "a series", MR[^]*"another"/,
  );
  await expect(readSeries(all, { uid: "9" })).rejects.toThrow(ConfigError);
  await expect(readSeries(all, { name: "x" } as ReadSeriesOptions)).rejects.toThrow(/no option "name"/);
  expect((await readSeries(all, { uid: "1.2.4" })).shape).toEqual([1, 4, 4, 3]);
  expect((await readSeries(all, { description: "a series" })).shape).toEqual([1, 3, 2, 2]);
});

test("labels and doses that lie beside the only images are left out unless they are chosen", async () => {
  const object = (series: string, sopClass: string, description: string): SliceOptions => ({
    series,
    more: { 0x00080016: ["UI", sopClass], 0x0008103e: ["LO", description] },
  });
  const dose = object("1.2.4", "1.2.840.10008.5.1.4.1.1.481.2", "plan dose");
  const labels = object("1.2.5", "1.2.840.10008.5.1.4.1.1.66.4", "organs");
  const all = files([...at(along(0, 4)), dose, labels]);
  const image = await readSeries(all);
  expect(image.shape).toEqual([1, 3, 2, 2]);
  expect(image.meta.notes).toEqual(['an RT dose ("plan dose"), a segmentation ("organs") lie beside the image and are left out']);
  expect((await readSeries(files([...at(along(0, 4)), dose]))).meta.notes).toEqual([
    'an RT dose ("plan dose") lies beside the image and is left out',
  ]);
  expect((await readSeries(all, { uid: "1.2.4" })).shape).toEqual([1, 3, 2, 1]);
  await expect(readSeries(files([dose, labels]))).rejects.toThrow(/2 series are there/);
  await expect(readSeries([...all, ...files(at(along(0, 4), { series: "1.2.6" }))])).rejects.toThrow(/2 series are there/);
});

test("scouts of another orientation in the same series are a stack of their own", async () => {
  const all = files([...at(along(0, 4)), { position: [0, 0, 0], orientation: [0, 1, 0, 0, 0, -1] }]);
  expect((await listSeries(all)).map((s) => [s.stack, s.count])).toEqual([
    [0, 2],
    [1, 1],
  ]);
  expect((await readSeries(all, { stack: 0 })).shape[3]).toBe(2);
});

test("a damaged slice spoils its series and no other", async () => {
  const all = files([...at(along(0, 4)), ...at(along(0, 4), { series: "1.2.4" }), { position: [0, 0, 8], pixels: [1] }]);
  const list = await listSeries(all);
  expect(list.map((s) => s.problems.length)).toEqual([1, 0]);
  await expect(readSeries(all, { uid: "1.2.3" })).rejects.toThrow(/IM4: promises 3×2 pixels/);
  await expect(readSeries(all, { uid: "1.2.3" })).rejects.toThrow(FormatError);
  expect((await readSeries(all, { uid: "1.2.4" })).shape[3]).toBe(2);
});

test("the row of formats: by content, and a series by one text", async () => {
  const all = files([...at(along(0, 4)), ...at(along(0, 4, 8), { series: "1.2.4", more: { 0x0008103e: ["LO", "another"] } })]);
  expect(dicomFormat.matches(await all[0].blob.slice(0, 512).bytes(), "a")).toBe(true);
  expect(dicomFormat.matches(new Uint8Array(512), "a.dcm")).toBe(false);
  expect((await dicomFormat.read(all[0], {})).shape).toEqual([1, 3, 2, 1]);
  expect((await dicomFormat.readAll(all, { series: "another" })).shape[3]).toBe(3);
  expect((await dicomFormat.readAll(all, { series: "1.2.3" })).shape[3]).toBe(2);
  expect((await dicomFormat.read(all[0], { series: "a series", stack: 0 })).shape[3]).toBe(1);
  await expect(dicomFormat.read(all[0], { series: "another" })).rejects.toThrow(/no series is the one that is asked for/);
  await expect(dicomFormat.readAll(all, {})).rejects.toThrow(ConfigError);
});

test("no DICOM at all is an error", async () => {
  await expect(listSeries([{ name: "a", blob: new Blob(["text"]) }])).rejects.toThrow(/no DICOM image is among the 1 files/);
});

test("listing reads the beginning of each file alone", async () => {
  const bytes = dicomSlice({ size: [512, 512] });
  const blob = new Blob([bytes]);
  let most = 0;
  const slice = blob.slice.bind(blob);
  blob.slice = (from = 0, to = bytes.length) => {
    most = Math.max(most, to);
    return slice(from, to);
  };
  await listSeries([{ name: "large", blob }]);
  expect(bytes.length).toBeGreaterThan(500_000);
  expect(most).toBeLessThan(20_000);
});

test("a folder and the folders in it (Node)", async () => {
  const dir = mkdtempSync(join(tmpdir(), "voxgrad-dicom-"));
  try {
    for (const { name, blob } of files(at(along(0, 4)))) writeFileSync(join(dir, name), await blob.bytes());
    expect((await listSeriesFolder(dir))[0].count).toBe(2);
    expect((await readSeriesFolder(dir)).shape).toEqual([1, 3, 2, 2]);
    mkdirSync(join(dir, "linked"));
    for (const name of readdirSync(dir).filter((n) => n.startsWith("IM")))
      symlinkSync(join("..", name), join(dir, "linked", name));
    symlinkSync("nowhere", join(dir, "linked", "broken"));
    expect((await readImageFile(join(dir, "linked"))).shape).toEqual([1, 3, 2, 2]);
    await expect(listSeriesFolder(join(dir, "none"))).rejects.toThrow(FormatError);
  } finally {
    rmSync(dir, { recursive: true });
  }
});

test("slices that each say to be a series of their own are one volume, unless something tells them apart", async () => {
  const slices = (n: number, more: (k: number) => SliceOptions = () => ({})) =>
    files(Array.from({ length: n }, (_, k) => ({ series: `1.2.${k}`, instance: k + 1, ...more(k) })));
  const volume = await readSeries(slices(3));
  expect(volume.shape).toEqual([1, 3, 2, 3]);
  expect(volume.meta.notes?.[0]).toMatch(/each of the 3 slices says to be a series of its own/);
  await expect(readSeries(slices(2))).rejects.toThrow(/2 series are there/);
  await expect(readSeries(slices(3, () => ({ position: [0, 0, 1] })))).rejects.toThrow(/3 series are there/);
  await expect(readSeries(slices(3, (k) => ({ size: k === 2 ? [2, 2] : [3, 2] })))).rejects.toThrow(/3 series are there/);
});

test("files that are packed by gzip are of a series like others", async () => {
  const plain = files(at(along(8, 0, 4)));
  const packed = await Promise.all(
    plain.map(async ({ name, blob }, i) => ({
      name: `${name}.dcm.gz`,
      blob: i === 0 ? blob : new Blob([gzipSync(new Uint8Array(await blob.arrayBuffer()))]),
    })),
  );
  const [info, ...more] = await listSeries(packed);
  expect([info.count, info.files.length, more.length]).toEqual([3, 3, 0]);
  const [want, got] = [await readSeries(plain), await readSeries(packed, { uid: info.uid })];
  expect(got.data).toEqual(want.data);
  expect((await readSeries(packed.slice(1, 2))).shape).toEqual([1, ...want.shape.slice(1, 3), 1]);
  expect([imageStem("a/x.dcm.gz"), isImageName("x.DCM.GZ")]).toEqual(["x", true]);
  // What is no DICOM inside is passed over, damage behind the header is not.
  const other = { name: "x.nii.gz", blob: new Blob([gzipSync(new Uint8Array(5000))]) };
  expect((await listSeries([...packed, other])).length).toBe(1);
  const cut = { name: "y.dcm.gz", blob: packed[1].blob.slice(0, packed[1].blob.size - 12) };
  await expect(readSeries([packed[0], cut, packed[2]])).rejects.toThrow(FormatError);
});
