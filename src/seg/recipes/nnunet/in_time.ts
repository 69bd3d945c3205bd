/**
 * @file What the recipe "nnunet" trains where time is short: the widest network that can still see each case often, its first stage thin, on patches small
 * enough for that, and no mirror images where these would be most of what there is time for.
 */

import { sizeOf } from "../../../host/array.ts";
import { computeStepsForSlidingWindow } from "../../inference/nnunet_windows.ts";
import { type PlannedConfiguration, withFeatures, withSmallerPatch, withThinFirstStage } from "../../nnunet/configuration.ts";
import { passesToMirror } from "../../training/short_runs.ts";
import type { NnunetRecipeOptions } from "./options.ts";

/** Samples of a step. Half as many would leave a step of instance-normalized networks with one sample's noise, twice as many half of the steps. */
export const leastBatch = 2;

// How often each training case is to be seen by a network wider than the narrowest, and at least: for that the patch is made smaller.
const passes = { wanted: 25, least: 5 } as const;
// Channels of the first stage, from few to many. Twice as many take about three times as long.
const allWidths = [8, 16, 32];
const widening = 2.5;
// Part of the planned patch that is left at least.
const leastPatch = 1 / 8;
// Share of the time for what is neither a step nor a prediction: reading, trials, checkpoints, the report.
const reserve = 0.06;
// Validation steps to training steps.
const validationShare = 0.05;
// A forward pass to a training step.
const forwardShare = 1 / 3;
const mostEpochs = 50;
const stepsOfEpoch = 25;

export interface TimeRequest {
  /** Training cases, and validation cases, which are predicted whole. */
  readonly cases: number;
  readonly validation: number;
  readonly minutes: number;
  /** Channels of the first stage to choose from; default 8, 16, 32. */
  readonly widths?: readonly number[] | undefined;
  /** Default: "nnunet" if there is time for mirror images, else "unmirrored". */
  readonly augment?: NnunetRecipeOptions["augment"] | undefined;
  readonly noMirroring?: boolean | undefined;
  /** Slices of the median case, for plans of images. */
  readonly sliceCount: number;
  /** What a step of `leastBatch` samples takes. */
  readonly secondsOf: (configuration: PlannedConfiguration) => Promise<number>;
}

export interface InTime {
  readonly configuration: PlannedConfiguration;
  readonly augment: NnunetRecipeOptions["augment"];
  /** Seconds of a step. */
  readonly step: number;
  readonly epochs: number;
  readonly stepsPerEpoch: number;
  readonly validationSteps: number;
}

interface Measured {
  readonly configuration: PlannedConfiguration;
  readonly augment: NnunetRecipeOptions["augment"];
  readonly step: number;
  /** Samples that there is time for. */
  readonly samples: number;
}

/** The network and the number of steps for a time. What `secondsOf` throws. */
export async function chooseInTime(whole: PlannedConfiguration, request: TimeRequest): Promise<InTime> {
  const { cases } = request;
  const most = whole.architecture.arch_kwargs.features_per_stage[0];
  const [narrowest, ...wider] = request.widths ?? allWidths.filter((w, i) => i === 0 || w <= most);
  let best = await measured(withFeatures(whole, request.widths ? narrowest : Math.min(narrowest, most)), request);
  while (best.samples < passes.least * cases) {
    const smaller = patchFor(best, best.samples / (passes.least * cases), sizeOf(whole.patch_size) * leastPatch);
    if (!smaller) break;
    best = await measured(smaller, request);
  }
  for (const width of wider) {
    if (best.samples < widening * passes.wanted * cases) break;
    const next = await measured(withFeatures(best.configuration, width), request);
    if (next.samples < passes.wanted * cases) break;
    best = next;
  }
  const { configuration, augment, samples, step } = best;
  const steps = Math.max(1, Math.floor(samples / leastBatch));
  const epochs = Math.max(1, Math.min(mostEpochs, Math.floor(steps / stepsOfEpoch)));
  const stepsPerEpoch = Math.max(1, Math.floor(steps / epochs));
  const validationSteps = Math.max(1, Math.round(stepsPerEpoch * validationShare));
  return { configuration: { ...configuration, batch_size: leastBatch }, augment, step, epochs, stepsPerEpoch, validationSteps };
}

async function measured(planned: PlannedConfiguration, request: TimeRequest): Promise<Measured> {
  const configuration = withThinFirstStage(planned);
  const step = await request.secondsOf(configuration);
  const samplesOf = (augment: Measured["augment"]): number => samplesInTime(configuration, augment, step, request);
  const given = request.augment;
  const augment = given ?? (samplesOf("nnunet") < passesToMirror * request.cases ? "unmirrored" : "nnunet");
  return { configuration, augment, step, samples: samplesOf(augment) };
}

function samplesInTime(c: PlannedConfiguration, augment: Measured["augment"], step: number, request: TimeRequest): number {
  const sample = step / leastBatch;
  const mirrored = request.noMirroring || augment === "unmirrored" ? 1 : 2 ** c.patch_size.length;
  const predicting = request.validation * tilesPerCase(c, request.sliceCount) * mirrored * sample * forwardShare;
  const left = request.minutes * 60 * (1 - reserve) - predicting;
  return Math.max(0, left / (sample * (1 + validationShare * forwardShare)));
}

/** The configuration with the largest patch of so small a part of a measured one's voxels, by nnU-Net's steps; undefined if none is left. */
function patchFor({ configuration }: Measured, part: number, least: number): PlannedConfiguration | undefined {
  const wanted = sizeOf(configuration.patch_size) * part;
  let found: PlannedConfiguration | undefined;
  let next = withSmallerPatch(configuration);
  while (next && sizeOf(next.patch_size) >= least) {
    found = next;
    if (sizeOf(next.patch_size) <= wanted) break;
    next = withSmallerPatch(next);
  }
  return found;
}

/** Tiles of the median case, of all of its slices. */
function tilesPerCase(c: PlannedConfiguration, sliceCount: number): number {
  const seen = c.median_image_size_in_voxels.map((n, a) => Math.max(Math.round(n), c.patch_size[a]));
  const tiles = computeStepsForSlidingWindow(seen, c.patch_size, 0.5).reduce((n, starts) => n * starts.length, 1);
  return c.patch_size.length === 2 ? tiles * sliceCount : tiles;
}
