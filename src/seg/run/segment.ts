/** @file Segmenting cases with a trained run, or several as an ensemble, one after the other: memory does not grow with their number. */

import { expectWord } from "../../host/words.ts";
import { expectRecipe } from "../recipes/expect_recipe.ts";
import { expectArguments, expectItems } from "../../host/kinds.ts";
import { expectDevice } from "../../tensor/kind.ts";
import type { Case } from "../../data/folders/dataset_index.ts";
import { withGeometryOf } from "../../data/volume.ts";
import type { HostArray } from "../../host/array.ts";
import { ConfigError } from "../../host/errors.ts";
import { expectOptions } from "../../host/options.ts";
import type { AbortSignal } from "../../host/platform.ts";
import type { Device } from "../../tensor/device.ts";
import { decideScores, gathered, meanScores, probabilityMap } from "../inference/score_map.ts";
import {
  type InferenceOptions,
  inferenceNames,
  type Segmentation,
  type SegmentHooks,
  type SegmentPlan,
  type Segmenter,
} from "../inference/segmenter.ts";
import type { KeepScores, KeptScoreMap } from "../inference/kept_scores.ts";
import type { Candidate } from "../metrics/detection.ts";
import { diceOfLabels } from "../metrics/label_dice.ts";
import { voteOfLabels } from "../post/ensemble.ts";
import { type PostStep, postprocess } from "../post/steps.ts";
import { asStored, oriented, type ReadCase } from "../recipes/prepared.ts";
import type { Context, LoadedCase, Networks, PreparedCase, Recipe } from "../recipes/recipe.ts";
import { contextOf, loadWeights, readConfig, readRunInfo, type WhichWeights } from "./files.ts";
import { sourceNotes } from "./odd_source.ts";
import { cleanedUp, decidesOnSource, labelsOf, scoresOf } from "./decide.ts";
import { type RunStore, expectStore } from "./store.ts";

/** A trained run, ready to segment. */
export interface OpenedRun {
  /** What it was trained by. */
  readonly recipe: Recipe;
  /** Its options, classes and channels. */
  readonly context: Context;
  /** By name, with the run's weights, in evaluation mode. */
  readonly networks: Networks;
  /** What segments prepared images. */
  readonly segmenter: Segmenter;
  /** Frees networks and segmenter. */
  dispose(): void;
}

/**
 * The networks of a run with their final weights, or the best ones, or those of the last checkpoint.
 * @param inference what to do other than the recipe does
 * @throws CheckpointError, ConfigError
 */
export async function openRun(
  device: Device,
  store: RunStore,
  recipe: Recipe,
  which?: WhichWeights,
  inference: InferenceOptions = {},
): Promise<OpenedRun> {
  expectOptions("openRun", inference, inferenceNames);
  expectWord("openRun", "which", which ?? "best", ["weights", "best"]);
  expectWord("openRun", "precision", inference.precision ?? "f32", ["f32", "f16"]);
  expectDevice("openRun", device);
  expectStore("openRun", store);
  expectRecipe("openRun", recipe);
  const context = contextOf(recipe, await readConfig(store, recipe), await readRunInfo(store));
  if (inference.mirror && recipe.mirrored?.(context.config) === false)
    throw new ConfigError(
      `the run ${store.name} was trained without mirror images (recipe ${recipe.name}), of which its network knows nothing; leave out their average (mirror, --tta)`,
    );
  const networks = recipe.networks(device, context);
  const free = () => Object.values(networks).forEach((model) => model.dispose());
  let segmenter: Segmenter | undefined;
  const dispose = () => {
    segmenter?.dispose();
    free();
  };
  try {
    await loadWeights(store, networks, which);
    segmenter = recipe.segmenter(device, networks, context);
    const asked = Object.entries(inference).filter(([, value]) => value !== undefined);
    if (asked.length > 0 && !segmenter.configure)
      throw new ConfigError(
        `the segmenter of recipe ${recipe.name} takes no options of inference (${asked.map(([name]) => name)})`,
      );
    if (asked.length > 0) segmenter.configure!(Object.fromEntries(asked));
  } catch (error) {
    dispose();
    throw error;
  }
  return { recipe, context, networks, segmenter, dispose };
}

/** What several runs are joined by: the mean of their logits or of their probabilities, or the label that most of them give. */
export type Ensemble = "logits" | "probabilities" | "vote";

