/** @file The demo's data: synthetic volumes with balls, as real NIfTI files in a Decathlon folder. */

import { expectArguments } from "../../host/kinds.ts";
import { existsSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { writeFileAtomic } from "../../host/files.node.ts";
import { makeVolume } from "../../data/volume.ts";
import { writeNiftiFile } from "../../data/formats/nifti/nifti.node.ts";
import { RandomState } from "../../host/random/numpy.ts";
import { createTestImage3d } from "../../data/synthetic.ts";
import type { RunOptions } from "../recipes/run_options.ts";
import type { SliceOptions } from "../recipes/slices2d/options.ts";

const count = 40;
const trained = 35;

/**
 * Writes 40 volumes (30+i × 40+i × 50+i voxels) and their labels to `folder`, as MONAI's tutorial 2d_slices_from_3d makes them: the first 35
 * names in alphabetical order train, the last three validate. Does nothing if the folder is complete.
 * @param seed of the volumes
 */
export async function writeSynthetic(folder: string, seed: number): Promise<void> {
  expectArguments("writeSynthetic", "text", { folder });
  expectArguments("writeSynthetic", "number", { seed });
  if (existsSync(join(folder, "dataset.json"))) return;
  for (const part of ["imagesTr", "labelsTr"]) await mkdir(join(folder, part), { recursive: true });
  const randomState = new RandomState(seed);
  const names: string[] = [];
  for (let i = 0; i < count; i++) {
    const { image, label } = createTestImage3d(30 + i, 40 + i, 50 + i, {
      numSegClasses: 1,
      channelDim: 0,
      radMax: 10,
      randomState,
    });
    const name = `img${i}`;
    names.push(name);
    await writeNiftiFile(join(folder, "imagesTr", `${name}.nii.gz`), makeVolume(image), { dtype: "f32" });
    await writeNiftiFile(join(folder, "labelsTr", `${name}.nii.gz`), makeVolume(label), { dtype: "u8" });
  }
  names.sort();
  const splits = [{ train: names.slice(0, trained), val: names.slice(-3) }];
  await writeFileAtomic(join(folder, "splits_final.json"), JSON.stringify(splits, null, 2));
  // Last, as the mark of a complete folder.
  await writeFileAtomic(join(folder, "dataset.json"), JSON.stringify(describe(names), null, 2));
}

function describe(names: readonly string[]) {
  return {
    name: "Balls",
    description: "synthetic balls on an empty ground",
    tensorImageSize: "3D",
    modality: { 0: "synthetic" },
    labels: { 0: "background", 1: "ball" },
    numTraining: names.length,
    numTest: 0,
    training: names.map((n) => ({ image: `./imagesTr/${n}.nii.gz`, label: `./labelsTr/${n}.nii.gz` })),
    test: [],
  };
}

/**
 * The options of the tutorial's recipe without its loader's double sharding, and with 8 slices per volume instead of 4: after 5 epochs of 47 steps
 * the loss still falls steeply, and the score of a run is a matter of luck.
 */
export const syntheticOptions: Partial<RunOptions> & SliceOptions = {
  epochs: 5,
  batchSize: 3,
  samplesPerVolume: 8,
  foreground: 0,
  sliceAxis: 2,
  patchSize: [48, 48],
  fit: "resize",
  normalize: "scale",
  augment: "rotate",
  channels: [16, 32, 64, 128],
  numResUnits: 2,
  lr: 5e-3,
  schedule: "constant",
  numWorkers: 2,
  validateEvery: 1,
};
