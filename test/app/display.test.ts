/** @file What the viewer is given: an image as it is, or fewer of its voxels, which lie where they lay and of which it is said. */

import { expect, test } from "vitest";
import { addScans, readScan, scanFacts } from "../../app/worker/scans.ts";
import { pictureOf } from "../../app/worker/picture.ts";
import { namedWindow, nameOf, ownWindow, storedWindow, windowNames } from "../../app/page/parts/windows.ts";
import { makeVolume, readImage, type Volume, writeImage, writeNifti } from "../../src/data/index.ts";

/** Voxel [x, y, z] has the value x + y + z. */
function ramp(shape: readonly [number, number, number]): Volume {
  const [nx, ny, nz] = shape;
  const data = new Int16Array(nx * ny * nz);
  for (let x = 0, i = 0; x < nx; x++) for (let y = 0; y < ny; y++) for (let z = 0; z < nz; z++) data[i++] = x + y + z;
  const affine = [
    [0.5, 0, 0, -10],
    [0, 0.5, 0, -20],
    [0, 0, 2, 30],
    [0, 0, 0, 1],
  ];
  return makeVolume({ data, shape: [1, ...shape] }, affine);
}

test("an image of some hundred voxels along each axis is drawn as it is", async () => {
  const picture = pictureOf(ramp([40, 50, 60]));
  expect(picture.reduced).toBeUndefined();
  const drawn = await readImage(picture.nifti, { name: "picture.nii" });
  expect(drawn.shape).toEqual([1, 40, 50, 60]);
  expect(drawn.data[123] * picture.scale + picture.offset).toBe(2 + 3);
  // Of one value only it is black, in a window that has a width.
  const flat = pictureOf(makeVolume({ data: new Float32Array(8).fill(7), shape: [1, 2, 2, 2] }));
  expect(ownWindow(flat, flat.window!)).toEqual([7, 8]);
});

test("values are told as the file has them, whatever else is in it: padding of a CT, all of 16 bits, one voxel that is far off, what lies close together far from zero", async () => {
  const drawn = async (data: Volume["data"]) => {
    const picture = pictureOf(makeVolume({ data, shape: [1, data.length, 1, 1] }));
    const { data: stored } = await readImage(picture.nifti, { name: "picture.nii" });
    return Array.from(stored, (v) => v * picture.scale + picture.offset);
  };
  const ct = [-1024, -3, 0, 41, 42, 3071, 30_000];
  expect(await drawn(Int16Array.from(ct))).toEqual(ct);
  expect(await drawn(Int16Array.from([-32768, ...ct]))).toEqual([-32768, ...ct]);
  expect(await drawn(Uint16Array.from([0, 1, 30_129, 65_535]))).toEqual([0, 1, 30_129, 65_535]);
  for (const real of [
    [0.25, 17.125, 1000],
    [1.5, 10.125, 1e6],
    [-1e6, 1.5, 10.125],
    [1e-30, 3e-30, 2e-12],
  ])
    for (const [i, v] of (await drawn(Float32Array.from(real))).entries()) expect(v / real[i]).toBeCloseTo(1, 6);
  const far = [1e9, 1e9 + 0.25, 1e9 + 1];
  for (const [i, v] of (await drawn(Float64Array.from(far))).entries()) expect(v - far[i]).toBeCloseTo(0, 6);
});

test("voxels that are infinite or no number leave the others their values, and are marked each as what it is", async () => {
  const data = Float32Array.from({ length: 5000 }, (_, i) => (i < 2000 ? -1000 : i - 2000));
  data.set([Infinity, -Infinity, NaN]);
  const picture = pictureOf(makeVolume({ data, shape: [1, 5000, 1, 1] }));
  const factor = Math.ceil(5000 / 2048);
  expect(picture.reduced).toEqual({ to: [Math.ceil(5000 / factor), 1, 1], from: [5000, 1, 1] });
  const drawn = await readImage(picture.nifti, { name: "picture.nii" });
  for (const i of [1, 833, 1666]) expect(drawn.data[i] * picture.scale + picture.offset).toBeCloseTo(data[factor * i], 0);
  const small = pictureOf(makeVolume({ data: data.subarray(0, 5), shape: [1, 5, 1, 1] }));
  expect(Array.from((await readImage(small.marks!, { name: "marks.nii" })).data)).toEqual([2, 3, 1, 0, 0]);
  expect(pictureOf(ramp([4, 4, 4])).marks).toBeUndefined();
});

test("an image whose header counts in micrometers or meters is shown in millimeters", async () => {
  const bytes = await writeNifti(ramp([4, 5, 6]));
  for (const [unit, factor] of [
    [3, 1e-3],
    [1, 1000],
  ] as const) {
    bytes[123] = unit; // xyzt_units
    const path = `unit${unit}.nii`;
    const [{ key }] = await addScans([{ path, file: new Blob([bytes.slice()]) }], () => undefined);
    const facts = await scanFacts(key);
    if ("uneven" in facts) throw new Error("it has no slices");
    expect(facts.spacing.map((s) => s / factor)).toEqual([0.5, 0.5, 2].map((s) => expect.closeTo(s, 6)));
    const { affine } = await readImage(facts.picture.nifti, { name: "picture.nii" });
    expect(affine[2][3] / factor).toBeCloseTo(30, 4);
    const saved = await readImage(await writeNifti(await readScan(key)), { name: "saved.nii" });
    expect([saved.units, saved.spacing[2] / factor]).toEqual(["mm", expect.closeTo(2, 6)]);
  }
});

