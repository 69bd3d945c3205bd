/** @file `voxgrad predict`: label maps of a trained run, in the geometry of their sources. */

import { join, resolve } from "node:path";
import type { Case } from "../../../data/folders/dataset_index.ts";
import { ConfigError } from "../../../host/errors.ts";
import { parseBytes } from "../../../host/text.ts";
import type { InferenceOptions } from "../../inference/segmenter.ts";
import type { Recipe } from "../../recipes/recipe.ts";
import type { PostStep } from "../../post/steps.ts";
import { files, readConfig, readRunInfo, type RunInfo, type WhichWeights } from "../../run/files.ts";
import { readPostprocessing, readPostSteps } from "../../run/postprocessing.ts";
import { FolderData, readFiles } from "../../run/folder_data.node.ts";
import { folderStore } from "../../run/folder_store.node.ts";
import { casesOfNetwork } from "../../run/inputs.node.ts";
import { type Ensemble, expectTogether, type OpenedRun, openRun, segmentCases, type SegmentOptions } from "../../run/segment.ts";
import { scoresOnDisk } from "../../run/scores_on_disk.node.ts";
import type { RunStore } from "../../run/store.ts";
import { withDevice } from "../device.node.ts";
import { objectAsked } from "../dicom_objects.node.ts";
import { seriesAsked, seriesChoices, seriesHelp } from "../image_choice.node.ts";
import { casesWithout, existingAsked, predictCases, type SegmentCase } from "../predict_cases.node.ts";
import { predictWithModel } from "../predict_model.node.ts";
import { type Command, flag, helpLines, parse, recipeOfRun, say, text } from "../command_line.node.ts";

const flags = {
  model: text,
  normalization: text,
  axes: text,
  previous: text,
  "no-mirroring": flag,
  run: { type: "string", multiple: true } as const,
  ensemble: text,
  recipe: text,
  data: text,
  fold: text,
  out: text,
  weights: text,
  probabilities: flag,
  dicom: text,
  description: text,
  ...seriesChoices,
  tta: flag,
  rot90: flag,
  overlap: text,
  "batch-size": text,
  "device-memory": text,
  precision: text,
  "keep-largest": flag,
  "fill-holes": flag,
  "remove-small": text,
  "no-postprocess": flag,
  overwrite: flag,
  "skip-existing": flag,
  "no-tune": flag,
};

const usage = "(--run DIR … | --model PATH) (--data DIR [--fold N] | FILE, DIR or GLOB …) [--out DIR]";

const help = `voxgrad predict ${usage}

Writes a label map <id>.nii.gz for each image, in the image's geometry (of nnU-Net's folders with the dataset's file_ending where it is written here), and the volumes of its labels into ${files.volumes}; what a run looks for, such as nodules, with places and scores into ${files.candidates}. Files <id>_0000.nii.gz, <id>_0001.nii.gz … are the channels of one case.

${helpLines([
  ["run DIR", "folder of a trained run; given several times, such as for folds, the runs predict together"],
  [
    "model PATH",
    "in place of a run: a results folder of nnU-Net v2, a MONAI bundle, an .onnx file, a tfjs model.json; needs --out",
  ],
  ["no-mirroring", "with --model of nnU-Net: leave out its mirrored images; --fold N takes one of its folds"],
  ["normalization HOW", "with --model of ONNX or tfjs: none, zscore, minmax, brainchop, brainchop-quantile"],
  ["axes ORDER", "with --model of ONNX or tfjs: xyz (default) or zyx, the order of axes that the network takes"],
  [
    "previous DIR",
    "of the second stage of nnU-Net's cascade: label maps <id>.* of the first stage; without it they are the images' last channels",
  ],
  ["ensemble HOW", "how runs are joined: mean of logits (default), mean of probabilities, or vote"],
  ["data DIR", "the labeled cases of a dataset, with --fold N the validation cases of a fold"],
  ["out DIR", "where the label maps go; default <run>/predicted, to be given for several runs"],
  [
    "weights NAME",
    "last: of the end of training, best: of the best validation; default last, else best, else the last checkpoint",
  ],
  [
    "probabilities",
    "write the probabilities of classes or regions too, as channels of <id>_probabilities.nii.gz; of nnU-Net's folders also its own <id>.npz and <id>.pkl, for its ensembles",
  ],
  [
    "dicom KIND",
    "of DICOM images, write <id>.seg.dcm (seg), a DICOM segmentation, or <id>.rtstruct.dcm (rtstruct), an RT structure set, too",
  ],
  ["description TEXT", "with --dicom: of the new series; default Segmentation"],
  seriesHelp,
  ["tta", "average over mirror images along all axes; refused where a run was trained without any"],
  ["rot90", "average over quarter turns, in the plane of slices or of the last two axes of square windows"],
  ["overlap SHARE", "of a window that neighbors overlap, from 0 to below 1; default the recipe's"],
  ["batch-size N", "windows that are predicted together; default the recipe's"],
  ["device-memory SIZE", "most that is taken on the device, such as 512MiB or 2GiB; larger cases go in slabs; default 2GiB"],
  ["precision TYPE", "f32 (default) or f16, on devices that have it"],
  ["keep-largest", "keep only the largest component of each label"],
  ["fill-holes", "fill the holes of each label"],
  ["remove-small MM3", "remove components of a label below this volume in mm³"],
  ["no-postprocess", "leave out what `voxgrad postprocess` stored with the run"],
  ["overwrite", "replace label maps that are there"],
  ["skip-existing", "leave out cases whose results are there, such as those of a call that was interrupted"],
  ["recipe PATH", "module of the run's recipe, if it is no longer where it was"],
  ["no-tune", "use the fixed table of kernel variants, whatever voxgrad tune measured"],
])}`;

