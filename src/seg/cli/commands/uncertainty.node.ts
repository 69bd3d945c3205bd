/** @file `voxgrad uncertainty`: how sure a trained run is of each structure and voxel, by test-time dropout. */

import { join, resolve } from "node:path";
import { ConfigError } from "../../../host/errors.ts";
import { seedDropout } from "../../../nn/layers/dropout.ts";
import { files, readRunInfo } from "../../run/files.ts";
import { readFiles } from "../../run/folder_data.node.ts";
import { folderStore } from "../../run/folder_store.node.ts";
import { casesOfNetwork, expectFreeOutputs, expectOtherFolder } from "../../run/inputs.node.ts";
import { openRun } from "../../run/segment.ts";
import { expectDraws, sampleCases } from "../../run/uncertainty.ts";
import { type Command, flag, helpLines, parse, recipeOfRun, say, text } from "../command_line.node.ts";
import { withDevice } from "../device.node.ts";
import { seriesAsked, seriesChoices, seriesHelp } from "../image_choice.node.ts";
import { casesOfData } from "./predict.node.ts";
import { expectFree } from "../outputs.node.ts";
import { fileOf, onlyOne, type SampleCase, uncertainCases, varianceOf } from "../uncertain_cases.node.ts";

const usage = "--run DIR (--data DIR [--fold N] | FILE or DIR …) --out DIR [--samples N]";

const help = `voxgrad uncertainty ${usage}

Segments each image many times with dropout on. Writes the label map <id>.nii.gz, the map of variances <id>_variance.nii.gz, and tables: ${files.uncertainty} with the agreement of the draws on each structure (IoU, and standard deviation over mean of its volume) and ${files.volumes} with volumes.

${helpLines([
  ["run DIR", "folder of a trained run whose networks have dropout"],
  ["data DIR", "the labeled cases of a dataset, with --fold N the validation cases of a fold"],
  ["previous DIR", "of the second stage of nnU-Net's cascade: label maps <id>.* of the first stage"],
  ["out DIR", "where the results go"],
  ["samples N", "draws of each network; default 10"],
  ["seed N", "of the draws; default 0"],
  seriesHelp,
  ["overwrite", "replace files that are there"],
  ["recipe PATH", "module of the run's recipe, if it is no longer where it was"],
  ["no-tune", "use the fixed table of kernel variants, whatever voxgrad tune measured"],
])}`;

const flags = {
  run: text,
  recipe: text,
  data: text,
  fold: text,
  previous: text,
  out: text,
  samples: text,
  seed: text,
  ...seriesChoices,
  overwrite: flag,
  "no-tune": flag,
};

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
    const choices = seriesAsked(values, values.data);
    const store = folderStore(resolve(values.run));
    const info = await readRunInfo(store);
    const recipe = await recipeOfRun(info, values.recipe);
    const cases =
      values.data === undefined
        ? await casesOfNetwork(positionals, info.channels, values.previous, say, choices)
        : await casesOfData(values.data, recipe, store, values);
    const out = folderStore(resolve(values.out));
    const outputsOf = (id: string) => [fileOf, varianceOf].map((name) => join(out.name, name(id)));
    expectOtherFolder(
      positionals,
      out.name,
      cases.flatMap(({ id }) => outputsOf(id)),
    );
    expectFreeOutputs(cases, outputsOf, values.overwrite === true);
    expectFree({ outputs: [files.uncertainty, files.volumes].map((name) => join(out.name, name)), overwrite: values.overwrite });
    return withDevice(
      async (device) => {
        const run = await openRun(device, store, recipe);
        try {
          expectDraws(run);
          seedDropout(device, seed);
          const sample: SampleCase = (item, options) =>
            onlyOne(sampleCases(device, run, [item], readFiles(info.labels), options));
          return await uncertainCases(cases, info.labels, out, samples, sample);
        } finally {
          run.dispose();
        }
      },
      { tuned: values["no-tune"] !== true },
    );
  },
};