/** Options of `segmentCases`. */
export interface SegmentOptions {
  /** Aborting stops between batches. */
  readonly signal?: AbortSignal | undefined;
  /** What is done to each label map. */
  readonly steps?: readonly PostStep[] | undefined;
  /** Default "logits". */
  readonly ensemble?: Ensemble | undefined;
  /** Give the probabilities of classes or regions too, "channels": one at a time. Default false. */
  readonly probabilities?: boolean | "channels" | undefined;
  /** Where scores are kept in between, which for many classes are more than memory; default one array. */
  readonly keepScores?: KeepScores | undefined;
  /** Told of each case and run what will be done, before it is. `id` is the case's. */
  readonly onPlan?: ((id: string, plan: SegmentPlan) => void) | undefined;
  /** Told after each batch the windows done and their total, of all runs. `id` is the case's. */
  readonly onProgress?: ((id: string, done: number, total: number) => void) | undefined;
}

/** A case segmented. */
export interface Segmented {
  /** The case's name. */
  readonly id: string;
  /** As it was read. */
  readonly source: LoadedCase;
  /** Stored label values `[1, x, y, z]` on the grid of the source, in its own orientation. */
  readonly labels: HostArray;
  /** Probabilities `[K, x, y, z]` of classes or regions there, if they were asked for. */
  readonly probabilities?: HostArray<Float32Array>;
  /** In place of them the probabilities of the class that is asked for, `[x, y, z]`, if they were asked for so; to be disposed. */
  readonly probabilityMap?: KeptScoreMap;
  /** What is odd about the image for these runs: voxels of another size than they learned on, intensities of another zero. */
  readonly notes?: readonly string[];
  /** Dice of each foreground class, if the case has a label. */
  readonly dice?: readonly number[];
  /** What was found, in millimeters, by recipes that look for things. */
  readonly candidates?: readonly Candidate[];
}

/**
 * Segments cases in order, each when it is asked for.
 * @param runs one, or several of the same classes and channels as an ensemble
 * @throws FormatError, ShapeError, DataError for bad images; ConfigError for runs that do not go together; the signal's reason when it is aborted
 */
export function segmentCases(
  runs: OpenedRun | readonly OpenedRun[],
  cases: readonly Case[],
  read: ReadCase,
  options: SegmentOptions = {},
): AsyncGenerator<Segmented, void, undefined> {
  expectOptions("segmentCases", options, "signal steps ensemble probabilities keepScores onPlan onProgress");
  const { probabilities = false } = options;
  if (typeof probabilities !== "boolean") expectWord("segmentCases", "probabilities", probabilities, ["channels"]);
  const list = Array.isArray(runs) ? (runs as readonly OpenedRun[]) : [runs as OpenedRun];
  expectItems("segmentCases", "runs", list, { context: "object", segmenter: "object" });
  expectItems("segmentCases", "cases", cases);
  expectArguments("segmentCases", "function", { read });
  expectTogether(list, options);
  return segmented(list, cases, read, options);
}

async function* segmented(
  list: readonly OpenedRun[],
  cases: readonly Case[],
  read: ReadCase,
  options: SegmentOptions,
): AsyncGenerator<Segmented, void, undefined> {
  for (const item of cases) {
    options.signal?.throwIfAborted();
    yield await segmentCase(list, await read(item), options);
  }
}

/** Throws `ConfigError` unless runs can be one ensemble. */
export function expectTogether(
  runs: readonly OpenedRun[],
  { ensemble = "logits", probabilities }: Pick<SegmentOptions, "ensemble" | "probabilities">,
): void {
  if (runs.length === 0) throw new ConfigError("segmentCases: there is no run");
  if (!["logits", "probabilities", "vote"].includes(ensemble))
    throw new ConfigError(`ensemble must be "logits", "probabilities" or "vote", got "${ensemble}"`);
  if (probabilities && runs.length > 1 && ensemble === "vote")
    throw new ConfigError("a vote has no probabilities; join the runs by logits or probabilities");
  const [first, ...others] = runs.map(({ context: { labels, channels, orientation, outputs } }) =>
    JSON.stringify([labels, channels, orientation, outputs.kind]),
  );
  const other = others.findIndex((o) => o !== first);
  if (other >= 0)
    throw new ConfigError(
      `run ${other + 2} has other classes, channels, outputs or another orientation than run 1: they make no ensemble`,
    );
}

