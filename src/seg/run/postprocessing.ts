/** @file What a run found to help its predictions, decided on validation cases and applied whenever it predicts. */

import { expectWord } from "../../host/words.ts";
import { expectArguments, expectFields } from "../../host/kinds.ts";
import { itemHash } from "../../data/datasets/item_key.ts";
import { ConfigError } from "../../host/errors.ts";
import type { LabelClass } from "../../data/labels.ts";
import { type Determined, determinePostprocessing, type PredictedCase } from "../post/determine.ts";
import { checkSteps, type PostStep } from "../post/steps.ts";
import { files, weightFiles, type WhichWeights } from "./files.ts";
import { type RunStore, expectStore } from "./store.ts";

/** The file postprocessing.json of a run. */
export interface Postprocessing {
  /** What is done to label maps, in order. */
  readonly steps: readonly PostStep[];
  /** Validation cases on which it was decided. */
  readonly cases: number;
  /** Mean Dice of each class without and with the steps; null where no case has it. That is, `before` and `after`. */
  readonly dice: Readonly<Record<string, { readonly before: number | null; readonly after: number | null }>>;
  /** Hash of the weights that it was found for; files of before have none. */
  readonly weights?: string | undefined;
}

/**
 * nnU-Net's decision for the classes of a run. Throws what `determinePostprocessing` does. Of `count` cases, by `index`; `foreground` has the classes,
 * `ignore` is the truth value of voxels that do not count; `onProgress` hears of passes, `done` of `total`.
 */
export async function decidePostprocessing(
  count: number,
  read: (index: number) => Promise<PredictedCase>,
  outputs: { readonly foreground: readonly LabelClass[]; readonly ignore?: number | undefined },
  onProgress?: (done: number, total: number) => void,
): Promise<Postprocessing> {
  expectArguments("decidePostprocessing", "number", { count });
  expectArguments("decidePostprocessing", "function", { read });
  expectFields("decidePostprocessing", "outputs", outputs, { foreground: "objects" });
  const { foreground, ignore } = outputs;
  const labelsOrRegions = foreground.map(({ values }) => values.filter((v) => v !== 0));
  const found = await determinePostprocessing(count, read, { labelsOrRegions, ignore, onProgress });
  const steps = found.keepLargest.map((labels): PostStep => ({ step: "keepLargest", labels }));
  return { steps, cases: count, dice: diceByName(found, foreground) };
}

function diceByName({ before, after }: Determined, foreground: readonly LabelClass[]): Postprocessing["dice"] {
  const known = (d: number) => (Number.isNaN(d) ? null : d);
  return Object.fromEntries(foreground.map(({ name }, c) => [name, { before: known(before[c]), after: known(after[c]) }]));
}

/** What tells the weights that predict from others. */
async function weightsHash(store: RunStore, which?: WhichWeights): Promise<string | undefined> {
  for (const file of weightFiles(which)) {
    const bytes = await store.read(file);
    if (bytes) return itemHash("weights", bytes);
  }
  return undefined;
}

/** Writes a decision into a run, for the weights that it has; `readPostSteps` finds it there. */
export async function writePostprocessing(store: RunStore, found: Postprocessing): Promise<void> {
  expectStore("writePostprocessing", store);
  expectFields("writePostprocessing", "found", found, { steps: "objects" });
  const noted: Postprocessing = { ...found, weights: await weightsHash(store) };
  await store.write(files.postprocessing, `${JSON.stringify(noted, null, 2)}\n`);
}

/** What a run found to help; undefined if that was never asked. Throws `ConfigError` if the file is damaged. */
export async function readPostprocessing(store: RunStore): Promise<Postprocessing | undefined> {
  expectStore("the postprocessing of a run", store);
  const bytes = await store.read(files.postprocessing);
  if (!bytes) return undefined;
  const source = `${store.name}/${files.postprocessing}`;
  let value: Partial<Postprocessing> | null;
  try {
    value = JSON.parse(new TextDecoder().decode(bytes)) as typeof value;
  } catch (error) {
    throw new ConfigError(`${source}: is not JSON: ${(error as Error).message}`, { cause: error });
  }
  return { cases: 0, dice: {}, ...value, steps: checkSteps(value?.steps, source) };
}

/**
 * The steps of it; none if that was never asked, or was found for other weights, such as those before more training. Throws `ConfigError` if the file is
 * damaged. `which` are the weights that predict; default as in `openRun`.
 */
export async function readPostSteps(store: RunStore, which?: WhichWeights): Promise<PostStep[]> {
  expectWord("readPostSteps", "which", which ?? "best", ["weights", "best"]);
  const found = await readPostprocessing(store);
  if (!found || (found.weights !== undefined && found.weights !== (await weightsHash(store, which)))) return [];
  return [...found.steps];
}
