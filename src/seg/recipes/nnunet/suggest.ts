/**
 * @file How the recipe "nnunet" configures itself: fingerprint and plans as nnU-Net makes them, then what the device can do. Memory shrinks batch and patch;
 * a limit of time shrinks the network and what it is shown, see `in_time.ts`.
 */

import type { AbortSignal } from "../../../host/platform.ts";
import type { DatasetFingerprint } from "../../../data/nnunet/fingerprint.ts";
import { ConfigError, OutOfMemoryError, TensorTooLargeError } from "../../../host/errors.ts";
import { counted, formatBytes } from "../../../host/text.ts";
import type { Device } from "../../../tensor/device.ts";
import { inputChannels } from "../../nnunet/cascade.ts";
import { type PlannedConfiguration, withFeatures, withSmallerPatch } from "../../nnunet/configuration.ts";
import { datasetJson, filesOf, fingerprintCases, nnunetLabels } from "../../nnunet/experiment.ts";
import { type NnunetPlans, planExperiment } from "../../nnunet/plan.ts";
import { plansFile } from "../../nnunet/plans_file.ts";
import { planners } from "../../nnunet/planners.ts";
import { type OutputCoding, outputCodingOf } from "../../post/output_coding.ts";
import { standardOptions } from "../options.ts";
import type { DataFacts, RunConfig, SuggestedOptions } from "../recipe.ts";
import { nnunetOutputs } from "./case.ts";
import { chooseInTime, leastBatch } from "./in_time.ts";
import { type NnunetRecipeOptions, nnunetOptions } from "./options.ts";
import { stepCost, type StepCost } from "./trial.ts";

type Asked = Partial<RunConfig<NnunetRecipeOptions>>;

// nnU-Net's own schedule.
const fullSchedule = { epochs: 1000, stepsPerEpoch: 250, validationSteps: 50, optimizer: "sgd", lr: 1e-2 } as const;

// Adam's rate for trainings of some thousand steps.
const shortLr = 6e-3;

// Minutes for a device that computes on the processor, if nobody says otherwise.
const softwareMinutes = 55;

/** What nnU-Net would train on these data, made to fit the device and the time. */
export async function suggestNnunetOptions(
  facts: DataFacts,
  given: Readonly<Record<string, unknown>>,
): Promise<SuggestedOptions<NnunetRecipeOptions>> {
  const asked = { ...standardOptions(nnunetOptions), augment: undefined, ...given } as Asked;
  const cascade = (asked.previous ?? []).length > 0;
  if (cascade && !asked.plans)
    throw new ConfigError("the second stage of a cascade goes by the plans of the first: give them too");
  const { plans, fingerprint } = asked.plans
    ? { plans: asked.plans, fingerprint: asked.fingerprint ?? null }
    : await planned(facts, asked);
  const file = plansFile(plans, "plans");
  const usual = file.configurations.includes("3d_fullres") ? "3d_fullres" : "2d";
  const configuration = asked.configuration ?? (cascade ? "3d_cascade_fullres" : usual);
  const device = await facts.device?.();
  const timeLimit = asked.timeLimit ?? (device?.software ? softwareMinutes : 0);
  const known = file.configuration(configuration);
  const whole = asked.features ? withFeatures(known, asked.features) : known;
  const own = { configuration, timeLimit, fingerprint, plans, ...fullSchedule };
  if (!device) {
    if (timeLimit > 0) throw new ConfigError("a time limit needs the device that will train; configure was given none");
    return { ...own, trained: whole, batchSize: whole.batch_size };
  }
  const outputs = outputCodingOf(nnunetOutputs(facts.labels), nnunetLabels(facts.labels));
  const inputs = inputChannels(known, facts.channels, facts.labels);
  const trial = new Trials(device, inputs, outputs, { ...asked, timeLimit }, facts.signal);
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
  say(
    `planned ${Object.keys(plans.configurations).join(", ")} from the fingerprint of ${counted(index.training.length, "case")}`,
  );
  return { plans, fingerprint };
}

