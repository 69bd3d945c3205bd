/** @file `voxgrad predict`: label maps of a trained run, in the geometry of their sources. */

import { join, resolve } from "node:path";
import type { Case } from "../../../data/folders/dataset_index.ts";
import { ConfigError, VoxgradError } from "../../../host/errors.ts";
import { labelVolumes, type LabelVolume, volumesCsv } from "../../post/label_volumes.ts";
import type { PostStep } from "../../post/steps.ts";
import { files, readRunInfo, type RunInfo, type WhichWeights } from "../../run/files.ts";
import { readPostSteps } from "../../run/postprocessing.ts";
import { FolderData, readFiles } from "../../run/folder_data.node.ts";
import { folderStore } from "../../run/folder_store.node.ts";
import { casesOfPaths, expectFreeOutputs } from "../../run/inputs.node.ts";
import { type OpenedRun, openRun, segmentCases, writePrediction } from "../../run/segment.ts";
import type { RunStore } from "../../run/store.ts";
import { ProgressLine } from "../../training/progress.ts";
import { type Command, flag, helpLines, parse, recipeOfRun, say, text } from "../command_line.node.ts";
import { interruptible, withDevice } from "../device.node.ts";

const flags = {
  run: text,
  recipe: text,
  data: text,
  fold: text,
  out: text,
  weights: text,
  "keep-largest": flag,
  "fill-holes": flag,
  "remove-small": text,
  "no-postprocess": flag,
  overwrite: flag,
  "no-tune": flag,
};

const usage = "--run DIR (--data DIR [--fold N] | FILE or DIR …) [--out DIR]";

const help = `voxgrad predict ${usage}

Writes a label map <id>.nii.gz for each image, in the image's geometry, and the volumes of its labels into ${files.volumes}. Files <id>_0000.nii.gz, <id>_0001.nii.gz … are the channels of one case.

${helpLines([
  ["run DIR", "folder of a trained run"],
  ["data DIR", "the labelled cases of a dataset, with --fold N the validation cases of a fold"],
  ["out DIR", "where the label maps go; default <run>/predicted"],
  [
    "weights NAME",
    "last: of the end of training, best: of the best validation; default last, else best, else the last checkpoint",
  ],
  ["keep-largest", "keep only the largest component of each label"],
  ["fill-holes", "fill the holes of each label"],
  ["remove-small MM3", "remove components of a label below this volume in mm³"],
  ["no-postprocess", "leave out what `voxgrad postprocess` stored with the run"],
  ["overwrite", "replace label maps that are there"],
  ["recipe PATH", "module of the run's recipe, if it is no longer where it was"],
  ["no-tune", "use the fixed table of kernel variants, whatever voxgrad tune measured"],
])}`;

export const predictCommand: Command = {
  name: "predict",
  usage: [[usage, "write label maps as NIfTI"]],
  help: async () => help,
  async run(args) {
    const { values, positionals } = parse(args, flags, true);
    if (values.run === undefined) throw new ConfigError("predict needs --run DIR, the folder of a trained run");
    if ((values.data === undefined) === (positionals.length === 0))
      throw new ConfigError("predict needs either --data DIR or image files and folders");
    const which = weightsNamed(values.weights);
    const store = folderStore(resolve(values.run));
    const info = await readRunInfo(store);
    const recipe = await recipeOfRun(info, values.recipe);
    const steps = [...(values["no-postprocess"] ? [] : await readPostSteps(store)), ...stepsAsked(values)];
    const cases =
      values.data === undefined
        ? casesOfPaths(positionals, info.channels.length)
        : (await (await FolderData.open(values.data)).fold(foldNamed(values.fold) ?? "all")).val;
    const out = folderStore(resolve(values.out ?? join(values.run, files.predicted)));
    expectFreeOutputs(cases, (id) => join(out.name, fileOf(id)), values.overwrite === true);
    return withDevice(
      async (device) => {
        const run = await openRun(device, store, recipe, which);
        try {
          return await predictAll(run, cases, info, { out, steps });
        } finally {
          run.dispose();
        }
      },
      { tuned: values["no-tune"] !== true },
    );
  },
};

const fileOf = (id: string): string => `${id}.nii.gz`;

interface Results {
  readonly out: RunStore;
  /** What is done to each label map. */
  readonly steps: readonly PostStep[];
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

/** Writes the volumes of what was predicted into the table of the folder, in which rows of other cases stay. */
async function writeVolumes(out: RunStore, volumes: readonly LabelVolume[]): Promise<void> {
  if (volumes.length === 0) return;
  const before = await out.read(files.volumes);
  await out.write(files.volumes, volumesCsv(volumes, before && new TextDecoder().decode(before)));
}

/** One bad case does not keep the others from their results; 1 if there was one, 130 if it was interrupted. */
async function predictAll(run: OpenedRun, cases: readonly Case[], info: RunInfo, { out, steps }: Results): Promise<number> {
  const line = new ProgressLine(process.stderr);
  const { signal, done: uninterruptible } = interruptible("stopping after this batch");
  const started = performance.now();
  const bad: string[] = [];
  const volumes: LabelVolume[] = [];
  let done = 0;
  try {
    for (const item of cases) {
      try {
        for await (const segmented of segmentCases(run, [item], readFiles(info.labels), signal, steps)) {
          await writePrediction(out, fileOf(segmented.id), segmented);
          volumes.push(...labelVolumes(segmented.id, segmented.labels, segmented.source.image.spacing, info.labels));
        }
        done++;
      } catch (error) {
        if (signal.aborted) break;
        if (!(error instanceof VoxgradError)) throw error;
        bad.push(item.id);
        line.log(`${error.name}: ${error.message}`);
      }
      const seconds = (performance.now() - started) / 1000;
      line.update({ label: "segmenting", done: done + bad.length, total: cases.length, seconds });
    }
  } catch (error) {
    // What went wrong is what is told, not that the table could not be written either.
    await writeVolumes(out, volumes).catch(() => undefined);
    throw error;
  } finally {
    line.finish();
    uninterruptible();
  }
  await writeVolumes(out, volumes);
  say(`${done} label maps in ${out.name}`);
  if (bad.length > 0) say(`${bad.length} of ${cases.length} cases failed: ${bad.join(", ")}`);
  return signal.aborted ? 130 : bad.length > 0 ? 1 : 0;
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
