/** @file `voxgrad info`: the adapter, what an image is and what is odd about it, or what a dataset, a run or another model is. */

import { existsSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { datasetIn } from "../../../data/folders/known_layouts.node.ts";
import { fileAt, filesAt, filesBelow } from "../../../data/formats/files.node.ts";
import { listSeries, seriesText } from "../../../data/formats/dicom/series.ts";
import { isStructureFile, labelNames } from "../../../data/formats/dicom/label_objects.ts";
import { listDicomStructures } from "../../../data/formats/dicom/structures.ts";
import { describeImage } from "../../../data/formats/describe.ts";
import { readImageFile } from "../../../data/formats/images.node.ts";
import type { ReadImageOptions } from "../../../data/formats/format.ts";
import { someAtATime } from "../../../data/formats/some_at_a_time.ts";
import type { LabelClass } from "../../../data/labels.ts";
import { ConfigError, FormatError, VoxgradError } from "../../../host/errors.ts";
import { counted, formatBytes, formatCount } from "../../../host/text.ts";
import type { Device } from "../../../tensor/device.ts";
import { modelKinds } from "../../models/by_kind.ts";
import type { ModelFiles } from "../../models/model.ts";
import { modelFiles } from "../../models/model_files.node.ts";
import { isFolder } from "../../../host/files.node.ts";
import { openModel } from "../../models/open.ts";
import { files, readRunInfo } from "../../run/files.ts";
import { FolderData } from "../../run/folder_data.node.ts";
import { folderStore } from "../../run/folder_store.node.ts";
import { type Command, helpLines, parse, say, shellWord } from "../command_line.node.ts";
import { withDevice } from "../device.node.ts";
import { choiceHelp, imageChoice, imageChoices } from "../image_choice.node.ts";

const sizes = ["maxBufferSize", "maxStorageBufferBindingSize", "maxComputeWorkgroupStorageSize"] as const;
const counts = [
  "maxComputeInvocationsPerWorkgroup",
  "maxComputeWorkgroupsPerDimension",
  "maxStorageBuffersPerShaderStage",
] as const;

/** Lists the structures of an RT structure set. Gives whether it is one. @throws FormatError for a damaged one */
async function sayStructures(path: string): Promise<boolean> {
  const file = await fileAt(path);
  if (!(await isStructureFile(file).catch(() => false))) return false;
  const found = await listDicomStructures(file);
  say(path);
  say(
    `  ${"structures".padEnd(12)} RT structure set of ${counted(found.length, "structure")}: voxgrad convert-labels makes a label map`,
  );
  for (const { number, name, type, contours, open } of found) {
    const lines = [
      counted(contours.length, "contour"),
      ...(open > 0 ? [`${counted(open, "line")} or points that enclose nothing`] : []),
    ];
    say(`  ${String(number).padEnd(12)} ${name}${type && ` (${type})`}: ${lines.join(", ")}`);
  }
  return true;
}

/** Lists the DICOM objects with labels below a folder, or what such a file has. */
async function sayLabels(path: string): Promise<void> {
  const all = isFolder(path) ? await filesBelow(path) : [await fileAt(path)];
  const found = await someAtATime(all, async (file) => ({ name: file.name, labels: await labelNames(file) }));
  for (const { name, labels } of found.filter(({ labels }) => labels))
    say(`  ${"structures".padEnd(12)} ${labels!.title}${isFolder(path) ? ` ${name}` : ""}: ${labels!.names.join(", ")}`);
}

async function sayImage(path: string, choice: ReadImageOptions): Promise<void> {
  let volume;
  try {
    volume = await readImageFile(path, choice);
  } catch (error) {
    if (error instanceof FormatError && existsSync(path) && /\.(safetensors|pth?|ckpt)$/i.test(path))
      throw new FormatError(
        `${path} is a file of weights, by its name, and no image: voxgrad inspect ${shellWord(path)} lists its tensors`,
        {
          cause: error,
        },
      );
    if (error instanceof FormatError && existsSync(path) && !isFolder(path) && (await sayStructures(path))) return;
    const listed = error instanceof ConfigError && choice.series === undefined && choice.stack === undefined;
    if (!(listed && (await saySeries(path)))) throw error;
    return;
  }
  const { facts, odd } = describeImage(volume);
  say(path);
  for (const [name, value] of facts) say(`  ${name.padEnd(12)} ${value}`);
  for (const line of odd) say(`  ${"odd".padEnd(12)} ${line}`);
  if (volume.meta.format === "dicom") await sayLabels(path);
}

/** Lists the DICOM series in a folder, or the stacks of a file. Gives whether there are several. */
async function saySeries(path: string): Promise<boolean> {
  const found = await (isFolder(path) ? filesBelow(path) : filesAt(path)).then(listSeries).catch(() => []);
  if (found.length < 2) return false;
  say(path);
  say(`  ${"several".padEnd(12)} --series UID (its beginning will do) or --series DESCRIPTION takes one of these`);
  const folders = new Set(found.flatMap(({ files: names }) => names.map(dirname)));
  for (const one of found) {
    const { uid, stack, files: names, problems } = one;
    const among = found.filter((other) => other.uid === uid).length > 1 ? ` --stack ${stack}` : "";
    say(`  ${"series".padEnd(12)} ${seriesText(one)}${among}${folders.size > 1 ? `, in ${dirname(names[0])}` : ""}`);
    if (problems.length > 0)
      say(`  ${"odd".padEnd(12)} ${counted(problems.length, "file")} of it cannot be read: ${problems[0]}`);
  }
  await sayLabels(path);
  return true;
}

async function sayRun(path: string): Promise<void> {
  const { recipe, labels, channels, spacing, orientation } = await readRunInfo(folderStore(path));
  say(path);
  say(`  ${"run".padEnd(12)} recipe ${recipe.name}, version ${recipe.version}`);
  say(`  ${"channels".padEnd(12)} ${channels.join(", ")}`);
  say(`  ${"labels".padEnd(12)} ${labelsLine(labels)}`);
  say(`  ${"voxel".padEnd(12)} ${spacing.map((s) => s.toFixed(3)).join(" × ")} mm${orientation ? `, axes ${orientation}` : ""}`);
}

const labelsLine = (labels: readonly LabelClass[]): string => labels.map((l) => `${l.name} (${l.values.join(", ")})`).join(", ");

async function sayDataset(path: string): Promise<void> {
  const { index, madeFolds } = await FolderData.open(path);
  const { training, test, modality, labels, notes = [] } = index;
  const facts = [
    ["dataset", `${counted(training.length, "case")} to train on, ${formatCount(test.length)} to predict`],
    ["channels", modality.join(", ")],
    ["labels", labelsLine(labels)],
    ["folds", madeFolds ? "none: train makes five by patient, as nnU-Net does" : "of splits_final.json or dataset.json"],
    ...notes.map((note) => ["odd", note]),
  ];
  say(path);
  for (const [name, value] of facts) say(`  ${name.padEnd(12)} ${value}`);
}

/** The files of a model from elsewhere, such as a results folder of nnU-Net; undefined for a folder that is none. A graph may lie anywhere. */
function modelIn(path: string): ModelFiles | undefined {
  const found = modelFiles(path);
  return modelKinds.some((kind) => kind.name !== "onnx" && kind.matches(found.paths)) ? found : undefined;
}

/** A file that is a model by itself, as `predict --model` takes it. */
const isModelFile = (path: string): boolean => /(?:\.onnx|(?:^|[/\\])model\.json)$/i.test(path) && existsSync(path);

/** What a model is, opened as `predict` opens it, so that weights that do not fit are found. */
const sayModel = (path: string, found: ModelFiles): Promise<number> =>
  withDevice(
    async (device) => {
      const model = await openModel(device, found);
      say(path);
      say(`  ${"model".padEnd(12)} ${model.description}`);
      say(`  ${"channels".padEnd(12)} ${model.channels.join(", ")}`);
      say(`  ${"labels".padEnd(12)} ${labelsLine(model.labels)}`);
      model.dispose();
      return 0;
    },
    { tuned: false },
  );

async function sayFolder(path: string, choice: ReadImageOptions): Promise<void> {
  // A model first: the results folders of nnU-Net have the dataset.json of what they were trained on.
  const model = modelIn(path);
  if (model) await sayModel(path, model);
  else if (await datasetIn(resolve(path))) await sayDataset(path);
  else await sayImage(path, choice);
}

const usage = "[FILE|FOLDER…] [--series ID [--stack N]] [--array NAME]";

const help = `voxgrad info ${usage}

Without a path the adapter: its features and limits. Of an image, or a folder of slices, the geometry, the range of values, the structures of DICOM labels, and what is odd about it. Of a folder of several DICOM series the series. Of a dataset its cases, channels and labels; of a run of voxgrad and of models from elsewhere what they were trained for.

${helpLines(choiceHelp)}`;

export const infoCommand: Command = {
  name: "info",
  usage: [
    [
      usage,
      "adapter, limits and features; what an image is and what is odd about it, the series in a folder; a dataset; a run or another model",
    ],
  ],
  help: async () => help,
  async run(args) {
    const { values, positionals } = parse(args, imageChoices, true);
    const choice = imageChoice(values);
    let code = 0;
    for (const path of positionals) {
      try {
        if (existsSync(join(path, files.run))) await sayRun(path);
        else if (isFolder(path)) await sayFolder(path, choice);
        else if (isModelFile(path)) await sayModel(path, modelFiles(path));
        else await sayImage(path, choice);
      } catch (error) {
        // A bad one of several does not keep the others from being told of.
        if (positionals.length === 1 || !(error instanceof VoxgradError)) throw error;
        process.stderr.write(`${path}: ${error.name}: ${error.message}\n`);
        code = 1;
      }
    }
    if (positionals.length > 0) return code;
    const print = async ({ gpu: { limits, features } }: Device) => {
      say(`features: ${[...features].sort().join(", ") || "none"}`);
      for (const name of sizes) say(`${name}: ${formatBytes(limits[name])}`);
      for (const name of counts) say(`${name}: ${limits[name]}`);
      return 0;
    };
    return withDevice(print, { tuned: false });
  },
};
