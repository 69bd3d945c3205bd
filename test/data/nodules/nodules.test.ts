/** @file Nodules: the list and its axes, prepared scans, crops by their kinds, a folder from end to end. */

import { mkdir, mkdtemp, readdir, readFile, rm, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { readNiftiFile, writeNiftiFile } from "../../../src/data/formats/nifti/nifti.node.ts";
import { DataLoader } from "../../../src/data/loading/loader.ts";
import { parseAnnotations } from "../../../src/data/nodules/annotations.ts";
import { cropPlan, placeCrop } from "../../../src/data/nodules/crop_place.ts";
import { openNodules, prepareLuna } from "../../../src/data/nodules/luna.node.ts";
import { maskOfNodules, nodulesOfMask, toMillimeters } from "../../../src/data/nodules/mask_nodules.ts";
import type { NoduleIndex } from "../../../src/data/nodules/nodule_dataset.ts";
import { noduleMask, prepareScan, voxelEdge } from "../../../src/data/nodules/prepare.ts";
import { type Affine, makeVolume } from "../../../src/data/volume.ts";
import { ConfigError, FormatError } from "../../../src/host/errors.ts";
import { RandomState } from "../../../src/host/random/numpy.ts";
import { onFailingDisk } from "../../lib/failing_disk.ts";

const affine: Affine = [
  [-2, 0, 0, 10],
  [0, 1, 0, -20],
  [0, 0, 1.5, 5],
  [0, 0, 0, 1],
];
const scan = () => {
  const data = new Int16Array(20 * 30 * 16).fill(-1200);
  data[(8 * 30 + 12) * 16 + 6] = 600;
  return makeVolume({ data, shape: [1, 20, 30, 16] }, affine);
};
// The bright voxel, at (-6, -8, 14) RAS, as the list has it: x to the left, y to the back.
const list = "seriesuid,coordX,coordY,coordZ,diameter_mm\ns1,6,8,14,4\ns1,-2,0,20,6\nmissing,0,0,0,3\n";

test("the list and its errors", () => {
  expect(parseAnnotations(list).get("s1")![0]).toEqual({ center: [-6, -8, 14], diameter: 4 });
  expect(() => parseAnnotations("a,b\n1,2")).toThrow(FormatError);
  expect(() => parseAnnotations("seriesuid,coordX,coordY,coordZ,diameter_mm\ns1,1,2,,4")).toThrow(/line 2/);
});

test("the diameter of a nodule of a mask is that of its volume, also where a gantry was tilted", () => {
  const tilted = affine.map((row, r) => (r === 1 ? [0, 1, 0.9, -20] : row));
  const mask = makeVolume({ data: new Uint8Array(27).fill(1), shape: [1, 3, 3, 3] }, tilted);
  expect(nodulesOfMask(mask)[0].diameter).toBeCloseTo(Math.cbrt((6 / Math.PI) * 27 * 3), 9);
});

test.each([
  ["oblique", [0.6, -0.8, 0], [0.8, 0.6, 0], [0, 0, 2]],
  ["of a tilted gantry", [0.7, 0, 0], [0, 0.7, 0], [0, 1.9, 2.5]],
  ["sheared in all axes", [0.9, 0.2, -0.1], [0.5, 1.1, 0.3], [-0.4, 0.7, 1.6]],
])("the ball of a nodule on a grid %s is that of distances in millimeters", (_, a, b, c) => {
  const place = [0, 1, 2, 3].map((r) => (r < 3 ? [a[r], b[r], c[r], -7 * r] : [0, 0, 0, 1])) as unknown as Affine;
  const size = [13, 15, 11];
  const at = ([i, j, k]: readonly number[]) => [0, 1, 2].map((r) => a[r] * i + b[r] * j + c[r] * k - 7 * r);
  // In the middle, between voxels, and at a corner, where only a part of the ball is in the image.
  for (const [middle, diameter] of [[[6, 7, 5], 8] as const, [[5.4, 8.2, 4.7], 6.2] as const, [[0, 14, 10], 9] as const]) {
    const center = at(middle) as [number, number, number];
    const image = makeVolume({ data: new Uint8Array(13 * 15 * 11), shape: [1, ...size] }, place);
    const expected = Array.from(image.data, (_, n) => {
      const voxel = at([Math.floor(n / 165), Math.floor(n / 11) % 15, n % 11]);
      return Number(Math.hypot(...voxel.map((v, r) => v - center[r])) <= (diameter / 2) * (1 + 1e-12));
    });
    expect(Array.from(maskOfNodules(image, [{ center, diameter }]).data)).toEqual(expected);
  }
});

test("a prepared scan is isotropic bytes, with the nodule where the bright voxel is", () => {
  const { image, nodules } = prepareScan(scan(), parseAnnotations(list).get("s1")!);
  expect([image.shape, image.spacing]).toEqual([
    [1, 40, 30, 24],
    [1, 1, 1],
  ]);
  const [x, y, z] = nodules[0].center.map(Math.round);
  expect(image.data[(x * 30 + y) * 24 + z]).toBeGreaterThan(100);
  const mask = noduleMask(nodules, [0, 0, 0], [40, 30, 24]);
  expect(mask[(x * 30 + y) * 24 + z]).toBe(1);
  // Half a voxel more or less on the surface of two balls of 4 and 6 mm.
  expect(mask.reduce((a, b) => a + b, 0)).toBeGreaterThan(100);
  expect(() => prepareScan(scan(), [{ center: [500, 0, 0], diameter: 3 }])).toThrow(ConfigError);
});

test.each([0, 0.4])("balls of a prepared scan are balls in millimeters, sheared by %d as by a tilted gantry or not", (shear) => {
  const tilted = [
    [0, -1, shear, 3],
    [1, 0, 0, -2],
    [0, 0, 2, 5],
    [0, 0, 0, 1],
  ];
  const image = makeVolume({ data: new Float32Array(30 * 28 * 15), shape: [1, 30, 28, 15] }, tilted);
  const list = [
    { center: toMillimeters(tilted, [14.3, 13.1, 7.2]), diameter: 9.1 },
    { center: toMillimeters(tilted, [27, 5.5, 2]), diameter: 0.4 },
  ];
  const spacing = Math.hypot(shear, 2) / 2;
  const prepared = prepareScan(image, list, { spacing });
  const size = prepared.image.shape.slice(1);
  const mask = noduleMask(prepared.nodules, [0, 0, 0], size, prepared.image.affine);
  // Nodules smaller than a voxel are made one of 0.87 voxels.
  const wanted = maskOfNodules(prepared.image, [list[0], { ...list[1], diameter: 2 * 0.87 * voxelEdge(prepared.image.affine) }]);
  expect(mask).toEqual(wanted.data);
  for (const { box } of prepared.nodules)
    for (const [a, [from, to]] of box.entries()) {
      expect(from).toBeGreaterThanOrEqual(0);
      expect(to).toBeLessThanOrEqual(size[a]);
    }
  const part = noduleMask(prepared.nodules, [5, 4, 3], [20, 18, 9], prepared.image.affine);
  expect(part).toEqual(
    Uint8Array.from({ length: part.length }, (_, n) => {
      const [i, j, k] = [Math.floor(n / 162) + 5, (Math.floor(n / 9) % 18) + 4, (n % 9) + 3];
      return mask[(i * size[1] + j) * size[2] + k];
    }),
  );
});

test("crops: half around a nodule, two fifths without one, the rest in the middle", () => {
  const { nodules } = prepareScan(scan(), parseAnnotations(list).get("s1")!);
  const plan = cropPlan({ size: [10, 10, 8] });
  const random = new RandomState(1);
  const counts = { around: 0, negative: 0, centered: 0 };
  for (let i = 0; i < 2000; i++) {
    const { kind, start } = placeCrop([40, 30, 24], nodules[0], nodules, plan, random);
    counts[kind]++;
    const meets = nodules[0].box.every(([from, to], a) => from < start[a] + plan.size[a] && to > start[a]);
    if (kind !== "centered") expect(meets).toBe(kind === "around");
  }
  expect(Math.abs(counts.around - 1000)).toBeLessThan(80);
  expect(Math.abs(counts.negative - 800)).toBeLessThan(80);
  expect(() => cropPlan({ probabilities: [1, 1, 1] })).toThrow(ConfigError);
});

test("a folder from end to end: prepared once, an entry per nodule, crops padded with 0", async () => {
  const folder = await mkdtemp(join(tmpdir(), "voxgrad-"));
  try {
    await writeNiftiFile(join(folder, "s1.nii.gz"), scan());
    await writeFile(join(folder, "annotations.csv"), list);
    const out = join(folder, "out");
    let reads = 0;
    const readVolume = (path: string) => (reads++, readNiftiFile(path));
    for (let run = 0; run < 2; run++) await prepareLuna(folder, join(folder, "annotations.csv"), out, { readVolume });
    expect(reads).toBe(1);
    const again = async (options = {}) => {
      await prepareLuna(folder, join(folder, "annotations.csv"), out, { readVolume, ...options });
      return reads;
    };
    expect([await again({ window: [-1000, 400] }), await again()]).toEqual([2, 3]);
    await utimes(join(folder, "s1.nii.gz"), 1e9, 1e9);
    expect([await again(), await again()]).toEqual([4, 4]);
    await writeFile(join(folder, "annotations.csv"), list.replace(/\n$/, "").split("\n").slice(0, -2).join("\n"));
    expect(await again()).toBe(5);
    await writeFile(join(folder, "annotations.csv"), list);
    expect(await again()).toBe(6);
    expect((await readdir(out)).sort()).toEqual(["index.json", "s1.mask.nii.gz", "s1.nii"]);
    const whole = await readNiftiFile(join(out, "s1.nii"));
    const data = await openNodules(out, { size: [12, 8, 32], probabilities: [1, 0, 0] });
    expect([data.length, data.nameOf(1)]).toEqual([2, "s1"]);
    const first = (await new DataLoader(data, { batchSize: 2 }).epoch(0).next()).value!;
    expect(first.image.shape).toEqual([2, 1, 12, 8, 32]);
    const [x0, y0] = (await data.get(0, new RandomState([0, 0, 0]))).start as number[];
    for (const [x, y, z] of [
      [0, 0, 0],
      [3, 5, 9],
      [11, 7, 23],
      [11, 7, 24],
    ]) {
      const want = z < 24 ? whole.data[((x0 + x) * 30 + y0 + y) * 24 + z] / 255 : 0;
      expect(first.image.data[(x * 8 + y) * 32 + z]).toBeCloseTo(want, 6);
    }
    await expect(prepareLuna(out, join(folder, "annotations.csv"), folder, { readVolume })).resolves.toBeDefined();
    for (const other of ["cut sh", '{"name": "of another program"}']) {
      await writeFile(join(out, "index.json"), other);
      await expect(prepareLuna(folder, join(folder, "annotations.csv"), out, { readVolume })).rejects.toThrow(FormatError);
      expect(await readFile(join(out, "index.json"), "utf8")).toBe(other);
    }
  } finally {
    await rm(folder, { recursive: true });
  }
});

test("a call that ends at any moment leaves no row of a file that is another's", async () => {
  const folder = await mkdtemp(join(tmpdir(), "voxgrad-luna-"));
  const readVolume = async () => scan();
  const [annotations, out] = [join(folder, "annotations.csv"), join(folder, "out")];
  try {
    await writeFile(join(folder, "s1.nii.gz"), "");
    await writeFile(annotations, list);
    const prepare = (window: readonly [number, number]) => prepareLuna(folder, annotations, out, { readVolume, window });
    const files = async () =>
      Promise.all(["s1.nii", "s1.mask.nii.gz"].map(async (name) => (await readFile(join(out, name))).toString("hex")));
    const rows = async () => (JSON.parse(await readFile(join(out, "index.json"), "utf8")) as { scans: { made: string }[] }).scans;
    const whole = new Map<string, string[]>();
    for (const window of [[-50, 50] as const, [-1000, 400] as const]) {
      await prepare(window);
      whole.set((await rows())[0].made, await files());
    }
    for (let k = 1, ended = false; !ended; k++) {
      await prepare([-1000, 400]);
      const { failed } = await onFailingDisk(out, k, () => prepare([-50, 50]).catch(() => undefined));
      for (const { made } of await rows()) expect(await files(), failed).toEqual(whole.get(made));
      ended = failed === undefined;
      expect(k).toBeLessThan(100);
    }
  } finally {
    await rm(folder, { recursive: true });
  }
});

test("a scan that is prepared anew keeps its place in the list", async () => {
  const folder = await mkdtemp(join(tmpdir(), "voxgrad-luna-"));
  const [annotations, out] = [join(folder, "annotations.csv"), join(folder, "out")];
  try {
    await writeFile(annotations, `${list}s2,6,8,14,4\n`);
    for (const id of ["s1", "s2"]) await writeFile(join(folder, `${id}.nii.gz`), "");
    const prepare = () => prepareLuna(folder, annotations, out, { readVolume: async () => scan() });
    const idsOf = ({ scans }: { readonly scans: readonly { readonly id: string }[] }) => scans.map(({ id }) => id);
    const ids = async () => [
      idsOf(await prepare()),
      idsOf(JSON.parse(await readFile(join(out, "index.json"), "utf8")) as NoduleIndex),
    ];
    expect(await ids()).toEqual([
      ["s1", "s2"],
      ["s1", "s2"],
    ]);
    await writeFile(join(folder, "s1.nii.gz"), "edited");
    expect(await ids()).toEqual([
      ["s1", "s2"],
      ["s1", "s2"],
    ]);
  } finally {
    await rm(folder, { recursive: true });
  }
});

test("scans whose files would be one on a disk that ignores case are refused before anything is written", async () => {
  const folder = await mkdtemp(join(tmpdir(), "voxgrad-luna-"));
  const [annotations, out] = [join(folder, "annotations.csv"), join(folder, "out")];
  try {
    await writeFile(annotations, `${list}S1,6,8,14,4\n`);
    for (const [part, id] of ["s1", "S1"].entries()) {
      await mkdir(join(folder, String(part)));
      await writeFile(join(folder, String(part), `${id}.nii.gz`), "");
    }
    await expect(prepareLuna(folder, annotations, out, { readVolume: async () => scan() })).rejects.toThrow(
      /prepareLuna: the names of the cases "s1" and "S1" differ in upper and lower case or accents alone/,
    );
    expect(await readdir(folder)).not.toContain("out");
  } finally {
    await rm(folder, { recursive: true });
  }
});