async function segmentCase(runs: readonly OpenedRun[], stored: LoadedCase, options: SegmentOptions): Promise<Segmented> {
  const [{ context }] = runs;
  const source = oriented(stored, context.orientation);
  const byLabels = !options.probabilities && (runs.length === 1 || options.ensemble === "vote");
  const joined = byLabels ? undefined : await joinedScores(runs, source, options);
  try {
    return await described(runs, { stored, source }, joined, options);
  } catch (error) {
    joined?.probabilityMap?.dispose();
    throw error;
  }
}

/** What is told of a case, on the grid of what was read. */
async function described(
  runs: readonly OpenedRun[],
  { stored, source }: { readonly stored: LoadedCase; readonly source: LoadedCase },
  joined: Awaited<ReturnType<typeof joinedScores>> | undefined,
  options: SegmentOptions,
): Promise<Segmented> {
  const [{ recipe, context }] = runs;
  const found = joined ? await cleanedUp(recipe, joined.decided, source, context) : await votedLabels(runs, source, options);
  const { candidates } = found;
  const labels = postprocess(withGeometryOf(source.image, found), source.image.spacing, options.steps ?? []);
  const dice = source.label && diceOfLabels(labels, source.label, context.outputs.foreground, context.outputs.ignore);
  const map = joined?.probabilityMap;
  const notes = sourceNotes(runs, source.image);
  const turned = <A extends HostArray>(x: A) => asStored(stored, context.orientation, x) as A;
  return {
    id: stored.id,
    source: stored,
    labels: turned(labels),
    ...(joined?.probabilities && { probabilities: turned(joined.probabilities) }),
    ...(map && {
      probabilityMap: {
        ...map,
        shape: stored.image.shape.slice(1),
        channel: (c) => turned({ data: map.channel(c), shape: [1, ...map.shape] }).data,
      },
    }),
    ...(notes.length > 0 && { notes }),
    ...(dice ? { dice } : {}),
    ...(candidates && { candidates }),
  };
}

/** The label map of a run, or the one that most of several give. */
async function votedLabels(runs: readonly OpenedRun[], source: LoadedCase, options: SegmentOptions): Promise<Segmentation> {
  const maps: Segmentation[] = [];
  for (const [i, run] of runs.entries()) {
    const prepared = await run.recipe.prepare(source, run.context);
    await tellPlan(run, source.id, prepared, decidesOnSource(run), options);
    maps.push(await labelsOf(run, source, prepared, hooksOf(source.id, i, runs.length, options), options.keepScores));
  }
  return maps.length === 1 ? maps[0] : voteOfLabels(maps.map((map) => withGeometryOf(source.image, map)));
}

/** What runs say together, on the source's grid. */
async function joinedScores(
  runs: readonly OpenedRun[],
  source: LoadedCase,
  options: SegmentOptions,
): Promise<Pick<Segmented, "probabilities" | "probabilityMap"> & { readonly decided: HostArray<Uint8Array | Int32Array> }> {
  const { outputs } = runs[0].context;
  const logits: KeptScoreMap[] = [];
  const dispose = () => logits.forEach((l) => l.dispose());
  try {
    for (const [i, run] of runs.entries()) {
      const prepared = await run.recipe.prepare(source, run.context);
      await tellPlan(run, source.id, prepared, true, options);
      logits.push(await scoresOf(run, source, prepared, hooksOf(source.id, i, runs.length, options), options.keepScores));
    }
    const ofProbabilities = options.ensemble === "probabilities" && runs.length > 1;
    const mean = meanScores(ofProbabilities ? logits.map((l) => probabilityMap(l, outputs.kind)) : logits);
    const decided = decideScores(mean, outputs, ofProbabilities ? 0.5 : 0);
    if (options.probabilities) {
      const map = ofProbabilities ? mean : probabilityMap(mean, outputs.kind);
      if (options.probabilities === "channels") return { decided, probabilityMap: { ...map, dispose } };
      const probabilities = gathered(map);
      dispose();
      return { decided, probabilities };
    }
    dispose();
    return { decided };
  } catch (error) {
    dispose();
    throw error;
  }
}

async function tellPlan(
  { segmenter }: OpenedRun,
  id: string,
  { image }: PreparedCase,
  scores: boolean,
  { onPlan }: SegmentOptions,
): Promise<void> {
  const plan = onPlan && (await segmenter.plan?.(image.shape, scores));
  if (plan) onPlan(id, plan);
}

/** Runs have about as many windows each. */
const hooksOf = (id: string, run: number, runs: number, { signal, onProgress }: SegmentOptions): SegmentHooks => ({
  signal,
  ...(onProgress && { onProgress: (done, total) => onProgress(id, run * total + done, runs * total) }),
});
