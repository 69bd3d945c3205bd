/** @file The options of the recipe "nnunet". Almost all follow from the data and the device; see `suggest.ts`. */

import type { DatasetFingerprint } from "../../../data/nnunet/fingerprint.ts";
import { ConfigError } from "../../../host/errors.ts";
import { expectConfiguration } from "../../nnunet/check_plans.ts";
import type { PlannedConfiguration } from "../../nnunet/configuration.ts";
import type { NnunetPlans } from "../../nnunet/plan.ts";
import { type PlannerName, planners } from "../../nnunet/planners.ts";
import { plansFile } from "../../nnunet/plans_file.ts";
import { between, folders, integer, jsonFile, oneOf, type OptionTable, positive, toggle } from "../options.ts";
import type { RunConfig } from "../recipe.ts";

/** Options of `nnunetRecipe`. */
export interface NnunetRecipeOptions {
  /** Which configuration of the plans is trained. */
  readonly configuration: "2d" | "3d_fullres" | "3d_lowres" | "3d_cascade_fullres";
  /** Of the second stage of a cascade: folders with the label maps that the first stage has of each case, made while it was not trained on it. */
  readonly previous: readonly string[];
  /** nnU-Net's class that plans: the plain network, or residual encoders M, L, XL. */
  readonly planner: PlannerName;
  /** GB of device memory that a training step is planned for; 0 for the planner's own. */
  readonly memory: number;
  /** What tells the memory of a step: the bytes that it takes on this device, or nnU-Net's own estimate alone. */
  readonly estimate: "device" | "nnunet";
  /** Channels of the first stage, 0 for the planned 32 or what the time allows. */
  readonly features: number;
  /** Minutes that training and predicting the validation cases may take on this device, 0 without a limit. */
  readonly timeLimit: number;
  /** nnU-Net's `plans.json`. */
  readonly plans: NnunetPlans;
  /** The configuration as it is trained: that of the plans, or what device and time allow of it. */
  readonly trained: PlannedConfiguration;
  /** What the plans were made from, for those who take the run to nnU-Net. */
  readonly fingerprint: DatasetFingerprint | null;
  /** Training steps of an epoch. */
  readonly stepsPerEpoch: number;
  /** Steps of validation after each epoch. */
  readonly validationSteps: number;
  /** Share of each batch that must show a class. */
  readonly oversample: number;
  /** "mirror" flips; "nnunet" has all kinds of it, on the device; "unmirrored" all but flips, and then no mirror images are predicted either. */
  readonly augment: "none" | "mirror" | "nnunet" | "unmirrored";
  /** SGD with Nesterov momentum 0.99, or Adam. */
  readonly optimizer: "sgd" | "adam";
  /** Learning rate at the start; falls to 0 as a polynomial. */
  readonly lr: number;
  /** Of all weights. */
  readonly weightDecay: number;
  /** Predict images as they are, not their mirror images too. */
  readonly noMirroring: boolean;
}

const isRecord = (v: unknown): v is object => typeof v === "object" && v !== null && !Array.isArray(v);

export const nnunetOptions: OptionTable<NnunetRecipeOptions> = {
  configuration: oneOf(
    ["2d", "3d_fullres", "3d_lowres", "3d_cascade_fullres"],
    "2d, 3d_fullres, 3d_lowres or 3d_cascade_fullres (behind 3d_lowres); default 3d_fullres where the data are volumes",
  ),
  previous: folders(
    "FOLDERS, of 3d_cascade_fullres: label maps that runs of 3d_lowres have of their validation cases, with commas between",
  ),
  planner: oneOf(Object.keys(planners) as PlannerName[], "nnU-Net's planner, such as nnUNetPlannerResEncM", {
    standard: "ExperimentPlanner",
  }),
  memory: between(0, 1024, "GB that a training step may take; 0: the planner's own 8, 24 or 40", { standard: 0 }),
  estimate: oneOf(["device", "nnunet"], "of memory: the bytes on this device (device), or nnU-Net's alone (nnunet)", {
    standard: "device",
  }),
  features: integer(0, "channels of the first stage; 0: the planned 32, or what the time allows", { standard: 0 }),
  timeLimit: between(0, 1e5, "minutes for all of it on this device, network and steps are chosen to fit; 0: no limit"),
  plans: jsonFile<NnunetPlans>("FILE of nnU-Net's plans (voxgrad nnunet plan), in place of planning", (v) => isRecord(v)),
  trained: jsonFile<PlannedConfiguration>("", isRecord),
  fingerprint: jsonFile<DatasetFingerprint | null>("", (v) => v === null || isRecord(v), { standard: null }),
  stepsPerEpoch: integer(1, "steps per epoch"),
  validationSteps: integer(1, "steps of validation after each epoch"),
  oversample: between(0, 1, "share of each batch that shows foreground for sure", { standard: 0.33 }),
  augment: oneOf(
    ["none", "mirror", "nnunet", "unmirrored"],
    "none, mirror, nnunet (all of its kinds, on the device) or unmirrored (these but mirroring)",
    { standard: "nnunet" },
  ),
  optimizer: oneOf(["sgd", "adam"], "sgd (Nesterov 0.99, nnU-Net's) or adam, which learns more in few steps"),
  lr: positive("largest learning rate; falls to 0, of sgd as a polynomial, of adam as a half cosine"),
  weightDecay: between(0, 1, "of all weights", { standard: 3e-5 }),
  noMirroring: toggle("predict images as they are, not their mirror images too"),
};

/** Throws `ConfigError`, `FormatError` for plans that do not hold together. */
export function checkNnunetOptions(config: RunConfig<NnunetRecipeOptions>, source: string): void {
  const { plans, configuration, trained, previous } = config;
  const planned = plansFile(plans, `${source}: plans`).configuration(configuration);
  expectConfiguration(configuration, trained, (problem) => new ConfigError(`${source}: trained: ${problem}`));
  const { spacing, previous_stage: stage } = trained;
  if ((stage === undefined) !== (previous.length === 0))
    throw new ConfigError(
      stage === undefined
        ? `${source}: ${configuration} has no stage before it, so it takes no previous label maps`
        : `${source}: ${configuration} comes behind ${stage}: give the folders of its label maps as previous`,
    );
  if (JSON.stringify(planned.spacing) !== JSON.stringify(spacing))
    throw new ConfigError(`${source}: trained has the spacing [${spacing}], ${configuration} of the plans [${planned.spacing}]`);
}