test("a channel or time step of several is drawn when it is asked for, in a window of its own", async () => {
  const data = Float32Array.from({ length: 2 * 64 }, (_, i) => (i < 64 ? i : 1000 + i));
  const volume = makeVolume({ data, shape: [2, 4, 4, 4] });
  const [first, second] = [pictureOf(volume), pictureOf(volume, { channel: 1 })];
  expect([first.channel, first.channels, first.colors]).toEqual([0, 2, false]);
  expect([second.channel, second.channels, second.colors]).toEqual([1, 2, false]);
  expect(ownWindow(second, second.window!)[0]).toBeCloseTo(1064, 0);
  const drawn = await readImage(second.nifti, { name: "picture.nii" });
  expect(drawn.data[5] * second.scale + second.offset).toBeCloseTo(1069, 1);
});

test("a picture has its colors, upright, and says nothing of left and right", async () => {
  // 3 × 2 pixels; channel c of pixel (x, y) is 100 c + 10 x + y.
  const data = Uint8Array.from({ length: 18 }, (_, i) => 100 * Math.floor(i / 6) + 10 * (Math.floor(i / 2) % 3) + (i % 2));
  const [{ bytes }] = await writeImage("a.png", makeVolume({ data, shape: [3, 3, 2, 1] }));
  const picture = pictureOf(await readImage(bytes, { name: "a.png" }));
  expect([picture.channel, picture.colors, picture.placed, picture.flat]).toEqual(["color", true, false, true]);
  const drawn = await readImage(picture.nifti, { name: "picture.nii" });
  expect(drawn.shape).toEqual([3, 3, 2, 1]);
  expect(Array.from(drawn.data)).toEqual(Array.from(data));
  // The second row lies below the first.
  expect(drawn.affine.map((row) => row[1])).toEqual([0, -1, 0, 0]);
  const green = pictureOf(await readImage(bytes, { name: "a.png" }), { channel: 1 });
  expect((await readImage(green.nifti, { name: "green.nii" })).data[3] * green.scale + green.offset).toBe(111);
});

test("only a header that says where the patient's sides are has them named", async () => {
  const said = await writeNifti(ramp([4, 5, 6]));
  expect(pictureOf(await readImage(said, { name: "said.nii" })).placed).toBe(true);
  const unsaid = said.slice();
  new DataView(unsaid.buffer).setInt32(252, 0, true); // qform_code and sform_code
  expect(pictureOf(await readImage(unsaid, { name: "unsaid.nii" })).placed).toBe(false);
});

test("Hounsfield units: of a CT, and of values with air and tissue", () => {
  const of = (value: (i: number) => number) =>
    makeVolume({ data: Int16Array.from({ length: 1000 }, (_, i) => value(i)), shape: [1, 10, 10, 10] });
  const chest = of((i) => (i % 3 === 0 ? -1000 + (i % 7) : 40 + (i % 11)));
  expect(pictureOf(chest).hounsfield).toBe(true);
  // Padding is no value: it neither hides that it is a CT nor opens the window to it.
  const padded = pictureOf(of((i) => (i % 10 === 0 ? -32768 : chest.data[i])));
  expect([padded.hounsfield, ownWindow(padded, padded.window!)]).toEqual([true, [-1000, 50]]);
  expect(pictureOf(chest, { modality: "MR" }).hounsfield).toBe(false);
  expect(pictureOf(of((i) => i)).hounsfield).toBe(false);
  expect(
    pictureOf(
      of((i) => i),
      { modality: "CT" },
    ).hounsfield,
  ).toBe(true);
  // Values around 0, and what is far below air.
  expect(pictureOf(of((i) => (i % 401) - 200)).hounsfield).toBe(false);
  expect(pictureOf(of((i) => (i % 3 === 0 ? -1000 : 40 - 20 * i))).hounsfield).toBe(false);
});

test("named windows are found by their level and width, and go to stored values and back", () => {
  const picture = pictureOf(ramp([8, 8, 8]));
  for (const name of windowNames) {
    const window = namedWindow(name);
    expect(nameOf(window)).toBe(name);
    expect(ownWindow(picture, storedWindow(picture, window))).toEqual(window);
  }
  expect(namedWindow("lung")).toEqual([-1350, 150]);
  expect(nameOf([0, 1])).toBeUndefined();
});

test("a larger one is drawn with every second voxel of an axis, in its place, and it is said", async () => {
  const picture = pictureOf(ramp([512, 300, 301]));
  expect(picture.reduced).toEqual({ to: [256, 300, 301], from: [512, 300, 301] });
  const drawn = await readImage(picture.nifti, { name: "picture.nii" });
  expect(drawn.shape).toEqual([1, 256, 300, 301]);
  expect(drawn.affine[0]).toEqual([1, 0, 0, -10]);
  expect(drawn.affine[2]).toEqual([0, 0, 2, 30]);
  // Voxel [7, 5, 3] there is [14, 5, 3] here.
  expect(drawn.data[(7 * 300 + 5) * 301 + 3] * picture.scale + picture.offset).toBeCloseTo(22, 0);
});
