/** @file The demo's data: synthetic volumes with balls, as real NIfTI files in a Decathlon folder. */

import { expectArguments } from "../../host/kinds.ts";
import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { gunzip, gzip } from "node:zlib";
import { ConfigError } from "../../host/errors.ts";
import { makeFolder, writeFileAtomic } from "../../host/files.node.ts";
import { makeVolume } from "../../data/volume.ts";
import { encodeNifti } from "../../data/formats/nifti/nifti.ts";
import { RandomState } from "../../host/random/numpy.ts";
import { createTestImage3d } from "../../data/synthetic.ts";
import type { RunOptions } from "../recipes/run_options.ts";
import type { SliceOptions } from "../recipes/slices2d/options.ts";

const count = 40;
const trained = 35;

/**
 * Writes 40 volumes (30+i × 40+i × 50+i voxels) and their labels to `folder`, as MONAI's tutorial 2d_slices_from_3d makes them: the first 35
 * names in alphabetical order train, the last three validate. Does nothing if the folder is complete, and goes on if it was interrupted.
 * @param seed of the volumes
 * @throws ConfigError if there are files of these names that are anything else
 */
export async function writeSynthetic(folder: string, seed: number): Promise<void> {
  expectArguments("writeSynthetic", "text", { folder });
  expectArguments("writeSynthetic", "number", { seed });
  const names = Array.from({ length: count }, (_, i) => `img${i}`);
  const sorted = names.toSorted();
  const mark = { path: join(folder, "dataset.json"), content: json(describe(sorted, seed)) };
  if (existsSync(mark.path)) return put(mark.path, mark.content);
  for (const part of ["imagesTr", "labelsTr"]) await makeFolder(join(folder, part));
  const randomState = new RandomState(seed);
  for (const [i, name] of names.entries()) {
    const { image, label } = createTestImage3d(30 + i, 40 + i, 50 + i, {
      numSegClasses: 1,
      channelDim: 0,
      radMax: 10,
      randomState,
    });
    await put(join(folder, "imagesTr", `${name}.nii.gz`), encodeNifti(makeVolume(image), "f32"));
    await put(join(folder, "labelsTr", `${name}.nii.gz`), encodeNifti(makeVolume(label), "u8"));
  }
  await put(join(folder, "splits_final.json"), json([{ train: sorted.slice(0, trained), val: sorted.slice(-3) }]));
  // Last, as the mark of a complete folder.
  await put(mark.path, mark.content);
}

const json = (value: unknown): Uint8Array => new TextEncoder().encode(JSON.stringify(value, null, 2));

/** Writes a file, packed if its name says so; one that is there has to have that content. */
async function put(path: string, content: Uint8Array): Promise<void> {
  const packed = path.endsWith(".gz");
  if (!existsSync(path)) return writeFileAtomic(path, packed ? await promisify(gzip)(content) : content);
  const there = await readFile(path);
  const same = await (packed ? promisify(gunzip)(there) : Promise.resolve(there)).then(
    (bytes) => bytes.equals(content),
    () => false,
  );
  if (!same) throw new ConfigError(`${path} exists and is not what the demo writes; choose another folder or seed`);
}

function describe(names: readonly string[], seed: number) {
  return {
    name: "Balls",
    description: `synthetic balls on an empty ground, seed ${seed}`,
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
