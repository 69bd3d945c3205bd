/** @file What is written in one format, read, and written in another keeps voxels, types, axes, place and units, or is refused by what it lacks. */

import { describe, expect, test } from "vitest";
import { castTo } from "../../../src/data/formats/cast.ts";
import { lossesOf } from "../../../src/data/formats/losses.ts";
import { readImage, writeImage, writerOf } from "../../../src/data/formats/read_image.ts";
import { type Affine, identityAffine, makeVolume, type SpaceUnit, type Volume } from "../../../src/data/volume.ts";
import { ConfigError, DataError } from "../../../src/host/errors.ts";
import { elements, integerRange, type NativeName } from "../../../src/host/elements.ts";
import { named } from "../../lib/written_files.ts";

const placed = ["a.nii", "a.nrrd", "a.nhdr", "a.mha", "a.mhd", "a.mgz"];
const placeless = ["a.hdr", "a.npy", "a.tif", "a.png"];
const types: readonly NativeName[] = ["u8", "i8", "u16", "i16", "u32", "i32", "f32", "f64"];
/** What formats do not have. */
const lacks: Readonly<Record<string, readonly NativeName[]>> = {
  "a.mgz": ["i8", "u32", "f64"],
  "a.hdr": ["i8", "u16", "u32"],
  "a.png": ["i8", "i16", "u32", "i32", "f32", "f64"],
};

const affines: Readonly<Record<string, Affine>> = {
  flipped: [
    [-0.7, 0, 0, 90],
    [0, 0.7, 0, -126],
    [0, 0, -5, -72],
    [0, 0, 0, 1],
  ],
  turned: [
    [0, 0, 3, 1],
    [0.5, 0, 0, 2],
    [0, -0.25, 0, 3],
    [0, 0, 0, 1],
  ],
  oblique: [
    [-2, 0.25, 0, 90.123456789],
    [0.25, 2, 0.5, -126.5],
    [0, -0.5, 3, -1720.25],
    [0, 0, 0, 1],
  ],
};

const passed = async (volume: Volume, name: string): Promise<Volume> =>
  readImage((await writeImage(name, volume)).map((f) => named(f.name, f.bytes)));

/** The ends of the type, NaN and infinities where it has them, and what lies between. */
function volumeOf(dtype: NativeName, shape: readonly number[], affine: Affine, meta: Volume["meta"] = {}): Volume {
  const size = shape.reduce((a, b) => a * b);
  const [low, high] = integerRange(dtype) ?? [-1e30, 1e30];
  const odd = integerRange(dtype) ? [low, high] : [NaN, -Infinity, Infinity, 1e-40, dtype === "f64" ? 1e300 : 1e38];
  const data = Array.from({ length: size }, (_, i) => odd[i] ?? Math.trunc(low + ((high - low) * ((i * 7919) % size)) / size));
  return makeVolume({ data: elements[dtype].array.from(data), shape }, affine, meta);
}

const expectSame = (got: Volume, want: Volume) => {
  expect(got.shape).toEqual(want.shape);
  expect(got.data).toStrictEqual(want.data);
};
const expectAffine = (got: Affine, want: Affine, factor = 1) =>
  want.slice(0, 3).forEach((row, r) =>
    row.forEach((v, c) => {
      // MGH and NIfTI-1 have floats of 32 bits.
      expect(Math.abs(got[r][c] - v * factor)).toBeLessThan(2e-7 * Math.max(1, ...want.flat().map((x) => Math.abs(x * factor))));
    }),
  );

const shapes = [
  [1, 3, 4, 5],
  [3, 3, 4, 5],
  [1, 6, 4, 1],
  [3, 6, 4, 1],
];
// Places do not depend on types, so each type has one of them.
test.each(types.map((dtype, i) => [dtype, Object.keys(affines)[i % 3]] as const))(
  "%s from each format to each and back, %s",
  async (dtype, at) => {
    const affine = affines[at];
    for (const from of placed.filter((name) => !lacks[name]?.includes(dtype))) {
      for (const shape of shapes) {
        const volume = volumeOf(dtype, shape, affine);
        const first = await passed(volume, from);
        for (const to of [...placed, ...placeless]) {
          if (to === "a.png" && shape[3] > 1) continue;
          if (lacks[to]?.includes(dtype)) {
            await expect(passed(first, to)).rejects.toThrow(ConfigError);
            await expect(passed(first, to)).rejects.toThrow(new RegExp(`cannot hold ${dtype}; give dtype`));
            continue;
          }
          const second = await passed(first, to);
          const third = await passed(second, from);
          for (const each of [first, second, third]) expectSame(each, volume);
          if (placed.includes(to)) for (const each of [second, third]) expectAffine(each.affine, affine);
        }
      }
    }
  },
);

