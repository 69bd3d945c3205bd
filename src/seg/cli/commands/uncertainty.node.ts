/** @file `voxgrad uncertainty`: how sure a trained run is of each structure and voxel, by test-time dropout. */

import { join, resolve } from "node:path";
import { counted } from "../../../host/text.ts";
import type { Case } from "../../../data/folders/dataset_index.ts";
import { writeNifti } from "../../../data/formats/nifti/nifti.ts";
import { withGeometryOf } from "../../../data/volume.ts";
import { ConfigError } from "../../../host/errors.ts";
import { seedDropout } from "../../../nn/layers/dropout.ts";
import { labelVolumes, volumesCsv } from "../../post/label_volumes.ts";
import { files, readRunInfo, type RunInfo } from "../../run/files.ts";
import { FolderData, readFiles } from "../../run/folder_data.node.ts";
import { folderStore } from "../../run/folder_store.node.ts";
import { casesOfPaths, expectFreeOutputs } from "../../run/inputs.node.ts";
import { type OpenedRun, openRun, writePrediction } from "../../run/segment.ts";
import type { RunStore } from "../../run/store.ts";
import { expectDraws, sampleCases, type SampledCase, uncertaintyCsv } from "../../run/uncertainty.ts";
import type { Device } from "../../../tensor/device.ts";
import { type Command, flag, helpLines, parse, recipeOfRun, say, text } from "../command_line.node.ts";
import { withDevice } from "../device.node.ts";
import { codeOf, eachCase } from "../each_case.node.ts";
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

/** Writes the tables of what there is, whatever ends the work. @returns the exit code, see `codeOf` */
async function sampleAll(
  device: Device,
  run: OpenedRun,
  cases: readonly Case[],
  info: RunInfo,
  out: RunStore,
  samples: number,
): Promise<number> {
  const found: SampledCase["structures"][] = [];
  const volumes: ReturnType<typeof labelVolumes> = [];
  try {
    const sampled = await eachCase(cases, async (item, { line, signal }) => {
      const onProgress = (done: number, total: number) => line.update({ label: `sampling ${item.id}`, done, total });
      const options = { samples, signal, onProgress };
      for await (const drawn of sampleCases(device, run, [item], readFiles(info.labels), options)) {
        const { id, source, labels, variance, structures } = drawn;
        await writePrediction(out, fileOf(id), drawn);
        const map = withGeometryOf(source.image, variance);
        await out.write(varianceOf(id), await writeNifti(map, { dtype: "f32", gzip: true }));
        found.push(structures);
        volumes.push(...labelVolumes(id, withGeometryOf(source.image, labels), source.image.spacing, info.labels));
      }
    });
    say(`${counted(sampled.done, "case")} of ${counted(samples, "draw")} in ${out.name}`);
    return codeOf(sampled, cases.length);
  } finally {
    await out.write(files.uncertainty, uncertaintyCsv(found.flat()));
    await out.write(files.volumes, volumesCsv(volumes));
  }
}
