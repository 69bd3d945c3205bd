/**
 * @file How the recipe "nnunet" configures itself: fingerprint and plans as nnU-Net makes them, then what the device can do. Memory shrinks batch and patch;
 * a limit of time shrinks the network, then the patch, until each case can be seen often enough.
 */

import type { DatasetFingerprint } from "../../../data/nnunet/fingerprint.ts";
import { patchGeometry } from "../../../data/nnunet/patches.ts";
import { sizeOf } from "../../../host/array.ts";
import { ConfigError, OutOfMemoryError, TensorTooLargeError } from "../../../host/errors.ts";
import { formatBytes } from "../../../host/text.ts";
import type { Device } from "../../../tensor/device.ts";
import { computeStepsForSlidingWindow } from "../../inference/nnunet_windows.ts";
import { type PlannedConfiguration, withFeatures, withSmallerPatch } from "../../nnunet/configuration.ts";
import { datasetJson, filesOf, fingerprintCases, nnunetLabels } from "../../nnunet/experiment.ts";
import { type NnunetPlans, planExperiment } from "../../nnunet/plan.ts";
import { plansFile } from "../../nnunet/plans_file.ts";
import { planners } from "../../nnunet/planners.ts";
import { type OutputCoding, outputCodingOf } from "../../post/output_coding.ts";
import { standardOptions } from "../options.ts";
import type { DataFacts, RunConfig, SuggestedOptions } from "../recipe.ts";
import { nnunetOutputs } from "./case.ts";
import { type NnunetRecipeOptions, nnunetOptions } from "./options.ts";
import { stepCost, type StepCost } from "./trial.ts";

type Asked = Partial<RunConfig<NnunetRecipeOptions>>;

// nnU-Net's own schedule.
const fullSchedule = { epochs: 1000, stepsPerEpoch: 250, validationSteps: 50, optimizer: "sgd", lr: 1e-2 } as const;

// Minutes for a device that computes on the processor, if nobody says otherwise.
const softwareMinutes = 55;

/** What nnU-Net would train on these data, made to fit the device and the time. */
export async function suggestNnunetOptions(
  facts: DataFacts,
  given: Readonly<Record<string, unknown>>,
): Promise<SuggestedOptions<NnunetRecipeOptions>> {
  const asked = { ...standardOptions(nnunetOptions), ...given } as Asked;
  const { plans, fingerprint } = asked.plans
    ? { plans: asked.plans, fingerprint: asked.fingerprint ?? null }
    : await planned(facts, asked);
  const configuration = asked.configuration ?? (plans.configurations["3d_fullres"] ? "3d_fullres" : "2d");
  const device = await facts.device?.();
  const timeLimit = asked.timeLimit ?? (device?.software ? softwareMinutes : 0);
  const known = plansFile(plans, "plans").configuration(configuration);
  const whole = asked.features ? withFeatures(known, asked.features) : known;
  const own = { configuration, timeLimit, fingerprint, plans, ...fullSchedule };
  if (!device) {
    if (timeLimit > 0) throw new ConfigError("a time limit needs the device that will train; configure was given none");
    return { ...own, trained: whole, batchSize: whole.batch_size };
  }
  const outputs = outputCodingOf(nnunetOutputs(facts.labels), nnunetLabels(facts.labels));
  const trial = new Trials(device, facts.channels.length, outputs);
  const chosen =
    timeLimit > 0
      ? await inTime(whole, trial, facts, { minutes: timeLimit, plans, asked })
      : await inMemory(whole, trial, facts, asked);
  return { ...own, ...chosen.schedule, trained: chosen.configuration };
}

async function planned(facts: DataFacts, asked: Asked): Promise<{ plans: NnunetPlans; fingerprint: DatasetFingerprint }> {
  const { index, labels, channels, read, say } = facts;
  const fingerprint = await fingerprintCases(index.training, read);
  const plans = planExperiment(fingerprint, datasetJson(labels, channels, filesOf(index)), {
    planner: asked.planner!,
    datasetName: index.name,
    ...(asked.memory && { gpuMemoryTargetInGb: asked.memory }),
  });
  say(`planned ${Object.keys(plans.configurations).join(", ")} from the fingerprint of ${index.training.length} cases`);
  return { plans, fingerprint };
}

interface Chosen {
  readonly configuration: PlannedConfiguration;
  readonly schedule: Partial<RunConfig<NnunetRecipeOptions>>;
}

/** Training steps on trial. */
class Trials {
  private readonly device: Device;
  private readonly inChannels: number;
  private readonly outputs: OutputCoding;

  constructor(device: Device, inChannels: number, outputs: OutputCoding) {
    this.device = device;
    this.inChannels = inChannels;
    this.outputs = outputs;
  }

  /** Infinite bytes for what the device cannot hold. */
  async cost(
    configuration: PlannedConfiguration,
    batchSize: number,
    optimizer: "sgd" | "adam",
    steps: number,
  ): Promise<StepCost> {
    const { inChannels, outputs } = this;
    try {
      return await stepCost(this.device, { configuration, inChannels, outputs, batchSize, optimizer, steps });
    } catch (error) {
      if (error instanceof OutOfMemoryError || error instanceof TensorTooLargeError)
        return { peakBytes: Infinity, seconds: Infinity };
      throw error;
    }
  }
}

const leastBatch = 2;

