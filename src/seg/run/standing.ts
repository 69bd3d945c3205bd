/** @file Where a run stands, and whether a saved standing fits the run that wants to go on from it. */

import { CheckpointError, ConfigError } from "../../host/errors.ts";
import { standardOptions } from "../recipes/options.ts";
import { movable, type RunOptions, runOptionTable } from "../recipes/run_options.ts";
import type { StepReport } from "../training/trainer.ts";

export interface Standing {
  /** Epochs finished. */
  readonly epoch: number;
  /** Steps done in the epoch under way, over all networks; as many as it has if only its validation is left. */
  readonly stepInEpoch: number;
  /** Steps done over all epochs. */
  readonly step: number;
  /** Sum of the losses of the epoch under way, without those of skipped steps. */
  readonly lossSum: number;
  /** Steps of it that were skipped. */
  readonly skipped: number;
  /** Best validation score so far, if there was one. */
  readonly best?: number;
  /** Moving average of the scores, of recipes that validate by samples. */
  readonly average?: number;
}

export const start: Standing = { epoch: 0, stepInEpoch: 0, step: 0, lossSum: 0, skipped: 0 };

/** A step later. */
export const after = (at: Standing, { step, loss, skipped }: StepReport): Standing => ({
  ...at,
  step,
  stepInEpoch: at.stepInEpoch + 1,
  lossSum: at.lossSum + (skipped ? 0 : loss),
  skipped: at.skipped + (skipped ? 1 : 0),
});

/** An epoch later. */
export const nextEpoch = (at: Standing): Standing => ({ ...at, epoch: at.epoch + 1, stepInEpoch: 0, lossSum: 0, skipped: 0 });

// Of the past in the moving average of scores, as in nnU-Net's of its pseudo-Dice.
const past = 0.9;

/** With the score of a validation, and whether it is the best. A moving one changes slowly, and that of the first validation is where it begins. */
export function scored(at: Standing, score: number, moving: boolean): { readonly at: Standing; readonly improved: boolean } {
  const average = moving ? (at.average === undefined ? score : past * at.average + (1 - past) * score) : undefined;
  const counts = average ?? score;
  const improved = !(counts <= (at.best ?? -1));
  return {
    at: { ...at, ...(average !== undefined && { average }), ...(improved && { best: counts }) },
    improved,
  };
}

/** Of the epoch under way; NaN if every step was skipped. */
export const meanLoss = ({ lossSum, stepInEpoch, skipped }: Standing): number => lossSum / (stepInEpoch - skipped);

/** The options that decide what a run is, for its checkpoint. */
export const decisive = (config: object): object =>
  Object.fromEntries(Object.entries(config).filter(([name]) => !movable.has(name)));

export interface ExpectedRun {
  readonly config: RunOptions;
  readonly stepsPerEpoch: number;
  /** What messages call checkpoint and options. */
  readonly checkpoint: string;
  readonly options: string;
}

/** The standing in a checkpoint. Throws `CheckpointError` if it has none or is of other data, `ConfigError` if it is of other options. */
export function standingIn(extra: unknown, { config, stepsPerEpoch, checkpoint, options }: ExpectedRun): Standing {
  const { progress, config: before } = (extra ?? {}) as { progress?: Standing; config?: Record<string, unknown> };
  const counts = [progress?.epoch, progress?.stepInEpoch, progress?.step, progress?.lossSum];
  if (!progress || !before || !counts.every(Number.isFinite))
    throw new CheckpointError(`${checkpoint}: does not say where the run stands`);
  // Runs of before lack the options that came later.
  const standard: Record<string, unknown> = standardOptions(runOptionTable);
  for (const [name, value] of Object.entries(config)) {
    if (movable.has(name) || JSON.stringify(before[name] ?? standard[name]) === JSON.stringify(value)) continue;
    throw new ConfigError(
      `${options}: ${name} is ${JSON.stringify(value)}, but the run was trained with ${JSON.stringify(before[name])}; restore it, or start another run`,
    );
  }
  const begun = progress.stepInEpoch > 0 ? " and part of the next" : "";
  if (config.epochs < progress.epoch || (begun && config.epochs === progress.epoch))
    throw new ConfigError(
      `${options}: epochs is ${config.epochs}, but the run has done ${progress.epoch}${begun}: give more to go on, or leave it out`,
    );
  if (progress.stepInEpoch > stepsPerEpoch) {
    throw new CheckpointError(
      `${checkpoint}: stands at step ${progress.stepInEpoch} of an epoch of ${stepsPerEpoch}: the data have changed; start another run`,
    );
  }
  return { ...progress, skipped: (progress as Partial<Standing>).skipped ?? 0 };
}
