/** @file `voxgrad uncertainty`: how sure a trained run is of each structure and voxel, by test-time dropout. */

import { join, resolve } from "node:path";
import { counted } from "../../../host/text.ts";
import type { Case } from "../../../data/folders/dataset_index.ts";
import { writeNifti } from "../../../data/formats/nifti/nifti.ts";
import { withGeometryOf } from "../../../data/volume.ts";
import { ConfigError, VoxgradError } from "../../../host/errors.ts";
import { seedDropout } from "../../../nn/layers/dropout.ts";
import { labelVolumes, volumesCsv } from "../../post/label_volumes.ts";
import { files, readRunInfo, type RunInfo } from "../../run/files.ts";
import { FolderData, readFiles } from "../../run/folder_data.node.ts";
import { folderStore } from "../../run/folder_store.node.ts";
import { casesOfPaths, expectFreeOutputs } from "../../run/inputs.node.ts";
import { type OpenedRun, openRun, writePrediction } from "../../run/segment.ts";
import type { RunStore } from "../../run/store.ts";
import { expectDraws, sampleCases, type SampledCase, uncertaintyCsv } from "../../run/uncertainty.ts";
import { ProgressLine } from "../../training/progress.ts";
import type { Device } from "../../../tensor/device.ts";
import { type Command, failureOf, flag, helpLines, parse, recipeOfRun, say, text } from "../command_line.node.ts";
import { interruptible, withDevice } from "../device.node.ts";
import { foldNamed } from "./predict.node.ts";
import { expectFree } from "../outputs.node.ts";

const usage = "--run DIR (--data DIR [--fold N] | FILE or DIR …) --out DIR [--samples N]";

const help = `voxgrad uncertainty ${usage}

Segments each image many times with dropout on. Writes the label map <id>.nii.gz, the map of variances <id>_variance.nii.gz, and tables: ${files.uncertainty} with the agreement of the draws on each structure (IoU, and standard deviation over mean of its volume) and ${files.volumes} with volumes.

${helpLines([
  ["run DIR", "folder of a trained run whose networks have dropout"],
  ["data DIR", "the labeled cases of a dataset, with --fold N the validation cases of a fold"],
  ["out DIR", "where the results go"],
  ["samples N", "draws of each network; default 10"],
  ["seed N", "of the draws; default 0"],
  ["overwrite", "replace files that are there"],
  ["recipe PATH", "module of the run's recipe, if it is no longer where it was"],
  ["no-tune", "use the fixed table of kernel variants, whatever voxgrad tune measured"],
])}`;

const flags = {
  run: text,
  recipe: text,
  data: text,
  fold: text,
  out: text,
  samples: text,
  seed: text,
  overwrite: flag,
  "no-tune": flag,
};

const fileOf = (id: string): string => `${id}.nii.gz`;
const varianceOf = (id: string): string => `${id}_variance.nii.gz`;

/** Throws `ConfigError`. */
function integerOf(name: string, value: string | undefined, standard: number, least: number): number {
  const number = value === undefined ? standard : Number(value);
  if (value?.trim() !== "" && Number.isSafeInteger(number) && number >= least) return number;
  throw new ConfigError(`--${name} must be an integer from ${least}, got "${value}"`);
}

export const uncertaintyCommand: Command = {
  name: "uncertainty",
  usage: [[usage, "how sure a run is of structures and voxels"]],
  help: async () => help,
  async run(args) {
    const { values, positionals } = parse(args, flags, true);
    if (values.run === undefined || values.out === undefined)
      throw new ConfigError("uncertainty needs --run DIR, the folder of a trained run, and --out DIR");
    if ((values.data === undefined) === (positionals.length === 0))
      throw new ConfigError("uncertainty needs either --data DIR or image files and folders");
    const samples = integerOf("samples", values.samples, 10, 1);
    const seed = integerOf("seed", values.seed, 0, 0);
    const store = folderStore(resolve(values.run));
    const info = await readRunInfo(store);
    const recipe = await recipeOfRun(info, values.recipe);
    const cases =
      values.data === undefined
        ? casesOfPaths(positionals, info.channels.length)
        : (await (await FolderData.open(values.data)).fold(foldNamed(values.fold) ?? "all")).val;
    const out = folderStore(resolve(values.out));
    expectFreeOutputs(cases, (id) => [fileOf, varianceOf].map((name) => join(out.name, name(id))), values.overwrite === true);
    expectFree({ outputs: [files.uncertainty, files.volumes].map((name) => join(out.name, name)), overwrite: values.overwrite });
    return withDevice(
      async (device) => {
        const run = await openRun(device, store, recipe);
        try {
          expectDraws(run);
          seedDropout(device, seed);
          return await sampleAll(device, run, cases, info, out, samples);
        } finally {
          run.dispose();
        }
      },
      { tuned: values["no-tune"] !== true },
    );
  },
};

/** One bad case does not keep the others from their results; 1 if there was one, 130 if it was interrupted. */
async function sampleAll(
  device: Device,
  run: OpenedRun,
  cases: readonly Case[],
  info: RunInfo,
  out: RunStore,
  samples: number,
): Promise<number> {
  const line = new ProgressLine(process.stderr);
  const { signal, done: uninterruptible } = interruptible("stopping after this batch");
  const found: Omit<SampledCase, "source" | "labels" | "variance">[] = [];
  const volumes: ReturnType<typeof labelVolumes> = [];
  const bad: string[] = [];
  try {
    for (const item of cases) {
      const onProgress = (done: number, total: number) => line.update({ label: `sampling ${item.id}`, done, total });
      try {
        const options = { samples, signal, onProgress };
        for await (const sampled of sampleCases(device, run, [item], readFiles(info.labels), options)) {
          const { id, source, labels, variance, structures } = sampled;
          await writePrediction(out, fileOf(id), sampled);
          const map = withGeometryOf(source.image, variance);
          await out.write(varianceOf(id), await writeNifti(map, { dtype: "f32", gzip: true }));
          found.push({ id, structures });
          volumes.push(...labelVolumes(id, withGeometryOf(source.image, labels), source.image.spacing, info.labels));
        }
      } catch (error) {
        if (signal.aborted) break;
        if (!(error instanceof VoxgradError)) throw error;
        bad.push(item.id);
        line.log(failureOf(item.id, error));
      }
    }
  } finally {
    line.finish();
    uninterruptible();
    await out.write(files.uncertainty, uncertaintyCsv(found.flatMap((f) => f.structures)));
    await out.write(files.volumes, volumesCsv(volumes));
  }
  say(`${counted(found.length, "case")} of ${counted(samples, "draw")} in ${out.name}`);
  if (bad.length > 0) say(`${bad.length} of ${counted(cases.length, "case")} failed: ${bad.join(", ")}`);
  return signal.aborted ? 130 : bad.length > 0 ? 1 : 0;
}
