/** @file `voxgrad evaluate`: Dice of a folder of label maps against the labels of a dataset. */

import { existsSync } from "node:fs";
import { join, resolve } from "node:path";
import { readNiftiFile } from "../../../data/formats/nifti/nifti.node.ts";
import { ConfigError, DataError, ShapeError } from "../../../host/errors.ts";
import { outputCoding, outputKindOf } from "../../post/output_coding.ts";
import { readConfig, readRunInfo } from "../../run/files.ts";
import { FolderData } from "../../run/folder_data.node.ts";
import { folderStore } from "../../run/folder_store.node.ts";
import { evaluate, evaluationLines } from "../../run/report.ts";
import { type Command, parse, recipeOfRun, say, text } from "../command_line.node.ts";

/** Predictions `<id>.nii.gz` with their truths, one pair at a time. Throws `ShapeError` if a prediction does not lie on its label's grid. */
async function* pairsIn(predictions: string, { index }: FolderData) {
  let found = false;
  for (const { id, label } of index.training) {
    const path = [".nii.gz", ".nii"].map((e) => join(predictions, id + e)).find(existsSync);
    if (!path || !label) continue;
    found = true;
    const [prediction, truth] = await Promise.all([readNiftiFile(path), readNiftiFile(label)]);
    if (prediction.shape.join() !== truth.shape.join()) {
      throw new ShapeError(`evaluate: ${path} has the size [${prediction.shape.slice(1)}], its label [${truth.shape.slice(1)}]`);
    }
    yield { id, prediction, truth };
  }
  if (!found) throw new DataError(`evaluate: ${predictions} has no <id>.nii.gz of a labelled case of the dataset ${index.name}`);
}

export const evaluateCommand: Command = {
  name: "evaluate",
  usage: [["(--run DIR | --pred DIR --data DIR)", "Dice of each case and class"]],
  async run(args) {
    const { values } = parse(args, { run: text, recipe: text, pred: text, data: text });
    const predictions = values.pred ?? (values.run && join(values.run, "predictions"));
    const folder = values.data ?? (values.run && (await dataOfRun(values.run, values.recipe)));
    if (!predictions || !folder) throw new ConfigError("evaluate needs --run DIR, or --pred DIR with --data DIR");
    const data = await FolderData.open(folder);
    const { labels } = data.index;
    const evaluation = await evaluate(pairsIn(resolve(predictions), data), outputCoding(outputKindOf(labels), labels));
    for (const line of evaluationLines(evaluation)) say(line);
    return 0;
  },
};

async function dataOfRun(run: string, recipe: string | undefined): Promise<string> {
  const store = folderStore(resolve(run));
  return (await readConfig(store, await recipeOfRun(await readRunInfo(store), recipe))).data;
}
