/** @file `voxgrad export-slices`: the volumes of a dataset as PNG slices of three views. */

import { join, resolve } from "node:path";
import { counted } from "../../../host/text.ts";
import { axisCodes } from "../../../data/axis_codes.ts";
import { expectNamesApart } from "../../../data/folders/case_names.ts";
import type { HostArray } from "../../../host/array.ts";
import { csvField } from "../../../host/csv.ts";
import { ConfigError } from "../../../host/errors.ts";
import { type OutputCoding, outputCodingOf } from "../../post/output_coding.ts";
import { type ExportSlicesOptions, sliceFiles } from "../../recipes/quicknat/export_slices.ts";
import { foldersOf } from "../../recipes/quicknat/views.ts";
import { quickNatOptions, type QuickNatRecipeOptions } from "../../recipes/quicknat/options.ts";
import quicknat from "../../recipes/quicknat/recipe.ts";
import { checkOptions } from "../../recipes/options.ts";
import { FolderData } from "../../run/folder_data.node.ts";
import { folderStore } from "../../run/folder_store.node.ts";
import type { RunConfig } from "../../recipes/recipe.ts";
import { ProgressLine } from "../../training/progress.ts";
import { calledBy, type Command, flag, flagsOf, helpLines, optionsIn, parse, say, text } from "../command_line.node.ts";
import { expectFree } from "../outputs.node.ts";
import { foldNamed } from "./predict.node.ts";

const usage = "--data DIR --out DIR [--views COR,AXI,SAG] [--structures FS|Neo] [--overwrite]";

const { views, structures, thin, skipSlices, maxBackground } = quickNatOptions;
// All slices unless fewer are asked for.
const table = {
  views: { ...views, standard: ["COR", "AXI", "SAG"] as const },
  structures,
  thin,
  skipSlices,
  maxBackground: { ...maxBackground, standard: 2 },
};

// The gray value of voxels that nobody has labeled.
const ignored = 255;

const help = `voxgrad export-slices ${usage}

Writes the slices of the labeled cases of a dataset as PNG files of 8 bits: <view>_images/<id>_<slice>.png, stretched from the volume's least value to its greatest, and <view>_labels/<id>_<slice>.png with the class as gray value (${ignored} where a dataset ignores voxels); classes.csv names the classes. Of several channels the first is written.

${helpLines([
  ["data DIR", "Decathlon or nnU-Net folder"],
  ["fold N", "only the training cases of a fold"],
  ["out DIR", "where the files go"],
  ["overwrite", "write over slices that are there"],
  ...Object.entries(table).map(([name, option]) => [calledBy(table)(name).slice(2), option.help] as const),
])}`;

/** Class indices, and voxels that nobody has labeled: they are no background. */
function grayOf(label: HostArray, coding: OutputCoding): HostArray {
  const target = coding.target(label);
  const mask = coding.ignored(label)?.data;
  return mask ? { ...target, data: target.data.map((v, i) => (mask[i] ? ignored : v)) } : target;
}

export const exportSlicesCommand: Command = {
  name: "export-slices",
  usage: [[usage, "the volumes of a dataset as PNG slices"]],
  help: async () => help,
  async run(args) {
    const { values } = parse(args, { data: text, out: text, fold: text, overwrite: flag, ...flagsOf(table) });
    if (values.data === undefined || values.out === undefined)
      throw new ConfigError("export-slices needs --data DIR, a dataset, and --out DIR");
    const asked = checkOptions<Pick<QuickNatRecipeOptions, keyof typeof table>>(
      table,
      optionsIn(table, values),
      "options",
      calledBy(table),
    );
    const data = await (await FolderData.open(values.data as string)).fold(foldNamed(values.fold as string | undefined) ?? "all");
    const labels = quicknat.labels!(asked as RunConfig<QuickNatRecipeOptions>, data.index.labels);
    const coding = outputCodingOf("softmax", labels);
    const out = folderStore(resolve(values.out as string));
    if (coding.ignore !== undefined && coding.foreground.length >= ignored)
      throw new ConfigError(`export-slices: the gray value ${ignored} of ignored voxels is that of a class`);
    expectNamesApart(
      "export-slices",
      data.train.map(({ id }) => id),
    );
    const folders = asked.views.flatMap(foldersOf);
    expectFree({
      outputs: ["classes.csv", ...folders].map((name) => join(out.name, name)),
      overwrite: values.overwrite === true,
    });
    const { structures: _, ...rest } = asked;
    const line = new ProgressLine(process.stderr);
    let files = 0;
    try {
      for (const [i, item] of data.train.entries()) {
        const { image, label } = await data.read(item);
        const options: ExportSlicesOptions = { ...rest, orientation: axisCodes(image.affine) };
        for await (const { path, bytes } of sliceFiles(item.id, image, label && grayOf(label, coding), options)) {
          await out.write(path, bytes);
          files++;
        }
        line.update({ label: "slicing", done: i + 1, total: data.train.length });
      }
    } finally {
      line.finish();
    }
    const rows = ["background", ...coding.foreground.map((l) => l.name)].map((name, i) => `${i},${csvField(name)}`);
    if (coding.ignore !== undefined) rows.push(`${ignored},ignore`);
    await out.write("classes.csv", `${["value,class", ...rows].join("\n")}\n`);
    const { modality } = data.index;
    if (modality.length > 1) say(`of the ${modality.length} channels the slices show the first, ${modality[0]}`);
    say(`${counted(files, "slice")} of ${counted(data.train.length, "case")} in ${out.name}`);
    return 0;
  },
};
