/** @file Segmenting cases with a trained run, one after the other: memory does not grow with their number. */

import type { Case } from "../../data/folders/dataset_index.ts";
import { writeNifti } from "../../data/formats/nifti/nifti.ts";
import { withGeometryOf } from "../../data/volume.ts";
import type { HostArray } from "../../host/array.ts";
import type { Device } from "../../tensor/device.ts";
import type { Segmenter } from "../inference/segmenter.ts";
import type { Candidate } from "../metrics/detection.ts";
import { diceOfLabels } from "../metrics/label_dice.ts";
import { type PostStep, postprocess } from "../post/steps.ts";
import { asStored, type ReadCase, readyCase } from "../recipes/prepared.ts";
import type { Context, LoadedCase, Networks, Recipe } from "../recipes/recipe.ts";
import { contextOf, loadWeights, readConfig, readRunInfo, type WhichWeights } from "./files.ts";
import type { RunStore } from "./store.ts";
import type { AbortSignal } from "../../host/platform.ts";

/** A trained run, ready to segment. */
export interface OpenedRun {
  readonly recipe: Recipe;
  readonly context: Context;
  readonly networks: Networks;
  readonly segmenter: Segmenter;
  /** Frees networks and segmenter. */
  dispose(): void;
}

/** The networks of a run with their final weights, or the best ones, or those of the last checkpoint. Throws `CheckpointError`, `ConfigError`. */
export async function openRun(device: Device, store: RunStore, recipe: Recipe, which?: WhichWeights): Promise<OpenedRun> {
  const context = contextOf(recipe, await readConfig(store, recipe), await readRunInfo(store));
  const networks = recipe.networks(device, context);
  const free = () => Object.values(networks).forEach((model) => model.dispose());
  try {
    await loadWeights(store, networks, which);
  } catch (error) {
    free();
    throw error;
  }
  const segmenter = recipe.segmenter(device, networks, context);
  const dispose = () => {
    segmenter.dispose();
    free();
  };
  return { recipe, context, networks, segmenter, dispose };
}

/** A case segmented. */
export interface Segmented {
  readonly id: string;
  /** As it was read. */
  readonly source: LoadedCase;
  /** Stored label values `[1, x, y, z]` on the grid of the source, in its own orientation. */
  readonly labels: HostArray;
  /** Dice of each foreground class, if the case has a label. */
  readonly dice?: readonly number[];
  /** What was found, in millimeters, by recipes that look for things. */
  readonly candidates?: readonly Candidate[];
}

/**
 * Segments cases in order, each when it is asked for.
 * @param steps what is done to each label map
 * @throws FormatError, ShapeError, DataError for bad images; the signal's reason when it is aborted
 */
export async function* segmentCases(
  { recipe, context, segmenter }: OpenedRun,
  cases: readonly Case[],
  read: ReadCase,
  signal?: AbortSignal,
  steps: readonly PostStep[] = [],
): AsyncGenerator<Segmented, void, undefined> {
  for (const item of cases) {
    signal?.throwIfAborted();
    const { stored, source, prepared } = await readyCase(recipe, context, read, item);
    const found = await segmenter.run(prepared.image, { signal });
    const placed = (await recipe.postprocess?.(found, source, context)) ?? found;
    const turned = postprocess(placed, source.image.spacing, steps);
    const { candidates } = placed;
    const dice = source.label && diceOfLabels(turned, source.label, context.outputs.foreground, context.outputs.ignore);
    const labels = asStored(stored, context.orientation, turned);
    yield { id: stored.id, source: stored, labels, ...(dice ? { dice } : {}), ...(candidates && { candidates }) };
  }
}

/** Writes a label map as NIfTI in the geometry of its image. */
export async function writePrediction(store: RunStore, file: string, { source, labels }: Segmented): Promise<void> {
  const dtype = labels.data instanceof Uint8Array ? "u8" : "i32";
  await store.write(file, await writeNifti(withGeometryOf(source.image, labels), { dtype, gzip: true }));
}
