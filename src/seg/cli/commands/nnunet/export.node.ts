/** @file `voxgrad nnunet export`: runs as a results folder that Python's nnU-Net predicts with. */

import { existsSync } from "node:fs";
import { resolve } from "node:path";
import { ConfigError } from "../../../../host/errors.ts";
import { createFolder } from "../../../../host/files.node.ts";
import { filesOf } from "../../../nnunet/experiment.ts";
import { exportedLabels, type ExportedRun, exportRuns } from "../../../nnunet/export_run.ts";
import type { NnunetRecipeOptions } from "../../../recipes/nnunet/options.ts";
import nnunet from "../../../recipes/nnunet/recipe.ts";
import { mirrorAxesOf } from "../../../recipes/nnunet/samples.ts";
import { files, readConfig, readEpochs, readRunInfo } from "../../../run/files.ts";
import { folderStore } from "../../../run/folder_store.node.ts";
import { FolderData } from "../../../run/folder_data.node.ts";
import type { RunStore } from "../../../run/store.ts";
import { type Command, helpLines, parse, say, text } from "../../command_line.node.ts";

const usage = "RUN… --out DIR [--data DIR]";

const help = `voxgrad nnunet export ${usage}

Writes the runs of one configuration, a fold each, as a results folder of nnU-Net v2: plans.json, dataset.json, dataset_fingerprint.json,
fold_N/checkpoint_final.pth and checkpoint_best.pth. nnUNetv2_predict_from_modelfolder and voxgrad predict take it.

${helpLines([
  ["out DIR", "the results folder; must not be there"],
  ["data DIR", "the dataset, if it is no longer where the runs were trained"],
])}`;

/** Reads runs, writes one folder. */
export const exportCommand: Command = {
  name: "export",
  usage: [[usage, "runs as a results folder of nnU-Net v2"]],
  help: async () => help,
  async run(args) {
    const { values, positionals } = parse(args, { out: text, data: text }, true);
    if (positionals.length === 0 || values.out === undefined)
      throw new ConfigError("nnunet export needs the folders of runs and --out DIR");
    const out = resolve(values.out);
    if (existsSync(out)) throw new ConfigError(`${out} is there; choose another --out`);
    const runs: ExportedRun[] = [];
    for (const path of positionals) runs.push(await exportedRun(folderStore(resolve(path)), values.data));
    const made = exportRuns(runs);
    // A part of one would be taken for a model, and refused by the next call.
    await createFolder(
      out,
      [...made].map(([name, bytes]) => ({ name, bytes })),
    );
    const [{ labels }] = runs;
    const written = new Map(exportedLabels(labels).map(({ name, values }) => [name, values.join()]));
    for (const { name, values } of labels) {
      if (written.get(name) === values.join()) continue;
      say(
        `label "${name}" is ${values.join()} in the dataset and ${written.get(name)} in the folder, as nnU-Net numbers classes`,
      );
    }
    say(`results folder ${out}: ${runs[0].configuration}, folds ${runs.map((r) => r.fold).join(", ")}`);
    return 0;
  },
};

async function exportedRun(store: RunStore, dataFolder: string | undefined): Promise<ExportedRun> {
  const info = await readRunInfo(store);
  if (info.recipe.name !== nnunet.name)
    throw new ConfigError(`${store.name} is of recipe ${info.recipe.name}; only runs of ${nnunet.name} have nnU-Net's plans`);
  const config = await readConfig<NnunetRecipeOptions>(store, nnunet);
  const weights = await store.read(files.weights);
  if (!weights) throw new ConfigError(`${store.name} has no ${files.weights}: it is not finished; go on with train --resume`);
  const { index } = await FolderData.openFor(dataFolder ?? config.data, nnunet, config);
  return {
    plans: config.plans,
    configuration: config.configuration,
    trained: config.trained,
    fingerprint: config.fingerprint,
    fold: config.fold,
    labels: info.labels,
    channels: info.channels,
    files: filesOf(index),
    mirrorAxes: mirrorAxesOf(config),
    epochs: await readEpochs(store),
    weights,
    best: await store.read(files.best),
  };
}
