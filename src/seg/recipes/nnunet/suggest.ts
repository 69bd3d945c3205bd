/**
 * @file How the recipe "nnunet" configures itself: fingerprint and plans as nnU-Net makes them, then what the device can do. Memory shrinks batch and patch;
 * a limit of time shrinks the network, then the patch, until each case can be seen often enough.
 */

import type { DatasetFingerprint } from "../../../data/nnunet/fingerprint.ts";
import { patchGeometry } from "../../../data/nnunet/patches.ts";
import { computeNewShape } from "../../../data/nnunet/resample.ts";
import { ConfigError, OutOfMemoryError, TensorTooLargeError } from "../../../host/errors.ts";
import { formatBytes } from "../../../host/text.ts";
import type { Device } from "../../../tensor/device.ts";
import { computeStepsForSlidingWindow } from "../../inference/nnunet_windows.ts";
import { type PlannedConfiguration, withFeatures, withSmallerPatch } from "../../nnunet/configuration.ts";
import { datasetJson, fingerprintCases, nnunetLabels } from "../../nnunet/experiment.ts";
import { type NnunetPlans, planExperiment } from "../../nnunet/plan.ts";
import { planners } from "../../nnunet/planners.ts";
import { type OutputCoding, outputCodingOf } from "../../post/output_coding.ts";
import { standardOptions } from "../options.ts";
import type { DataFacts, RunConfig, SuggestedOptions } from "../recipe.ts";
import { nnunetOutputs } from "./case.ts";
import { configurationOf, type NnunetOptions, nnunetOptions } from "./options.ts";
import { stepCost, type StepCost } from "./trial.ts";

type Asked = Partial<RunConfig<NnunetOptions>>;

// nnU-Net's own schedule.
const fullSchedule = { epochs: 1000, stepsPerEpoch: 250, validationSteps: 50, optimizer: "sgd", lr: 1e-2 } as const;

// Minutes for a device that computes on the processor, if nobody says otherwise.
const softwareMinutes = 55;

/** What nnU-Net would train on these data, made to fit the device and the time. */
export async function suggestNnunetOptions(
  facts: DataFacts,
  given: Readonly<Record<string, unknown>>,
): Promise<SuggestedOptions<NnunetOptions>> {
  const asked = { ...standardOptions(nnunetOptions), ...given } as Asked;
  const { plans, fingerprint } = asked.plans
    ? { plans: asked.plans, fingerprint: asked.fingerprint ?? null }
    : await planned(facts, asked);
  const configuration = asked.configuration ?? (plans.configurations["3d_fullres"] ? "3d_fullres" : "2d");
  const device = await facts.device?.();
  const timeLimit = asked.timeLimit ?? (device?.software ? softwareMinutes : 0);
  const whole = configurationOf({ plans, configuration });
  const own = { configuration, timeLimit, fingerprint, ...fullSchedule };
  if (!device || asked.plans) {
    if (!device && timeLimit > 0) throw new ConfigError("a time limit needs the device that will train; configure was given none");
    return { ...own, plans, batchSize: whole.batch_size };
  }
  const outputs = outputCodingOf(nnunetOutputs(facts.labels), nnunetLabels(facts.labels));
  const trial = new Trials(device, facts.channels.length, outputs);
  const chosen =
    timeLimit > 0
      ? await inTime(whole, trial, facts, fingerprint!, plans, timeLimit, asked)
      : await inMemory(whole, trial, facts, asked);
  return { ...own, ...chosen.schedule, plans: withConfiguration(plans, configuration, chosen.configuration) };
}

async function planned(facts: DataFacts, asked: Asked): Promise<{ plans: NnunetPlans; fingerprint: DatasetFingerprint }> {
  const { index, labels, channels, read, say } = facts;
  const fingerprint = await fingerprintCases(index.training, read);
  const plans = planExperiment(fingerprint, datasetJson(labels, channels, { fileEnding: index.fileEnding, numTraining: index.training.length }), {
    planner: asked.planner!,
    datasetName: index.name,
    ...(asked.memory && { gpuMemoryTargetInGb: asked.memory }),
  });
  say(`planned ${Object.keys(plans.configurations).join(", ")} from the fingerprint of ${index.training.length} cases`);
  return { plans, fingerprint };
}

const withConfiguration = (plans: NnunetPlans, name: string, configuration: PlannedConfiguration): NnunetPlans => ({
  ...plans,
  configurations: { ...plans.configurations, [name]: { ...plans.configurations[name], ...configuration } },
});

