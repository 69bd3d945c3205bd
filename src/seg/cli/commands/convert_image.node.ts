/** @file `voxgrad convert-image`: an image as another format, with its geometry. */

import { existsSync, realpathSync } from "node:fs";
import { counted } from "../../../host/text.ts";
import { describeImage } from "../../../data/formats/describe.ts";
import { readImageFile } from "../../../data/formats/images.node.ts";
import { writeImage, writerOf } from "../../../data/formats/read_image.ts";
import { ConfigError } from "../../../host/errors.ts";
import { writeFileAtomic } from "../../../host/files.node.ts";
import { type Command, flag, parse, say, text } from "../command_line.node.ts";

export const convertImageCommand: Command = {
  name: "convert-image",
  usage: [
    [
      "IN OUT [--dtype TYPE] [--series ID] [--array NAME] [--overwrite]",
      "an image, or a folder of slices, as the format of OUT's ending",
    ],
  ],
  async run(args) {
    const options = { dtype: text, series: text, array: text, overwrite: flag };
    const { values, positionals } = parse(args, options, true);
    if (positionals.length !== 2) throw new ConfigError("convert-image needs two paths: voxgrad convert-image IN OUT");
    const [from, to] = positionals;
    const { dtype, series, array } = values;
    const expectFree = (name: string): void => {
      if (!existsSync(name)) return;
      if (existsSync(from) && realpathSync(name) === realpathSync(from))
        throw new ConfigError(`${name} is the input; choose another name`);
      if (values.overwrite !== true) throw new ConfigError(`${name} exists; choose another name, or replace it with --overwrite`);
    };
    expectFree(to);
    const volume = await readImageFile(from, { ...(series !== undefined && { series }), ...(array !== undefined && { array }) });
    const written = await writeImage(to, volume, dtype === undefined ? {} : { dtype });
    for (const { name } of written) expectFree(name);
    for (const { name, bytes } of written.toReversed()) await writeFileAtomic(name, bytes);
    const { placeless, title } = writerOf(to);
    if (placeless) say(`odd: ${title} has no orientation, so the place of the image is lost in ${to}`);
    for (const line of describeImage(volume).odd) say(`odd: ${line}`);
    say(
      `${to}: ${volume.shape.slice(1).join(" × ")} voxels, ${counted(volume.shape[0], "channel")}, ${dtype ?? volume.meta.dtype}`,
    );
    return 0;
  },
};
