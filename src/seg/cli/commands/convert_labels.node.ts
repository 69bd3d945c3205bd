/** @file `voxgrad convert-labels`: label maps from DICOM segmentations and RT structure sets, and as such. */

import { extname } from "node:path";
import { structureClasses } from "../../../data/formats/dicom/paint.ts";
import { labelObjects, readLabels } from "../../../data/formats/dicom/label_objects.ts";
import { seriesNamed } from "../../../data/formats/dicom/series.ts";
import { fileAt, imageFilesAt } from "../../../data/formats/files.node.ts";
import type { ReadImageOptions } from "../../../data/formats/format.ts";
import { readImageFile } from "../../../data/formats/images.node.ts";
import { writeImage } from "../../../data/formats/read_image.ts";
import { wholeLabels } from "../../../data/folders/join_case.ts";
import type { LabelClass } from "../../../data/labels.ts";
import type { Volume } from "../../../data/volume.ts";
import { ConfigError, DataError } from "../../../host/errors.ts";
import { counted } from "../../../host/text.ts";
import { expectWord } from "../../../host/words.ts";
import { type Command, flag, helpLines, parse, say, text } from "../command_line.node.ts";
import { imageChoice, imageChoices } from "../image_choice.node.ts";
import { expectFree, writeOutput, writeOutputs } from "../outputs.node.ts";

const usage = "IN OUT [--like IMAGE] [--structures NAMES | --names NAMES] [--as KIND]";

const help = `voxgrad convert-labels ${usage}

From a DICOM segmentation or RT structure set: a label map in the format of OUT's ending, on the voxels of the image. From a label map to OUT.dcm: the
DICOM object, a new series of the study of the DICOM image that was segmented. \`voxgrad info\` lists the structures of a file.

${helpLines([
  ["like IMAGE", "the image that was segmented or drawn on; to write DICOM, its DICOM file or folder"],
  [
    "structures A,B",
    "from DICOM: these structures, of which the first has the value 1; default all; of A|a|B the first that the file has",
  ],
  ["missing HOW", "from DICOM: a structure that the file does not have: error (default), or empty, which leaves its value out"],
  ["overlap HOW", "from DICOM: voxels of two structures: error (default), onehot (a channel each), last (the later in the list)"],
  ["names A,B", "to DICOM: names of the values 1, 2 …; default label 1, label 2 …"],
  ["as KIND", "to DICOM: seg (default), a segmentation, or rtstruct, an RT structure set"],
  ["description TEXT", "to DICOM: of the new series; default Segmentation"],
  ["series ID", "of several series in IMAGE: its UID, the beginning of it, or its description; --stack N of several stacks"],
  ["overwrite", "replace OUT"],
])}`;

const flags = {
  like: text,
  structures: text,
  missing: text,
  overlap: text,
  names: text,
  as: text,
  description: text,
  series: imageChoices.series,
  stack: imageChoices.stack,
  overwrite: flag,
};
const [reading, writing] = [["structures", "missing", "overlap"] as const, ["names", "as", "description"] as const];

const list = (names: string): string[] => names.split(",").map((name) => name.trim());

/** The names that a structure may have. */
const alternatives = (names: string): string[] => names.split("|").map((name) => name.trim());

interface Paths {
  readonly from: string;
  readonly to: string;
  readonly like?: string | undefined;
}

export const convertLabelsCommand: Command = {
  name: "convert-labels",
  usage: [[usage, "label maps from DICOM segmentations and RT structure sets, and as such"]],
  help: async () => help,
  async run(args) {
    const { values, positionals } = parse(args, flags, true);
    if (positionals.length !== 2) throw new ConfigError("convert-labels needs two paths: voxgrad convert-labels IN OUT");
    const [from, to] = positionals;
    const { like, series, stack, overwrite, ...rest } = values;
    const choice = imageChoice({ series, stack });
    const toDicom = extname(to).toLowerCase() === ".dcm";
    if (/\.dcm\.gz$/i.test(to)) throw new ConfigError(`${to}: DICOM objects are not packed; let OUT end in .dcm`);
    const wrong = (toDicom ? reading : writing).find((name) => rest[name] !== undefined);
    if (wrong !== undefined)
      throw new ConfigError(`--${wrong} is for label maps ${toDicom ? "from" : "to"} DICOM, and OUT is ${to}`);
    expectFree({ outputs: [to], overwrite, input: from });
    if (toDicom) await toObject({ from, to, like }, choice, rest);
    else await fromObject({ from, to, like }, choice, rest);
    return 0;
  },
};

