/**
 * @file A folder of nnU-Net with all that is awkward at once, predicted as nnU-Net predicts: thick slices, an oblique image of another spacing, CT, regions,
 * folds beyond the five, two channels.
 */

import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { join } from "node:path";
import { expect, test } from "vitest";
import { loadCase } from "../../../src/data/folders/decathlon.node.ts";
import { readImageFile, readNiftiFile } from "../../../src/data/index.node.ts";
import { reversedAxes } from "../../../src/host/strided.ts";
import { modelFiles } from "../../../src/seg/models/model_files.node.ts";
import { openModel } from "../../../src/seg/models/open.ts";
import { openNnunetFolder } from "../../../src/seg/nnunet/model_folder.node.ts";
import { device } from "../../lib/device.ts";

const folder = fileURLToPath(new URL("../../fixtures/nnunet_folder", import.meta.url));
const image = async () => {
  const files = ["case_0000.nii.gz", "case_0001.nii.gz"].map((name) => join(folder, name));
  return (await loadCase({ id: "case", image: files }, [])).image;
};

test("labels are nnU-Net's, probabilities too, all at once and one by one", async () => {
  const model = await openNnunetFolder(await device(), folder);
  expect(model.folds).toBe(2);
  const { labels, probabilities } = await model.predict(await image(), { probabilities: true });
  expect(labels.data).toEqual((await readNiftiFile(join(folder, "labels.nii.gz"))).data);
  const wanted = await readImageFile(join(folder, "probabilities.npz"));
  const [heads, ...size] = wanted.shape;
  expect([heads, ...size.reverse()]).toEqual([...probabilities!.shape]);
  // Sums in halves go the other way at a voxel in some thousand, which the resampling spreads.
  const found = reversedAxes(probabilities!).data;
  const far = found.filter((p, i) => Math.abs(p - wanted.data[i]) > 1e-4).length;
  expect(far).toBeLessThan(1e-2 * found.length);
  expect(found.reduce((most, p, i) => Math.max(most, Math.abs(p - wanted.data[i])), 0)).toBeLessThan(2e-3);

  const one = await model.predict(await image(), { probabilities: "channels" });
  expect(one.labels).toEqual(labels);
  const voxels = labels.data.length;
  for (let c = 0; c < heads; c++)
    expect(one.probabilityMap!.channel(c)).toEqual(probabilities!.data.slice(c * voxels, (c + 1) * voxels));
  one.probabilityMap!.dispose();
  model.dispose();
});

test("a fold by its number, and the best weights where there are none", async () => {
  const gpu = await device();
  const model = await openNnunetFolder(gpu, folder, { folds: [5] });
  expect(model.folds).toBe(1);
  model.dispose();
  await expect(openModel(gpu, modelFiles(folder), { weights: "best" })).rejects.toThrow("checkpoint_best.pth");
});

test("readers that turn images to RAS give labels in the image's own orientation", async () => {
  const gpu = await device();
  const plans = JSON.parse(await readFile(join(folder, "plans.json"), "utf8")) as Record<string, unknown>;
  for (const reader of ["NibabelIOWithReorient", "SimpleITKIOWithReorient"]) {
    const bytes = new TextEncoder().encode(JSON.stringify({ ...plans, image_reader_writer: reader }));
    const files = modelFiles(folder);
    const model = await openModel(
      gpu,
      { ...files, read: async (path) => (path === "plans.json" ? bytes : files.read(path)) },
      {},
    );
    const x = await image();
    const { labels } = await model.segment(x);
    expect([labels.shape.slice(1), labels.affine]).toEqual([x.shape.slice(1), x.affine]);
    expect(labels.data).not.toEqual((await readNiftiFile(join(folder, "labels.nii.gz"))).data);
    model.dispose();
  }
});
