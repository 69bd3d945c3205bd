/** @file Folders of chest scans: each layout gives the same nodules at the same places, from lists and headers alone. */

import { mkdtemp, mkdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { writeChests } from "../../../scripts/synthetic_chest.ts";
import { turnArray } from "../../../src/data/axis_codes.ts";
import { lunaDataset } from "../../../src/data/folders/luna.ts";
import { loadLuna, loadNoduleCase, lunaCacheFile } from "../../../src/data/folders/luna.node.ts";
import { readImageFile, readImageGrid, writeImageFile } from "../../../src/data/formats/images.node.ts";
import { type Nodule, toVoxel } from "../../../src/data/nodules/annotations.ts";
import { prepareLuna } from "../../../src/data/nodules/luna.node.ts";
import { maskOfNodules, nodulesOfMask } from "../../../src/data/nodules/mask_nodules.ts";
import { makeVolume, type Volume } from "../../../src/data/volume.ts";
import { ConfigError, FormatError } from "../../../src/host/errors.ts";

let folder: string;
let listed: Map<string, Nodule[]>;
const at = (...names: string[]) => join(folder, ...names);
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "luna-"));
  listed = await writeChests(at("raw"), { scans: 3, size: [40, 44, 20], spacing: [1, 1, 1.5], diameters: [5, 8], seed: 3 });
});
afterAll(() => rm(folder, { recursive: true }));

const near = (found: readonly Nodule[], wanted: readonly Nodule[], tolerance: number) => {
  expect(found).toHaveLength(wanted.length);
  for (const { center, diameter } of wanted) {
    const distance = (n: Nodule) => Math.hypot(...n.center.map((c, a) => c - center[a]));
    const match = found.toSorted((a, b) => distance(a) - distance(b))[0];
    expect(distance(match)).toBeLessThan(tolerance);
    expect(Math.abs(match.diameter - diameter)).toBeLessThan(2 * tolerance);
  }
};

const valueAt = ({ data, affine, shape: [, , ny, nz] }: Volume, center: Nodule["center"]) => {
  const [x, y, z] = toVoxel(affine, center).map(Math.round);
  return data[(x * ny + y) * nz + z];
};

test("LUNA16 as it is published: nodules, grids, labels, and a list of headers that is kept", async () => {
  const index = (await loadLuna(at("raw")))!;
  expect(index.training.map((c) => c.id)).toEqual([...listed.keys()]);
  for (const item of index.training) {
    near(item.nodules!, listed.get(item.id)!, 1e-4);
    const { image, label } = await loadNoduleCase(item);
    expect([item.grid!.shape, item.grid!.affine]).toEqual([image.shape, image.affine]);
    for (const { center } of item.nodules!) expect([valueAt(image, center) > -300, valueAt(label!, center)]).toEqual([true, 1]);
    near(nodulesOfMask(label!), item.nodules!, 0.5);
  }
  // What the kept list says is believed as long as the header has not changed.
  const kept = JSON.parse(await readFile(at("raw", lunaCacheFile), "utf8"));
  const [first] = Object.values<{ shape: number[] }>(kept.scans);
  first.shape = [1, 2, 3, 4];
  await writeFile(at("raw", lunaCacheFile), JSON.stringify(kept));
  expect((await loadLuna(at("raw")))!.training[0].grid!.shape).toEqual([1, 2, 3, 4]);
  await rm(at("raw", lunaCacheFile));
});

test("subsets are folds, whatever the folder above them is called and whatever else lies deeper", async () => {
  await mkdir(at("subset7"));
  const ids = [...listed.keys()];
  for (const [i, id] of ids.entries()) {
    await mkdir(at("subset7", `subset${i}`));
    for (const ending of ["mhd", "zraw"])
      await writeFile(at("subset7", `subset${i}`, `${id}.${ending}`), await readFile(at("raw", `${id}.${ending}`)));
  }
  await mkdir(at("subset7", "CSVFILES"));
  await writeFile(at("subset7", "CSVFILES", "annotations.csv"), await readFile(at("raw", "annotations.csv")));
  await writeFile(at("subset7", "subset0", "index.json"), "{}");
  await writeFile(at("subset7", "subset0", `.${ids[0]}.mhd`), "");
  const { splits, notes } = (await loadLuna(at("subset7")))!;
  expect(notes).toEqual([expect.stringContaining(`has a hidden image, .${ids[0]}.mhd: left out`)]);
  expect(splits!.map((s) => s.val)).toEqual(ids.map((id) => [id]));
  expect(splits![0].train).toEqual(ids.slice(1));
});