/** nnU-Net's SGD with its momentum of 0.99 needs hundreds of steps to gather speed, which nobody has who is short of time. */
const optimizerFor = ({ optimizer, timeLimit }: Asked): "sgd" | "adam" => optimizer ?? (timeLimit ? "adam" : "sgd");

interface Chosen {
  readonly configuration: PlannedConfiguration;
  readonly schedule: Partial<RunConfig<NnunetRecipeOptions>>;
}

/** Training steps on trial. */
class Trials {
  private readonly device: Device;
  private readonly inChannels: number;
  private readonly outputs: OutputCoding;
  private readonly optimizer: "sgd" | "adam";
  private readonly augment: NnunetRecipeOptions["augment"];
  private readonly signal: AbortSignal | undefined;

  constructor(device: Device, inChannels: number, outputs: OutputCoding, asked: Asked, signal?: AbortSignal) {
    this.device = device;
    this.inChannels = inChannels;
    this.outputs = outputs;
    this.optimizer = optimizerFor(asked);
    this.augment = asked.augment ?? "nnunet";
    this.signal = signal;
  }

  /** Infinite bytes for what the device cannot hold. */
  async cost(configuration: PlannedConfiguration, batchSize: number, steps: number): Promise<StepCost> {
    const { inChannels, outputs, optimizer, augment, signal } = this;
    try {
      return await stepCost(this.device, { configuration, inChannels, outputs, batchSize, optimizer, augment, steps, signal });
    } catch (error) {
      if (error instanceof OutOfMemoryError || error instanceof TensorTooLargeError)
        return { peakBytes: Infinity, seconds: Infinity };
      throw error;
    }
  }
}

/** The largest batch, then the largest patch, whose step has no more bytes than the plan is for. */
async function inMemory(whole: PlannedConfiguration, trial: Trials, { say }: DataFacts, asked: Asked): Promise<Chosen> {
  const most = (asked.memory || planners[asked.planner!].gpuMemoryTargetInGb) * 1e9;
  let configuration = whole;
  // Who gives plans has them as they are.
  if (asked.estimate === "device" && !asked.plans) {
    for (;;) {
      const least = await trial.cost(configuration, leastBatch, 0);
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
  const planned = await trial.cost(c, c.batch_size, 0);
  if (planned.peakBytes <= most) return c.batch_size;
  const perSample = Number.isFinite(planned.peakBytes)
    ? (planned.peakBytes - bytes) / (c.batch_size - leastBatch)
    : bytes / leastBatch;
  return Math.max(leastBatch, Math.min(c.batch_size - 1, leastBatch + Math.floor((most - bytes) / perSample)));
}

/** A network and a number of steps for so many minutes on the device. */
async function inTime(
  whole: PlannedConfiguration,
  trial: Trials,
  facts: DataFacts,
  budget: { readonly minutes: number; readonly plans: NnunetPlans; readonly asked: Asked },
): Promise<Chosen> {
  const { minutes, plans, asked } = budget;
  const { augment, configuration, step, epochs, stepsPerEpoch, validationSteps } = await chooseInTime(whole, {
    cases: facts.cases.length,
    validation: facts.validation.length,
    minutes,
    widths: asked.features ? [asked.features] : undefined,
    augment: asked.augment,
    noMirroring: asked.noMirroring,
    sliceCount: plans.original_median_shape_after_transp[0],
    secondsOf: async (c) => (await trial.cost(c, leastBatch, 2)).seconds,
  });
  const optimizer = optimizerFor({ ...asked, timeLimit: minutes });
  const { features_per_stage: features } = configuration.architecture.arch_kwargs;
  facts.say(
    `in ${counted(minutes, "minute")}: features ${features.join("-")}, patch ${configuration.patch_size.join("×")}, ${counted(epochs, "epoch")} of ` +
      `${counted(stepsPerEpoch, "step")} of ${counted(leastBatch, "sample")}, ${step.toFixed(2)} s each, augmentation "${augment}"`,
  );
  const lr = optimizer === "adam" ? shortLr : fullSchedule.lr;
  return {
    configuration,
    schedule: { epochs, stepsPerEpoch, validationSteps, augment, batchSize: leastBatch, optimizer, lr },
  };
}