/** The largest batch, then the largest patch, whose step has no more bytes than the plan is for. */
async function inMemory(whole: PlannedConfiguration, trial: Trials, { say }: DataFacts, asked: Asked): Promise<Chosen> {
  const most = (asked.memory || planners[asked.planner!].gpuMemoryTargetInGb) * 1e9;
  let configuration = whole;
  // Who gives plans has them as they are.
  if (asked.estimate === "device" && !asked.plans) {
    for (;;) {
      const least = await trial.cost(configuration, leastBatch, "sgd", 0);
      if (least.peakBytes <= most) {
        configuration = { ...configuration, batch_size: await largestBatch(configuration, trial, least.peakBytes, most) };
        break;
      }
      const smaller = withSmallerPatch(configuration);
      if (!smaller)
        throw new ConfigError(
          `no patch fits ${formatBytes(most)} (the smallest is [${configuration.patch_size}]); give more memory`,
        );
      configuration = smaller;
    }
    if (configuration !== whole)
      say(`to fit ${formatBytes(most)}: patch ${configuration.patch_size.join("×")}, batch ${configuration.batch_size}`);
  }
  return { configuration, schedule: { batchSize: configuration.batch_size } };
}

/** Bytes grow with the batch in proportion, beside weights. */
async function largestBatch(c: PlannedConfiguration, trial: Trials, bytes: number, most: number): Promise<number> {
  if (c.batch_size === leastBatch) return leastBatch;
  const planned = await trial.cost(c, c.batch_size, "sgd", 0);
  if (planned.peakBytes <= most) return c.batch_size;
  const perSample = Number.isFinite(planned.peakBytes)
    ? (planned.peakBytes - bytes) / (c.batch_size - leastBatch)
    : bytes / leastBatch;
  return Math.max(leastBatch, Math.min(c.batch_size - 1, leastBatch + Math.floor((most - bytes) / perSample)));
}

// How often each training case is to be seen by a network wider than the narrowest, and at least: for that the patch is made smaller.
const passes = { wanted: 25, least: 5 } as const;
// Channels of the first stage, from few to many. Twice as many take about three times as long.
const widths = [8, 16, 32];
const widening = 2.5;
// Part of the planned patch that is left at least.
const leastPatch = 1 / 8;
// Share of the time for what is neither a step nor a prediction: reading, checkpoints, the report.
const reserve = 0.06;
// Validation steps to training steps.
const validationShare = 0.05;
// A forward pass to a training step.
const forwardShare = 1 / 3;
const mostEpochs = 50;
const stepsOfEpoch = 25;
const shortLr = 3e-3;

interface Measured {
  readonly configuration: PlannedConfiguration;
  /** Seconds of a step. */
  readonly step: number;
  /** Samples that there is time for. */
  readonly samples: number;
}

interface TimeBudget {
  readonly minutes: number;
  readonly plans: NnunetPlans;
  readonly asked: Asked;
}

/** A network and a number of steps for so many minutes on the device: the widest that can still see each case often. */
async function inTime(whole: PlannedConfiguration, trial: Trials, facts: DataFacts, budget: TimeBudget): Promise<Chosen> {
  const { cases, validation, say } = facts;
  const { minutes, plans, asked } = budget;
  const optimizer = asked.optimizer ?? "adam";
  const mirrored = asked.noMirroring ? 1 : 2 ** whole.patch_size.length;
  const measure = async (configuration: PlannedConfiguration): Promise<Measured> => {
    const { seconds: step } = await trial.cost(configuration, leastBatch, optimizer, 2);
    const sample = step / leastBatch;
    const predicting = validation.length * tilesPerCase(configuration, plans) * mirrored * sample * forwardShare;
    const left = minutes * 60 * (1 - reserve) - predicting;
    return { configuration, step, samples: Math.max(0, left / (sample * (1 + validationShare * forwardShare))) };
  };
  const most = whole.architecture.arch_kwargs.features_per_stage[0];
  let best = await measure(asked.features ? whole : withFeatures(whole, Math.min(widths[0], most)));
  while (best.samples < passes.least * cases.length) {
    const smaller = patchFor(best, best.samples / (passes.least * cases.length), sizeOf(whole.patch_size) * leastPatch);
    if (!smaller) break;
    best = await measure(smaller);
  }
  for (const width of widths.slice(1)) {
    if (asked.features || width > most || best.samples < widening * passes.wanted * cases.length) break;
    const wider = await measure(withFeatures(best.configuration, width));
    if (wider.samples < passes.wanted * cases.length) break;
    best = wider;
  }
  const { configuration, samples, step } = best;
  const steps = Math.max(1, Math.floor(samples / leastBatch));
  const epochs = Math.max(1, Math.min(mostEpochs, Math.floor(steps / stepsOfEpoch)));
  const stepsPerEpoch = Math.max(1, Math.floor(steps / epochs));
  say(
    `in ${minutes} minutes: features ${configuration.architecture.arch_kwargs.features_per_stage.join("-")}, ` +
      `patch ${configuration.patch_size.join("×")}, ${epochs} epochs of ${stepsPerEpoch} steps of ${leastBatch} samples, ${step.toFixed(2)} s each`,
  );
  return {
    configuration: { ...configuration, batch_size: leastBatch },
    schedule: {
      epochs,
      stepsPerEpoch,
      batchSize: leastBatch,
      optimizer,
      lr: optimizer === "adam" ? shortLr : fullSchedule.lr,
      validationSteps: Math.max(1, Math.round(stepsPerEpoch * validationShare)),
    },
  };
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
function tilesPerCase(c: PlannedConfiguration, plans: NnunetPlans): number {
  const seen = c.median_image_size_in_voxels.map((n, a) => Math.max(Math.round(n), c.patch_size[a]));
  const tiles = computeStepsForSlidingWindow(seen, c.patch_size, 0.5).reduce((n, starts) => n * starts.length, 1);
  return c.patch_size.length === 2 ? tiles * plans.original_median_shape_after_transp[0] : tiles;
}

/** Axes along which a configuration's images may be mirrored. */
export const mirrorAxesOf = (c: PlannedConfiguration): readonly number[] => patchGeometry(c.patch_size).mirrorAxes;
