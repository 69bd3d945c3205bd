/** @file A tiny dataset in memory, for runs that no disk is needed for; also in a browser. */

import { createTestImage3d, makeVolume, RandomState, toAxisCodes, type Volume } from "../../src/data/index.ts";
import type { LoadedCase, RunData } from "../../src/seg/index.ts";

/** Label values of the balls, as nnU-Net names classes and regions. */
export type MemoryLabels = Readonly<Record<string, number | readonly number[]>>;

export interface MemoryChanges {
  /** Value of voxel i of a label; default as it is. */
  readonly relabel?: (value: number, i: number) => number;
  /** Where the axes of a case point; default "RAS". */
  readonly orientation?: (caseIndex: number) => string;
}

/** Four training and two validation cases of 16 voxels per side; the balls of case i have the values 1 … `values` in turn. */
export function memoryData(
  labels: MemoryLabels = { background: 0, ball: 1 },
  values = 1,
  { relabel = (v) => v, orientation = () => "RAS" }: MemoryChanges = {},
): RunData & { reads: number } {
  const randomState = new RandomState(7);
  const volumes = new Map<string, { image: Volume; label: Volume }>();
  for (let i = 0; i < 6; i++) {
    const { image, label } = createTestImage3d(16, 16, 16, {
      numObjs: 4,
      numSegClasses: values,
      radMin: 2,
      radMax: 5,
      noiseMax: 0.3,
      channelDim: 0,
      randomState,
    });
    const changed = makeVolume({ ...label, data: label.data.map(relabel) });
    const codes = orientation(i);
    volumes.set(`case${i}`, { image: toAxisCodes(makeVolume(image), codes), label: toAxisCodes(changed, codes) });
  }
  const cases = [...volumes.keys()].map((id) => ({ id, image: [id], label: id }));
  const data = {
    index: {
      name: "Memory",
      modality: ["synthetic"],
      labels: Object.entries(labels).map(([name, v]) => ({
        name,
        values: typeof v === "number" ? [v] : v,
        ...(name === "ignore" ? { ignore: true as const } : {}),
      })),
      fileEnding: ".nii.gz",
      training: cases,
      test: [],
    },
    train: cases.slice(0, 4),
    val: cases.slice(4),
    threads: 1,
    reads: 0,
    async read({ id }: { readonly id: string }): Promise<LoadedCase> {
      data.reads++;
      return { id, ...volumes.get(id)! };
    },
  };
  return data;
}

/** Options of slices2d with which a network trains in a moment. */
export const tinyRun = {
  epochs: 2,
  batchSize: 4,
  validateEvery: 1,
  samplesPerVolume: 8,
  foreground: 0.5,
  sliceAxis: 2,
  patchSize: [16, 16],
  fit: "resize",
  window: [],
  normalize: "scale",
  augment: "none",
  channels: [4, 8],
  numResUnits: 1,
  lr: 0.01,
  schedule: "poly",
} as const;
