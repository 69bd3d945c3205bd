/** @file `voxgrad postprocess`: whether keeping the largest components helps a run, decided as in nnU-Net and stored with it. */

import { existsSync } from "node:fs";
import { join, resolve } from "node:path";
import type { Case } from "../../../data/folders/dataset_index.ts";
import { wholeLabels } from "../../../data/folders/join_case.ts";
import { readCaseLabel } from "../../../data/folders/layouts.node.ts";
import { readNiftiFile } from "../../../data/formats/nifti/nifti.node.ts";
import type { LabelClass } from "../../../data/labels.ts";
import { ConfigError, DataError } from "../../../host/errors.ts";
import { contextOf, files, readConfig, readRunInfo } from "../../run/files.ts";
import { FolderData } from "../../run/folder_data.node.ts";
import { folderStore } from "../../run/folder_store.node.ts";
import { expectSameData } from "../../run/same_data.ts";
import { decidePostprocessing, writePostprocessing } from "../../run/postprocessing.ts";
import { type Command, helpLines, parse, recipeOfRun, say, text } from "../command_line.node.ts";

const usage = "--run DIR [--run DIR …] [--data DIR]";

const help = `voxgrad postprocess ${usage}

Decides on the validation cases of a run, or of the runs of several folds together, whether only the largest component of all classes, then of each
class, should stay, as nnU-Net does. What helps is written into each run as ${files.postprocessing}, and voxgrad predict does it from then on.

${helpLines([
  ["run DIR", "folder of a trained run; again for each further fold"],
  ["data DIR", "the dataset, if it is no longer where the run was trained"],
  ["recipe PATH", "module of the runs' recipe, if it is no longer where it was"],
])}`;

/** A prediction and its truth. */
interface Pair {
  readonly prediction: string;
  readonly item: Case;
  readonly labels: readonly LabelClass[];
}

export const postprocessCommand: Command = {
  name: "postprocess",
  usage: [[usage, "keep the largest components if that helps on validation cases"]],
  help: async () => help,
  async run(args) {
    const { values } = parse(args, { run: { ...text, multiple: true }, data: text, recipe: text });
    if (!values.run?.length) throw new ConfigError("postprocess needs --run DIR, the folder of a trained run");
    const runs = await Promise.all(values.run.map((path) => openFolder(path, values)));
    const [{ outputs }] = runs;
    const names = (o: typeof outputs) => JSON.stringify(o.foreground);
    if (runs.some((run) => names(run.outputs) !== names(outputs)))
      throw new ConfigError("postprocess: the runs segment other classes; decide for each by itself");
    const pairs = runs.flatMap((run) => run.pairs);
    const found = await decidePostprocessing(pairs.length, (i) => readPair(pairs[i]), outputs);
    for (const [name, { before, after }] of Object.entries(found.dice))
      say(`${name}: mean Dice ${before?.toFixed(4) ?? "of no case"} before, ${after?.toFixed(4) ?? "of no case"} after`);
    for (const step of found.steps)
      say(`keeps the largest component of label ${"labels" in step ? step.labels?.join(" + ") : ""}`);
    if (found.steps.length === 0) say("keeping the largest components does not help; nothing is done");
    for (const { store } of runs) await writePostprocessing(store, found);
    return 0;
  },
};

async function openFolder(path: string, options: { readonly data?: string; readonly recipe?: string }) {
  const store = folderStore(resolve(path));
  const info = await readRunInfo(store);
  const recipe = await recipeOfRun(info, options.recipe);
  const config = await readConfig(store, recipe);
  const { outputs } = contextOf(recipe, config, info);
  const data = await (await FolderData.openFor(options.data ?? config.data, recipe, config)).fold(config.fold);
  expectSameData(recipe, { config, info }, data);
  const pairs = data.val.flatMap((item): Pair[] => {
    const prediction = join(store.name, files.prediction(item.id));
    return item.label !== undefined && existsSync(prediction) ? [{ prediction, item, labels: info.labels }] : [];
  });
  if (pairs.length === 0)
    throw new DataError(`postprocess: ${path} has no predictions of validation cases; they are written at the end of training`);
  return { store, outputs, pairs };
}

async function readPair({ prediction, item, labels }: Pair) {
  const [found, truth] = await Promise.all([readNiftiFile(prediction), readCaseLabel(item, labels)]);
  return { prediction: wholeLabels(found), truth: wholeLabels(truth) };
}
