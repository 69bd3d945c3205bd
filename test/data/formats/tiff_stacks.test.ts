/** @file TIFF whose description says which page is which channel, slice and time: ImageJ's, OME's, tifffile's; and pages that leave things out. */

import { expect, test } from "vitest";
import { readImage, writeImage } from "../../../src/data/formats/read_image.ts";
import { makeVolume } from "../../../src/data/volume.ts";
import { sizeOf } from "../../../src/host/array.ts";
import { FormatError } from "../../../src/host/errors.ts";
import { readFixture } from "../../lib/fixture.ts";
import { named } from "../../lib/written_files.ts";

interface Stored {
  readonly tiffs: readonly {
    readonly name: string;
    readonly file: string;
    readonly shape: readonly number[];
    readonly values: string;
    readonly spacing: readonly number[];
    readonly units: string;
    readonly timeStep?: number;
    readonly note?: string;
  }[];
  readonly twoImages: string;
}
const { tiffs, twoImages } = readFixture<Stored>("odd_images.json");
const bytes = (base64: string) => Uint8Array.from(Buffer.from(base64, "base64"));

test.each(tiffs)("$name", async ({ file, shape, values, spacing, units, timeStep, note }) => {
  const { data, meta, ...picture } = await readImage(named("a.tif", bytes(file)));
  expect(picture.shape).toEqual(shape);
  expect([...data]).toEqual([...bytes(values)]);
  expect([picture.units, meta.timeStep, meta.unplaced]).toEqual([units, timeStep, true]);
  for (const [a, side] of spacing.entries()) expect(picture.spacing[a]).toBeCloseTo(side, 12);
  expect(meta.notes!.some((n) => /taken for slices/.test(n))).toBe(note !== undefined);
  if (note) expect(meta.notes!.join()).toContain(note);
  expect(meta.notes!.some((n) => /sizes of voxels are those of the description/.test(n))).toBe(units !== "unknown");
});

test("several images in one file are refused", async () => {
  const reading = readImage(named("a.ome.tif", bytes(twoImages)));
  await expect(reading).rejects.toThrow(FormatError);
  await expect(reading).rejects.toThrow(/has 2 images by OME's description; save them as files of their own/);
});

test("stacks are no slices of one volume", async () => {
  const file = bytes(tiffs[0].file);
  await expect(readImage([named("a.tif", file), named("b.tif", file)])).rejects.toThrow(/a\.tif has 3 slices itself, .* 2 files/);
});

test.each([
  ["mm", [0.7421875, 0.65, 2.5], [1, 5, 4, 3]],
  ["um", [0.2, 1 / 3, 1.5], [1, 5, 4, 3]],
  ["m", [1e-7, 3e3, 0.04], [3, 5, 4, 2]],
  ["mm", [0.1, 0.3, 7], [1, 5, 4, 1]],
] as const)("sizes of voxels in %s are written, and nothing of what has none", async (units, sides, shape) => {
  const affine = [0, 1, 2, 3].map((r) => [0, 1, 2, 3].map((c) => (r === c ? (sides[r] ?? 1) : 0)));
  const data = Uint16Array.from({ length: sizeOf(shape) }, (_, i) => 3 * i);
  const [{ bytes: written }] = await writeImage("a.tif", makeVolume({ data, shape }, affine, { units }));
  const back = await readImage(named("a.tif", written));
  expect([back.shape, back.data, back.units]).toEqual([shape, data, units]);
  for (const [a, side] of sides.entries()) expect(Math.abs(back.spacing[a] / side - 1)).toBeLessThan(1e-9);
  // A picture stays one, and sides that no fraction of TIFF has are left out.
  for (const [own, unit] of [
    [affine, "unknown"],
    [affine.map((row) => row.map((v) => (v === 1 ? 1 : 1e12 * v))), units],
  ] as const) {
    const [file] = await writeImage("a.tif", makeVolume({ data, shape }, own, { units: unit }));
    expect((await readImage(named("a.tif", file.bytes))).units).toBe("unknown");
  }
});
