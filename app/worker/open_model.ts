/** @file Models by their files. */

import type { Device } from "voxgrad";
import { FormatError } from "voxgrad";
import { type LabelClass, type Volume, withGeometryOf } from "voxgrad/data";
import { openRun, readRunInfo, recipes, type RunStore, segmentCases, type SegmentPlan } from "voxgrad/seg";

export interface ModelFiles {
  readonly name: string;
  readonly paths: readonly string[];
  read(path: string): Promise<Uint8Array>;
}

export interface SegmentationModel {
  readonly kind: string;
  readonly channels: readonly string[];
  readonly labels: readonly LabelClass[];
  readonly description: string;
  segment(
    image: Volume,
    options: { signal?: AbortSignal; onPlan?: (plan: SegmentPlan) => void; onProgress?: (done: number, total: number) => void },
  ): Promise<{ labels: Volume }>;
  dispose(): void;
}

export async function openModel(device: Device, files: ModelFiles): Promise<SegmentationModel> {
  const refuse = () => Promise.reject(new FormatError("read only"));
  const top = files.paths[0].includes("/") ? files.paths[0].split("/")[0] + "/" : "";
  const has = (f: string) => files.paths.includes(top + f);
  const store: RunStore = {
    name: files.name,
    has: async (f) => has(f),
    read: async (f) => (has(f) ? files.read(top + f) : undefined),
    write: refuse,
    append: refuse,
  };
  const info = await readRunInfo(store);
  const recipe = recipes.find((r) => r.name === info.recipe.name)!;
  const run = await openRun(device, store, recipe);
  return {
    kind: "run",
    channels: info.channels,
    labels: info.labels,
    description: recipe.name,
    async segment(image, { signal, onPlan, onProgress }) {
      const found = await segmentCases(run, [{ id: "image", image: [] }], async () => ({ id: "image", image }), {
        signal,
        onPlan: onPlan && ((_, plan) => onPlan(plan)),
        onProgress: onProgress && ((_, done, total) => onProgress(done, total)),
      }).next();
      return { labels: withGeometryOf(image, found.value!.labels) };
    },
    dispose: () => run.dispose(),
  };
}
