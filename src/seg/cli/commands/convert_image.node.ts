/** @file `voxgrad convert-image`: an image as another format, with its geometry. */

import { formats } from "../../../data/formats/formats.ts";
import { elements, nativeOf } from "../../../host/elements.ts";
import { lossesOf } from "../../../data/formats/losses.ts";
import { counted } from "../../../host/text.ts";
import { describeImage } from "../../../data/formats/describe.ts";
import { readImageFile } from "../../../data/formats/images.node.ts";
import { canWrite, writeImage, writerOf } from "../../../data/formats/read_image.ts";
import { ConfigError } from "../../../host/errors.ts";
import { type Command, flag, helpLines, parse, say, text } from "../command_line.node.ts";
import { choiceHelp, imageChoice, imageChoices } from "../image_choice.node.ts";
import { expectFree, writeOutputs } from "../outputs.node.ts";

const endings = [...new Set(formats.flatMap((f) => f.endings))].filter((ending) => canWrite(`image${ending}`));
const types = Object.entries(elements).flatMap(([name, { native }]) => (native ? [name] : []));
const usage = "IN OUT [--dtype TYPE] [--series ID [--stack N]] [--array NAME] [--overwrite]";

const help = `voxgrad convert-image ${usage}

Writes an image, or a folder of DICOM or picture slices, in the format of OUT's ending, with its geometry. What the format cannot keep, and what is odd about the image, is told.

Reads ${formats.map((f) => f.title).join(", ")}; writes files that end in
${endings.join(" ")}

${helpLines([
  ["dtype TYPE", `of voxels in OUT, one of ${types.join(" ")} as far as the format has it; default the image's`],
  ...choiceHelp,
  ["overwrite", "replace OUT"],
])}`;

export const convertImageCommand: Command = {
  name: "convert-image",
  usage: [[usage, "an image, or a folder of slices, as the format of OUT's ending"]],
  help: async () => help,
  async run(args) {
    const options = { dtype: text, ...imageChoices, overwrite: flag };
    const { values, positionals } = parse(args, options, true);
    if (positionals.length !== 2) throw new ConfigError("convert-image needs two paths: voxgrad convert-image IN OUT");
    const [from, to] = positionals;
    const { dtype, overwrite, ...choice } = values;
    expectFree({ outputs: [to], overwrite, input: from });
    const volume = await readImageFile(from, imageChoice(choice));
    const written = await writeImage(to, volume, dtype === undefined ? {} : { dtype });
    expectFree({ outputs: written.map(({ name }) => name), overwrite, input: from });
    await writeOutputs(written.toReversed());
    for (const line of [...lossesOf(volume, writerOf(to)), ...describeImage(volume).odd]) say(`odd: ${line}`);
    say(
      `${to}: ${volume.shape.slice(1).join(" × ")} voxels, ${counted(volume.shape[0], "channel")}, ${dtype ?? nativeOf(volume.data)}`,
    );
    return 0;
  },
};
