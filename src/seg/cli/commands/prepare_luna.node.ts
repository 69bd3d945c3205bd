/** @file `voxgrad prepare-luna`: LUNA16's scans and list of nodules as training data. */

import { counted } from "../../../host/text.ts";
import { readImageFile } from "../../../data/formats/images.node.ts";
import { prepareLuna } from "../../../data/nodules/luna.node.ts";
import { ConfigError } from "../../../host/errors.ts";
import { type Command, parse, say, text } from "../command_line.node.ts";

export const prepareLunaCommand: Command = {
  name: "prepare-luna",
  usage: [
    ["SCANS ANNOTATIONS.csv OUT [--spacing MM] [--window LOW,HIGH]", "LUNA16's scans as volumes, masks and boxes of nodules"],
  ],
  async run(args) {
    const { positionals, values } = parse(args, { spacing: text, window: text }, true);
    if (positionals.length !== 3)
      throw new ConfigError(
        "prepare-luna takes the folder of scans, annotations.csv and the folder to write: see `voxgrad prepare-luna --help`",
      );
    const [scans, annotations, out] = positionals;
    const window = values.window?.split(",").map(Number);
    if (window && (window.length !== 2 || !window.every(Number.isFinite)))
      throw new ConfigError(`--window is "${values.window}"; expected two Hounsfield values, such as -1200,600`);
    const index = await prepareLuna(scans, annotations, out, {
      readVolume: readImageFile,
      ...(values.spacing !== undefined && { spacing: Number(values.spacing) }),
      ...(window && { window: [window[0], window[1]] as const }),
      onScan: (id, done, total) => say(`${done}/${total} ${id}`),
    });
    const nodules = index.scans.reduce((n, scan) => n + scan.nodules.length, 0);
    say(`${counted(index.scans.length, "scan")} with ${counted(nodules, "nodule")} in ${out}`);
    return 0;
  },
};