export const predictCommand: Command = {
  name: "predict",
  usage: [[usage, "write label maps as NIfTI"]],
  help: async () => help,
  async run(args) {
    const { values, positionals } = parse(args, flags, true);
    if ((values.run === undefined) === (values.model === undefined))
      throw new ConfigError("predict needs either --run DIR, the folder of a trained run, or --model PATH, a model of any kind");
    if ((values.data === undefined) === (positionals.length === 0))
      throw new ConfigError("predict needs either --data DIR or image files and folders");
    const dicom = objectAsked(values.dicom, values.description);
    const choices = seriesAsked(values, values.data);
    if (values.model !== undefined)
      return predictWithModel(values.model, positionals, {
        ...values,
        dicom,
        choices,
        fold: foldNamed(values.fold),
        weights: values.weights as "last" | "best" | undefined,
        probabilities: values.probabilities === true,
        existing: existingAsked(values),
        tuned: values["no-tune"] !== true,
        inference: { ...inferenceAsked(values), ...(values["no-mirroring"] && { mirror: false }) },
      });
    if (values.fold !== undefined && values.data === undefined)
      throw new ConfigError("--fold takes the validation cases of --data DIR; files and folders of images have no folds");
    const runs = values.run!;
    if (runs.length > 1 && values.out === undefined)
      throw new ConfigError("several runs have no folder of their own for what they predict: give --out DIR");
    const which = weightsNamed(values.weights);
    const inference = inferenceAsked(values);
    const ensemble = ensembleNamed(values.ensemble);
    const stores = runs.map((run) => folderStore(resolve(run)));
    const infos = await Promise.all(stores.map((store) => readRunInfo(store)));
    const recipes = await Promise.all(infos.map((info) => recipeOfRun(info, values.recipe)));
    const steps = [
      ...(values["no-postprocess"] ? [] : await storedSteps(stores, which, values.probabilities === true)),
      ...stepsAsked(values),
    ];
    const [info] = infos;
    const asked =
      values.data === undefined
        ? await casesOfNetwork(positionals, info.channels, values.previous, say, choices)
        : await casesOfData(values.data, recipes[0], stores[0], values);
    const out = folderStore(resolve(values.out ?? join(runs[0], files.predicted)));
    const { probabilities = false } = values;
    const results = { out, probabilities, dicom, order: asked.map(({ id }) => id) };
    const cases = await casesWithout(asked, info.labels, results, existingAsked(values), positionals);
    if (cases.length === 0) return 0;
    return withDevice(
      async (device) => {
        const opened: OpenedRun[] = [];
        try {
          for (const [i, store] of stores.entries()) opened.push(await openRun(device, store, recipes[i], which, inference));
          const options = { ensemble, probabilities: probabilities && ("channels" as const) };
          expectTogether(opened, options);
          return await predictCases(
            cases,
            info.labels,
            results,
            byRuns(opened, info, { ...options, steps, keepScores: scoresOnDisk(out.name) }),
          );
        } finally {
          for (const run of opened) run.dispose();
        }
      },
      { tuned: values["no-tune"] !== true, half: inference.precision === "f16" },
    );
  },
};

/** Cases segmented by runs together. */
const byRuns =
  (runs: readonly OpenedRun[], info: RunInfo, options: SegmentOptions): SegmentCase =>
  async (item, { signal, onPlan, onProgress }) => {
    const hooks: SegmentOptions = {
      signal,
      onPlan: (_, plan) => onPlan(plan),
      onProgress: (_, done, total) => onProgress(done, total),
    };
    return (await segmentCases(runs, [item], readFiles(info.labels), { ...options, ...hooks }).next()).value!;
  };

