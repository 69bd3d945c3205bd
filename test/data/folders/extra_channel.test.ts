/** @file A channel more for each case of a folder, from files beside it. */

import { mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { openDataset, readCase, writeNiftiFile } from "../../../src/data/index.node.ts";
import { makeVolume } from "../../../src/data/index.ts";
import { DataError } from "../../../src/host/errors.ts";
import { temporaryFolder, writeTinyDataset } from "../../lib/tiny.ts";

test("label maps of two folders follow the channels; what is missing or there twice is named", async () => {
  const { folder, remove } = temporaryFolder();
  try {
    await writeTinyDataset(folder);
    const { training, labels } = await openDataset(folder);
    const folders = ["a", "b"].map((name) => join(folder, name));
    for (const f of folders) mkdirSync(f);
    const extraChannel = { name: "found", folders };
    const open = () => openDataset(folder, { datasetJson: { extraChannel } });
    for (const [i, item] of training.slice(1).entries()) {
      const { label } = await readCase(item, labels);
      await writeNiftiFile(join(folders[i % 2], `${item.id}.nii.gz`), makeVolume(label!, label!.affine));
    }
    await expect(open()).rejects.toThrow(/found: 1 of 6 cases have no file in .*: case0/);
    const { label } = await readCase(training[0], labels);
    for (const f of folders) await writeNiftiFile(join(f, "case0.nii.gz"), makeVolume(label!, label!.affine));
    await expect(open()).rejects.toThrow(/"case0" has two files/);
    await expect(openDataset(folder, { datasetJson: { extraChannel: { name: "found", folders: ["nowhere"] } } })).rejects.toThrow(
      DataError,
    );
    rmSync(join(folders[1], "case0.nii.gz"));
    const index = await open();
    expect(index.modality.at(-1)).toBe("found");
    for (const item of index.training) {
      const { image, label: truth } = await readCase(item, labels);
      const voxels = truth!.data.length;
      expect(image.shape[0]).toBe(index.modality.length);
      expect([...image.data.subarray(-voxels)]).toEqual([...truth!.data]);
    }
  } finally {
    remove();
  }
});