describe("units", () => {
  const meters: Readonly<Record<SpaceUnit, number>> = { mm: 1e-3, um: 1e-6, m: 1, unknown: 1e-3 };
  test.each(["mm", "um", "m", "unknown"] as const)("%s: lengths stay what they are", async (units) => {
    const volume = volumeOf("i16", [1, 3, 4, 5], affines.oblique, { units });
    for (const name of placed) {
      const back = await passed(volume, name);
      expectAffine(back.affine, affines.oblique, meters[units] / meters[back.units ?? "mm"]);
      // ITK and FreeSurfer know millimeters only.
      if (/\.(nii|nrrd|nhdr)$/.test(name)) expect(back.units).toBe(units);
      else expect(back.units).toBe("mm");
    }
    // A plane too, whose third axis is as long as one of these units.
    const plane = volumeOf("i16", [1, 3, 4, 1], identityAffine, { units, planar: true });
    for (const name of placed) {
      const back = await passed(plane, name);
      expectAffine(back.affine, identityAffine, meters[units] / meters[back.units ?? "mm"]);
    }
    const [x] = (await passed(volume, "a.hdr")).spacing;
    expect(x / (volume.spacing[0] * (meters[units] / 1e-3))).toBeCloseTo(1, 6);
  });
});

describe("two axes", () => {
  const flat = { planar: true };
  const picture: Affine = [
    [0.5, 0, 0, 3],
    [0, -0.25, 0, 7],
    [0, 0, 1, 0],
    [0, 0, 0, 1],
  ];
  test.each(["a.nii", "a.nrrd", "a.mha", "a.hdr", "a.npy"])("%s stays a plane", async (name) => {
    const volume = volumeOf("u8", [1, 6, 4, 1], picture, flat);
    const back = await passed(volume, name);
    expectSame(back, volume);
    expect(back.meta.planar).toBe(true);
    if (!placeless.includes(name)) expectAffine(back.affine, picture);
    // One slice of a volume is no plane.
    expect((await passed(volumeOf("u8", [1, 6, 4, 1], picture), name)).meta.planar).toBeUndefined();
  });

  test("a plane that lies elsewhere keeps its place, as a volume of one slice where the format has no other way", async () => {
    const volume = volumeOf("u8", [1, 6, 4, 1], affines.oblique, flat);
    for (const name of ["a.nii", "a.nrrd", "a.mha"]) expectAffine((await passed(volume, name)).affine, affines.oblique);
    expect((await passed(volume, "a.nii")).meta.planar).toBe(true);
    expect((await passed(volume, "a.mha")).meta.planar).toBeUndefined();
  });
});

test("what a format has no place for is said", async () => {
  const nifti = (await writeImage("a.nii", volumeOf("u8", [4, 3, 4, 5], affines.oblique)))[0].bytes;
  const view = new DataView(nifti.buffer);
  view.setFloat32(92, 2.5, true);
  view.setUint8(123, 2 + 8);
  const times = await readImage(named("a.nii", nifti));
  expect(lossesOf(times, writerOf("b.nrrd"))).toEqual([]);
  expect(lossesOf(times, writerOf("b.tif"))).toContain("TIFF is not told that the channels are 2.5 s apart in time");
  expect(lossesOf(times, writerOf("b.nii.gz"))).toEqual([]);
  expect(lossesOf(times, writerOf("b.npy"))).toHaveLength(2);
  const [{ bytes }] = await writeImage("b.nii", times);
  expect(new DataView(bytes.buffer).getFloat32(92, true)).toBe(2.5);
  expect(bytes[123]).toBe(10);
  // A displacement field: its vectors stand along the fifth axis.
  view.setInt16(40, 5, true);
  view.setInt16(48, 1, true);
  view.setInt16(50, 4, true);
  const vectors = await readImage(named("a.nii", nifti));
  expect(vectors.meta.notes).toContain("the axes behind the third (1 × 4) became one of 4 channels");
  expect(lossesOf(vectors, writerOf("b.nrrd"))).toEqual([]);
});

test("a type is not given what it would change", () => {
  expect(() => castTo("op", Float64Array.of(1e300), "f32")).toThrow(/element 0 is 1e\+300, which f32 would make Infinity/);
  expect(() => castTo("op", Int32Array.of(1, 16777217), "f32")).toThrow(DataError);
  expect([...castTo("op", Float64Array.of(0.1, Infinity, NaN), "f32")]).toEqual([Math.fround(0.1), Infinity, NaN]);
  for (const v of [NaN, 0.5, 256, -1]) expect(() => castTo("op", Float64Array.of(v), "u8")).toThrow(DataError);
});