/** The cases of a dataset as a run's recipe and options open it: of a fold those to validate on. */
export async function casesOfData(
  folder: string,
  recipe: Recipe,
  store: RunStore,
  { fold, previous }: { readonly fold?: string; readonly previous?: string },
): Promise<readonly Case[]> {
  const config = { ...(await readConfig(store, recipe)), ...(previous !== undefined && { previous: [resolve(previous)] }) };
  const data = await FolderData.openFor(folder, recipe, config);
  return (await data.fold(foldNamed(fold) ?? "all")).val;
}

const described = (step: PostStep): string =>
  step.step === "keepLargest"
    ? `keeps the largest component of ${step.labels ? `label ${step.labels.join(" + ")}` : "each label"}`
    : step.step;

/** What was stored with a run, or with each of several in the same way. */
async function storedSteps(
  stores: readonly RunStore[],
  which: WhichWeights | undefined,
  probabilities: boolean,
): Promise<readonly PostStep[]> {
  const [first, ...others] = await Promise.all(stores.map((store) => readPostSteps(store, which)));
  for (const store of stores)
    if ((await readPostprocessing(store))?.steps.length && (await readPostSteps(store, which)).length === 0)
      say(
        `${store.name}: its ${files.postprocessing} was found for other weights and is left out; decide anew: voxgrad postprocess`,
      );
  if (others.every((o) => JSON.stringify(o) === JSON.stringify(first))) {
    if (first.length > 0)
      say(
        `post-processing of ${files.postprocessing}: ${first.map(described).join(", ")}; --no-postprocess leaves it out` +
          (probabilities ? ". Label maps may differ from the largest of the probabilities" : ""),
      );
    return first;
  }
  say("the runs store different post-processing: none of it is done");
  return [];
}

/** The options of inference that flags ask for. Throws `ConfigError`. */
function inferenceAsked(values: {
  readonly tta?: boolean;
  readonly rot90?: boolean;
  readonly overlap?: string;
  readonly "batch-size"?: string;
  readonly "device-memory"?: string;
  readonly precision?: string;
}): InferenceOptions {
  const { precision, tta, rot90 } = values;
  const overlap = numberOf("overlap", values.overlap, (v) => v >= 0 && v < 1, "a share from 0 to below 1");
  const batchSize = numberOf("batch-size", values["batch-size"], (v) => Number.isInteger(v) && v > 0, "a positive integer");
  const memory = values["device-memory"];
  const maxBytes = memory === undefined ? undefined : parseBytes(memory);
  if (memory !== undefined && !maxBytes)
    throw new ConfigError(`--device-memory must be a size such as 512MiB or 2GiB, got "${memory}"`);
  if (precision !== undefined && precision !== "f32" && precision !== "f16")
    throw new ConfigError(`--precision must be f32 or f16, got "${precision}"`);
  return { overlap, batchSize, maxBytes, precision, ...(tta && { mirror: true }), ...(rot90 && { rot90 }) };
}

function numberOf(name: string, value: string | undefined, fits: (v: number) => boolean, expected: string): number | undefined {
  if (value === undefined) return undefined;
  if (value.trim() !== "" && fits(Number(value))) return Number(value);
  throw new ConfigError(`--${name} must be ${expected}, got "${value}"`);
}

/** Throws `ConfigError`. */
function ensembleNamed(value: string | undefined): Ensemble | undefined {
  if (value === undefined || value === "logits" || value === "probabilities" || value === "vote") return value;
  throw new ConfigError(`--ensemble must be logits, probabilities or vote, got "${value}"`);
}

/** The steps that flags ask for: small parts go first, so that no hole of theirs is filled. Throws `ConfigError`. */
function stepsAsked(values: {
  readonly "keep-largest"?: boolean;
  readonly "fill-holes"?: boolean;
  readonly "remove-small"?: string;
}): PostStep[] {
  const { "keep-largest": largest, "fill-holes": fill, "remove-small": small } = values;
  const mm3 = Number(small);
  if (small !== undefined && !(mm3 > 0 && Number.isFinite(mm3)))
    throw new ConfigError(`--remove-small must be a volume in mm³ above 0, got "${small}"`);
  return [
    ...(small === undefined ? [] : [{ step: "removeSmall", mm3 } as const]),
    ...(largest ? [{ step: "keepLargest" } as const] : []),
    ...(fill ? [{ step: "fillHoles" } as const] : []),
  ];
}

/** Throws `ConfigError`. */
function weightsNamed(value: string | undefined): WhichWeights | undefined {
  if (value === undefined) return undefined;
  const which = ({ last: "weights", best: "best" } as const)[value];
  if (which) return which;
  throw new ConfigError(`--weights must be "last" or "best", got "${value}"`);
}

/** Throws `ConfigError`. */
export function foldNamed(value: string | undefined): number | "all" | undefined {
  if (value === undefined || value === "all") return value;
  const fold = Number(value);
  if (Number.isSafeInteger(fold) && fold >= 0 && value.trim() !== "") return fold;
  throw new ConfigError(`--fold must be a fold number from 0 or "all", got "${value}"`);
}