async function fromObject(
  { from, to, like }: Paths,
  choice: ReadImageOptions,
  { structures, missing = "error", overlap = "error" }: { structures?: string; missing?: string; overlap?: string },
): Promise<void> {
  expectWord("convert-labels", "--overlap", overlap, ["error", "onehot", "last"]);
  expectWord("convert-labels", "--missing", missing, ["error", "empty"]);
  const { labels, classes } = await readLabels(await fileAt(from), {
    overlap: overlap as "error",
    missing: missing as "error",
    ...(like !== undefined && { like: await readImageFile(like, choice) }),
    ...(structures !== undefined && { structures: list(structures).map(alternatives) }),
  });
  await writeOutputs((await writeImage(to, labels)).toReversed());
  for (const note of labels.meta.notes ?? []) say(`odd: ${note}`);
  say(`${to}: ${labels.shape.slice(1).join(" × ")} voxels, ${counted(classes.length - 1, "structure")}`);
  for (const [i, { name, values }] of classes.slice(1).entries())
    say(`  ${overlap === "onehot" ? `channel ${i}` : values[0]}  ${name}`);
}

async function toObject(
  { from, to, like }: Paths,
  choice: ReadImageOptions,
  { names, as = "seg", description }: { names?: string; as?: string; description?: string },
): Promise<void> {
  expectWord("convert-labels", "--as", as, labelObjects);
  if (like === undefined)
    throw new ConfigError("a DICOM object belongs to an image: give the DICOM file or folder that was segmented as --like");
  const labels = wholeLabels(await readImageFile(from));
  const files = await imageFilesAt(like, choice);
  const classes = names === undefined ? numbered(from, labels) : named(list(names));
  const object = labelObjects[as as keyof typeof labelObjects];
  const series = await seriesNamed(files, choice);
  const bytes = await object.write(labels, { like: files, classes, series, ...(description !== undefined && { description }) });
  await writeOutput(to, bytes);
  for (const { name, values } of absent(labels, classes))
    say(`odd: no voxel is "${name}" (${values.join(", ")}), which is written empty`);
  say(
    `${to}: ${object.title}, ${classes
      .slice(1)
      .map((c) => c.name)
      .join(", ")}`,
  );
}

function named(names: readonly string[]): LabelClass[] {
  if (names.includes("")) throw new ConfigError(`--names ${names.join(",")}: a name is empty`);
  return structureClasses(names.map((label, i) => ({ number: i + 1, label })));
}

/** The classes that no voxel is of, beside the background. */
function absent({ data, shape }: Volume, classes: readonly LabelClass[]): LabelClass[] {
  const voxels = data.length / shape[0];
  const seen = new Set<number>();
  // Of masks the channels with voxels.
  for (let i = 0; i < data.length; i++) if (data[i] !== 0) seen.add(shape[0] > 1 ? Math.floor(i / voxels) + 1 : data[i]);
  return classes.slice(1).filter(({ values }) => !values.some((v) => seen.has(v)));
}

/** More values than this are an image's. */
const mostValues = 65535;

/** A class for each value, or for each channel of masks. @throws DataError for what are no labels */
function numbered(name: string, { data, shape }: { data: ArrayLike<number>; shape: readonly number[] }): LabelClass[] {
  const seen = new Set<number>();
  if (shape[0] > 1) for (let c = 1; c <= shape[0]; c++) seen.add(c);
  else
    for (let i = 0; i < data.length; i++) {
      if (!Number.isInteger(data[i])) throw new DataError(`${name}: voxel ${i} is ${data[i]}; labels are whole numbers`);
      seen.add(data[i]);
      if (seen.size > mostValues + 1)
        throw new DataError(`${name} has more than ${mostValues} values: it is an image, not labels`);
    }
  const values = [...seen].filter((v) => v !== 0).sort((a, b) => a - b);
  return structureClasses(values.map((number) => ({ number, label: `label ${number}` })));
}