interface Chosen {
  readonly configuration: PlannedConfiguration;
  readonly schedule: Partial<RunConfig<NnunetOptions>>;
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
  async cost(configuration: PlannedConfiguration, batchSize: number, optimizer: "sgd" | "adam", steps: number): Promise<StepCost> {
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
  if (asked.estimate === "device") {
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

// How often each training case is to be seen, at least.
const wantedPasses = 25;
// Channels of the first stage that are tried, from few to many.
const widths = [8, 16, 32];
// Share of the time for what is neither a step nor a prediction: reading, checkpoints, the report.
const reserve = 0.06;
// Validation steps to training steps.
const validationShare = 0.05;
// A forward pass to a training step.
const forwardShare = 1 / 3;
const shortLr = 3e-3;

/** A network and a number of steps for so many minutes on the device: the widest that can still see each case often. */
async function inTime(
  whole: PlannedConfiguration,
  trial: Trials,
  facts: DataFacts,
  fingerprint: DatasetFingerprint,
  plans: NnunetPlans,
  minutes: number,
  asked: Asked,
): Promise<Chosen> {
  const { cases, validation, say } = facts;
  const batchSize = leastBatch;
  const optimizer = asked.optimizer ?? "adam";
  const seconds = minutes * 60 * (1 - reserve);
  const forwards = (c: PlannedConfiguration) =>
    validation.length * passesPerCase(c, plans, fingerprint) * (asked.noMirroring ? 1 : 2 ** c.patch_size.length);
  /** Samples that there is time for, with a step of a batch of so many seconds. */
  const samplesIn = (c: PlannedConfiguration, step: number): number => {
    const sample = step / batchSize;
    return (seconds - forwards(c) * sample * forwardShare) / (sample * (1 + validationShare * forwardShare));
  };
  const wanted = wantedPasses * cases.length;
  let best: { readonly configuration: PlannedConfiguration; readonly samples: number; readonly step: number } | undefined;
  let candidate: PlannedConfiguration | undefined = whole;
  while (candidate && (!best || best.samples < wanted)) {
    for (const width of widths) {
      const configuration = withFeatures(candidate, Math.min(width, whole.architecture.arch_kwargs.features_per_stage[0]));
      const { seconds: step } = await trial.cost(configuration, batchSize, optimizer, 2);
      const samples = samplesIn(configuration, step);
      const enough = samples >= wanted;
      if (enough || !best || (best.samples < wanted && samples > best.samples)) best = { configuration, samples, step };
      // A network twice as wide takes at least twice as long.
      if (samples < 2 * wanted) break;
    }
    candidate = withSmallerPatch(candidate);
  }
  const { configuration, samples, step } = best!;
  const steps = Math.max(1, Math.floor(samples / batchSize));
  const epochs = Math.max(1, Math.min(50, Math.floor(steps / 25)));
  const stepsPerEpoch = Math.max(1, Math.floor(steps / epochs));
  say(
    `in ${minutes} minutes: ${configuration.architecture.arch_kwargs.features_per_stage.join("-")} features, ` +
      `patch ${configuration.patch_size.join("×")}, ${epochs} epochs of ${stepsPerEpoch} steps of ${batchSize} samples (${step.toFixed(2)} s each)`,
  );
  return {
    configuration: { ...configuration, batch_size: batchSize },
    schedule: {
      epochs,
      stepsPerEpoch,
      batchSize,
      optimizer,
      lr: optimizer === "adam" ? shortLr : fullSchedule.lr,
      validationSteps: Math.max(1, Math.round(stepsPerEpoch * validationShare)),
    },
  };
}

/** Tiles of the median case. */
function passesPerCase(c: PlannedConfiguration, { transpose_forward: forward }: NnunetPlans, f: DatasetFingerprint): number {
  const counts = f.shapes_after_crop.map((shape, i) => {
    const target = c.spacing.length === 2 ? [f.spacings[i][forward[0]], ...c.spacing] : c.spacing;
    const size = computeNewShape(forward.map((a) => shape[a]), forward.map((a) => f.spacings[i][a]), target);
    const seen = size.slice(size.length - c.patch_size.length).map((n, a) => Math.max(n, c.patch_size[a]));
    const tiles = computeStepsForSlidingWindow(seen, c.patch_size, 0.5).reduce((n, starts) => n * starts.length, 1);
    return c.spacing.length === 2 ? tiles * size[0] : tiles;
  });
  return counts.reduce((a, b) => a + b, 0) / counts.length;
}

/** Axes along which a configuration's images may be mirrored. */
export const mirrorAxesOf = (c: PlannedConfiguration): readonly number[] => patchGeometry(c.patch_size).mirrorAxes;
