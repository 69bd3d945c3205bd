/**
 * @file Runs of the recipe "nnunet" as a results folder of Python's nnU-Net v2, which predicts with it: `plans.json`, `dataset.json`,
 * `dataset_fingerprint.json`, and for each fold `checkpoint_final.pth` and, of the best weights, `checkpoint_best.pth`.
 */

import { expectItems } from "../../host/kinds.ts";
import { ConfigError } from "../../host/errors.ts";
import type { WeightTensor } from "../../weights/elements.ts";
import { readSafetensors } from "../../weights/safetensors.ts";
import { type TorchValue, writeTorch } from "../../weights/torch/write.ts";
import type { DatasetFingerprint } from "../../data/nnunet/fingerprint.ts";
import { foregroundOf, type LabelClass } from "../../data/labels.ts";
import { type DatasetFiles, datasetJson, nnunetLabels } from "./experiment.ts";
import type { PlannedConfiguration } from "./configuration.ts";
import type { NnunetPlans } from "./plan.ts";

/** What is told of a run; the fields are those of its files. */
export interface ExportedRun {
  /** nnU-Net's plans. */
  readonly plans: NnunetPlans;
  /** Name of the configuration in the plans. */
  readonly configuration: string;
  /** The configuration as it was trained. */
  readonly trained: PlannedConfiguration;
  /** What the plans were made from; null where nobody knows. */
  readonly fingerprint: DatasetFingerprint | null;
  /** Fold of the splits, or "all". */
  readonly fold: number | "all";
  /** Classes, background included. */
  readonly labels: readonly LabelClass[];
  /** Names of the image channels in order. */
  readonly channels: readonly string[];
  /** How the dataset's files are called. */
  readonly files: DatasetFiles;
  /** Axes along which images may be mirrored. */
  readonly mirrorAxes: readonly number[];
  /** Of each epoch. Mean `loss`, learning rate `lr` and, where it was validated, `dice` of each class. */
  readonly epochs: readonly { readonly loss: number; readonly lr: number; readonly dice?: readonly number[] }[];
  /** safetensors of the network. The file's bytes. */
  readonly weights: Uint8Array;
  /** The bytes of those that validated best, if they were kept. */
  readonly best?: Uint8Array | undefined;
}

/**
 * Classes with the values that a results folder writes: nnU-Net's label maps have the numbers of the network's outputs, 0, 1, 2 …, and behind them the
 * voxels to ignore, whatever values a dataset has. Regions write what `regions_class_order` says and stay.
 * @internal
 */
export function exportedLabels(labels: readonly LabelClass[]): readonly LabelClass[] {
  expectItems("exportRuns", "labels", labels, { name: "text", values: "numbers" });
  if (foregroundOf(labels).some((l) => l.values.length > 1)) return labels;
  const classes = nnunetLabels(labels.filter((l) => !l.ignore));
  return [...classes, ...labels.filter((l) => l.ignore)].map((l, i) => ({ ...l, values: [i] }));
}

/**
 * The files of a results folder by their paths. Its classes have the values 0, 1, 2 …, which nnU-Net writes whatever those of the dataset are.
 * @param runs folds of one configuration
 * @throws ConfigError for runs that are not folds of one thing; FormatError for damaged weights
 * @returns texts, and the bytes of checkpoints
 */
export function exportRuns(runs: readonly ExportedRun[]): Map<string, Uint8Array | string> {
  expectItems("exportRuns", "runs", runs, { configuration: "text", trained: "object", labels: "list", channels: "list" });
  const [first, ...others] = runs;
  if (!first) throw new ConfigError("exportRuns: there is no run");
  const kind = (r: ExportedRun) => JSON.stringify([r.configuration, r.trained, r.labels, r.channels]);
  for (const other of others) {
    if (kind(other) !== kind(first))
      throw new ConfigError(
        "exportRuns: the runs have other plans, configurations or classes: one folder holds folds of one network",
      );
  }
  const folds = runs.map((r) => r.fold);
  if (new Set(folds).size < folds.length)
    throw new ConfigError(`exportRuns: the runs are of the folds ${folds}; each may come once`);
  // A first stage's label map is no channel of the dataset.
  const channels = first.trained.previous_stage === undefined ? first.channels : first.channels.slice(0, -1);
  const dataset = datasetJson(exportedLabels(first.labels), channels, first.files);
  const json = (value: unknown) => `${JSON.stringify(value, null, 4)}\n`;
  const files = new Map<string, Uint8Array | string>([
    ["plans.json", json(plansOf(first))],
    ["dataset.json", json(dataset)],
    ...(first.fingerprint ? [["dataset_fingerprint.json", json(first.fingerprint)] as const] : []),
  ]);
  for (const run of runs) {
    files.set(`fold_${run.fold}/checkpoint_final.pth`, checkpointOf(run, run.weights, dataset));
    if (run.best) files.set(`fold_${run.fold}/checkpoint_best.pth`, checkpointOf(run, run.best, dataset));
  }
  return files;
}

/** The plans with the configuration that was trained. */
const plansOf = ({ plans, configuration, trained }: ExportedRun): NnunetPlans => ({
  ...plans,
  configurations: { ...plans.configurations, [configuration]: trained },
});

/** A checkpoint with nnU-Net's keys. There is no state of an optimizer in it: it is to predict with. */
function checkpointOf(run: ExportedRun, weights: Uint8Array, dataset: object): Uint8Array {
  const { tensors } = readSafetensors(weights, "weights of the run");
  const { epochs, configuration, fold } = run;
  const mean = (dice: readonly number[] = []) => dice.reduce((a, b) => a + b, 0) / dice.length;
  const scores = epochs.map((e) => mean(e.dice));
  const averages = scores.reduce<number[]>((all, s, i) => [...all, i === 0 ? s : 0.9 * all[i - 1] + 0.1 * s], []);
  return writeTorch({
    network_weights: new Map(
      [...tensors].map(([name, t]: [string, WeightTensor]) => [name, { data: t.data, shape: [...t.shape] }]),
    ),
    optimizer_state: null,
    grad_scaler_state: null,
    logging: {
      mean_fg_dice: scores,
      ema_fg_dice: averages,
      dice_per_class_or_region: epochs.map((e) => [...(e.dice ?? [])]),
      train_losses: epochs.map((e) => e.loss),
      val_losses: [],
      lrs: epochs.map((e) => e.lr),
      epoch_start_timestamps: [],
      epoch_end_timestamps: [],
    },
    _best_ema: averages.length > 0 ? Math.max(...averages) : null,
    current_epoch: epochs.length,
    init_args: {
      plans: plansOf(run) as unknown as TorchValue,
      configuration,
      fold,
      dataset_json: dataset as unknown as TorchValue,
    },
    trainer_name: "nnUNetTrainer",
    // Of none nnU-Net would ask for the largest.
    inference_allowed_mirroring_axes: run.mirrorAxes.length > 0 ? [...run.mirrorAxes] : null,
  });
}