test("scans whose headers count in micrometers", async () => {
  await mkdir(at("um"));
  const [id, nodules] = [...listed][0];
  const scan = await readImageFile(at("raw", `${id}.mhd`));
  const affine = scan.affine.map((row, r) => (r < 3 ? row.map((v) => 1000 * v) : row));
  await writeImageFile(at("um", `${id}.nii.gz`), makeVolume(scan, affine, { units: "um" }));
  await writeFile(at("um", "annotations.csv"), await readFile(at("raw", "annotations.csv")));
  // Read anew, and from the list that is kept.
  for (let k = 0; k < 2; k++) {
    const [item] = (await loadLuna(at("um")))!.training;
    near(item.nodules!, nodules, 1e-4);
    expect(item.grid!.units).toBe("um");
    const { label } = await loadNoduleCase(item);
    expect(label!.data).toEqual(maskOfNodules(scan, nodules).data);
    near(nodulesOfMask(label!), nodules, 0.5);
  }
});

test("prepared folders", async () => {
  await prepareLuna(at("raw"), at("raw", "annotations.csv"), at("prepared"), { readVolume: readImageFile });
  const index = (await loadLuna(at("prepared")))!;
  for (const item of index.training) {
    near(item.nodules!, listed.get(item.id)!, 0.05);
    const { image, label } = await loadNoduleCase(item);
    expect([image.data.constructor, image.shape]).toEqual([Uint8Array, [1, 40, 44, 30]]);
    for (const { center } of item.nodules!) expect([valueAt(image, center) > 100, valueAt(label!, center)]).toEqual([true, 1]);
  }
});

test("cleaned scans: axes in NumPy's order, masks that number their nodules, boxes", async () => {
  await mkdir(at("cleaned"));
  const [id, nodules] = [...listed][0];
  const scan = await readImageFile(at("raw", `${id}.mhd`));
  const mask = maskOfNodules(scan, nodules);
  const zyx = (v: Volume) => makeVolume(turnArray(v, { axes: [2, 1, 0], flips: [false, false, false] }));
  const numbered = { ...mask, data: mask.data.map((v) => 7 * v) };
  await writeImageFile(at("cleaned", "a_clean.npy"), zyx(scan));
  await writeImageFile(at("cleaned", "a_mask.npy"), zyx(numbered));
  const rows = nodules.flatMap(({ center, diameter }) => [...toVoxel(scan.affine, center).toReversed(), diameter]);
  // Three axes of NumPy's array are rows, columns and one more that is left out by writing rows of four beside each other.
  await writeImageFile(
    at("cleaned", "a_bboxes.npy"),
    makeVolume({ data: Float32Array.from(rows), shape: [1, 1, nodules.length, 4] }),
  );
  await expect(loadLuna(at("cleaned"))).rejects.toThrow(FormatError);
  const bytes = Buffer.from(await readFile(at("cleaned", "a_bboxes.npy")));
  bytes.write(bytes.toString("latin1").replace(`(1, ${nodules.length}, 4)`, `(${nodules.length}, 4)   `), "latin1");
  await writeFile(at("cleaned", "a_bboxes.npy"), bytes);
  const [item] = (await loadLuna(at("cleaned")))!.training;
  const { image, label } = await loadNoduleCase(item);
  expect(image.shape).toEqual(scan.shape);
  expect(item.grid!.shape).toEqual(scan.shape);
  for (const { center } of item.nodules!) expect([valueAt(image, center) > -300, valueAt(label!, center)]).toEqual([true, 1]);
  expect(label!.data).toEqual(mask.data);
});

test("faults are named: a list of other scans, voxels that are not there, a nodule outside", async () => {
  await mkdir(at("faults"));
  const [id] = listed.keys();
  await writeFile(at("faults", "annotations.csv"), "seriesuid,coordX,coordY,coordZ,diameter_mm\nother,1,2,3,4\n");
  await expect(loadLuna(at("faults"))).rejects.toThrow(ConfigError);
  const text = await readFile(at("raw", `${id}.mhd`), "utf8");
  await writeFile(at("faults", `${id}.mhd`), text.replace(/CompressedData.*\n/g, "").replace(".zraw", ".raw"));
  await expect(readImageGrid(at("faults", `${id}.mhd`))).rejects.toThrow(/missing or cut short/);
  await rename(at("faults", `${id}.mhd`), at("faults", "other.mhd"));
  await expect(loadLuna(at("faults"))).rejects.toThrow(FormatError);
  const scan = await readImageFile(at("raw", `${id}.mhd`));
  expect(() => maskOfNodules(scan, [{ center: [900, 0, 0], diameter: 4 }])).toThrow(/lies outside/);
  expect(await loadLuna(at("nowhere"))).toBeUndefined();
});

test("a list that went while it was read is an error that names it", async () => {
  const blob = new Blob([]);
  blob.text = () => Promise.reject(new DOMException("it is gone", "NotReadableError"));
  const lost = lunaDataset(["annotations.csv", "s1.mhd"], { open: async (name) => ({ name, blob }) });
  await expect(lost).rejects.toThrow(/^lunaDataset: annotations\.csv cannot be read/);
  await expect(lost).rejects.toThrow(FormatError);
});
