/** @file What a file says of its channels: how far apart they are in time, in each format that has a place for it, and what is lost in the others. */

import { describe, expect, test } from "vitest";
import { describeImage } from "../../../src/data/formats/describe.ts";
import { lossesOf } from "../../../src/data/formats/losses.ts";
import { readImage, writeImage, writerOf } from "../../../src/data/formats/read_image.ts";
import { identityAffine, makeVolume, type Volume, type VolumeMeta } from "../../../src/data/volume.ts";
import { named } from "../../lib/written_files.ts";

const passed = async (volume: Volume, name: string): Promise<Volume> =>
  readImage((await writeImage(name, volume)).map((f) => named(f.name, f.bytes)));
const series = (meta: VolumeMeta, shape = [3, 2, 2, 2]): Volume =>
  makeVolume({ data: Float32Array.from({ length: shape.reduce((a, b) => a * b) }, (_, i) => i), shape }, identityAffine, meta);
const text = (name: string, lines: readonly string[], bytes: number): File =>
  named(name, new Uint8Array([...new TextEncoder().encode(lines.join("\n")), ...new Uint8Array(bytes)]));

describe("seconds from channel to channel", () => {
  test.each(["a.nii.gz", "a.nrrd", "a.nhdr", "a.mha", "a.mhd", "a.mgz"])("%s says them", async (name) => {
    const volume = series({ timeStep: 2.5 });
    const back = await passed(volume, name);
    expect(back.meta.timeStep).toBeCloseTo(2.5, 6);
    expect(back.shape).toEqual(volume.shape);
    expect(back.data).toStrictEqual(volume.data);
    expect(back.affine).toEqual(volume.affine);
    expect(lossesOf(volume, writerOf(name))).toEqual([]);
    expect(describeImage(back).facts).toContainEqual(["time", "2.5 s from channel to channel"]);
    for (const again of ["b.nii", "b.nrrd", "b.mha", "b.mgz"])
      expect((await passed(back, again)).meta.timeStep).toBeCloseTo(2.5, 6);
    expect((await passed(series({ timeStep: 2.5 }, [1, 2, 2, 2]), name)).meta.timeStep).toBeUndefined();
    expect((await passed(series({}), name)).meta.timeStep).toBeUndefined();
    expect((await passed(series({ timeStep: 1 }), name)).meta.timeStep).toBe(1);
    const flat = await passed(series({ timeStep: 2.5, planar: true }, [3, 4, 2, 1]), name);
    expect([flat.shape, flat.meta.timeStep]).toEqual([[3, 4, 2, 1], 2.5]);
  });
  test("formats without a place for them lose them with a word", () => {
    for (const name of ["a.hdr", "a.npy", "a.tif"])
      expect(lossesOf(series({ timeStep: 2 }), writerOf(name)).join()).toContain("2 s apart in time");
  });
  const nrrd = (...more: string[]) => ["NRRD0005", "type: uint8", "dimension: 4", "encoding: raw", ...more, "", ""];
  test.each([
    [0.5, nrrd("sizes: 4 2 2 2", "kinds: time domain domain domain", "spacings: 500 1 1 1", 'units: "ms" "mm" "mm" "mm"')],
    [
      2,
      nrrd(
        "sizes: 2 2 2 4",
        "space dimension: 4",
        "space directions: (1,0,0,0) (0,1,0,0) (0,0,1,0) (0,0,0,2)",
        'space units: "mm" "mm" "mm" "s"',
        "kinds: space space space time",
      ),
    ],
    [undefined, nrrd("sizes: 2 2 2 4", "kinds: space space space vector", "spacings: 1 1 1 7")],
    [undefined, nrrd("sizes: 2 2 2 4", "kinds: space space space list", "spacings: 1 1 1 7", 'units: "" "" "" "mm"')],
  ])("NRRD by its units: %s", async (step, lines) => {
    const volume = await readImage(text("a.nrrd", lines, 32));
    expect([volume.shape[0], volume.meta.timeStep]).toEqual([4, step]);
  });
  test("MetaImage: 1 stands for what nobody knows", async () => {
    const header = (spacing: number) => [
      "NDims = 4",
      "DimSize = 2 2 2 4",
      `ElementSpacing = 1 1 1 ${spacing}`,
      "ElementType = MET_UCHAR",
      "ElementDataFile = LOCAL",
      "",
    ];
    expect((await readImage(text("a.mha", header(3), 32))).meta.timeStep).toBe(3);
    expect((await readImage(text("a.mha", header(1), 32))).meta.timeStep).toBeUndefined();
  });
});

test("MGH: TR, flip angle, TE and TI behind the voxels are kept", async () => {
  const [{ bytes }] = await writeImage("a.mgh", series({}));
  const file = bytes.slice();
  const view = new DataView(file.buffer, file.length - 20);
  [2300, 0.157, 2.98, 900, 256].forEach((v, i) => view.setFloat32(4 * i, Math.fround(v)));
  const volume = await readImage(named("a.mgh", file));
  expect(volume.meta.fields).toEqual({ tr: 2300, flip_angle: Math.fround(0.157), te: Math.fround(2.98), ti: 900, fov: 256 });
  expect(volume.meta.timeStep).toBe(2.3);
  const [written] = await writeImage("b.mgh", volume);
  expect(written.bytes).toStrictEqual(file);
  // Files end where the voxels do, too.
  const short = await readImage(named("a.mgh", file.slice(0, -20)));
  expect([short.meta.fields, short.meta.timeStep]).toEqual([undefined, undefined]);
});

test("NIfTI: an intent and extensions are told of when they are lost, and times of other units are none", async () => {
  const [{ bytes }] = await writeImage("a.nii", series({ timeStep: 2 }));
  const file = new Uint8Array(bytes.length + 16);
  file.set(bytes.subarray(0, 352));
  file.set(bytes.subarray(352), 368);
  const view = new DataView(file.buffer);
  view.setInt16(68, 1007, true);
  view.setUint8(348, 1);
  view.setFloat32(108, 368, true);
  const volume = await readImage(named("a.nii", file));
  expect(volume.meta.fields).toEqual({ intent_code: 1007, extension: 16 });
  const losses = lossesOf(volume, writerOf("b.nii.gz"));
  expect(losses.join()).toMatch(/intent.*1007.*extensions \(16 bytes\)/);
  view.setUint8(123, 2 + 32);
  expect((await readImage(named("a.nii", file))).meta.timeStep).toBeUndefined();
  view.setUint8(123, 2 + 16);
  expect((await readImage(named("a.nii", file))).meta.timeStep).toBe(0.002);
});
