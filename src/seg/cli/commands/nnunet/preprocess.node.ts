/** @file `voxgrad nnunet preprocess`: cases prepared once for all folds and runs of a configuration, in a folder that training reads. */

import { resolve } from "node:path";
import { counted } from "../../../../host/text.ts";
import { expectFolder } from "../../../../host/files.node.ts";
import { ConfigError } from "../../../../host/errors.ts";
import { PreparedCases, preparedStore } from "../../../recipes/prepared.ts";
import nnunet from "../../../recipes/nnunet/recipe.ts";
import { nnunetOptions } from "../../../recipes/nnunet/options.ts";
import { configure } from "../../../run/data.ts";
import { contextOf } from "../../../run/files.ts";
import { FolderData } from "../../../run/folder_data.node.ts";
import { ProgressLine } from "../../../training/progress.ts";
import { type Command, helpLines, optionsIn, parse, say, text } from "../../command_line.node.ts";
import { interruptible } from "../../device.node.ts";

const usage = "--data DIR --prepared DIR [--plans FILE] [--configuration NAME] [--previous DIRS]";

const help = `voxgrad nnunet preprocess ${usage}

Prepares every labeled case as the plans say and keeps it in the folder. What is there already is left; a run that was stopped goes on. Train with
the same --plans and --prepared.

${helpLines([
  ["data DIR", "folder of a dataset"],
  ["prepared DIR", "where prepared cases are kept"],
  ["plans FILE", "of voxgrad nnunet plan or nnU-Net; without it, planned as it would"],
  ["configuration NAME", "2d, 3d_fullres, 3d_lowres or 3d_cascade_fullres; default as train has it"],
  ["previous DIRS", "of 3d_cascade_fullres: label maps of the first stage, as train has them"],
])}`;

/** Prepares all labeled cases. */
export const preprocessCommand: Command = {
  name: "preprocess",
  usage: [[usage, "prepare the cases of a dataset once"]],
  help: async () => help,
  async run(args) {
    const { plans, configuration, previous } = nnunetOptions;
    const { values } = parse(args, { data: text, prepared: text, plans: text, configuration: text, previous: text });
    if (values.data === undefined || values.prepared === undefined)
      throw new ConfigError("nnunet preprocess needs --data DIR and --prepared DIR");
    expectFolder(values.prepared);
    const asked = optionsIn({ plans, configuration, previous }, values);
    const data = await (await FolderData.openFor(values.data, nnunet, asked)).fold("all");
    const line = new ProgressLine(process.stderr);
    const { signal, done } = interruptible("stopping after this case");
    try {
      const progress = (label: string) => (count: number, total: number) => line.update({ label, done: count, total });
      const given = { ...asked, timeLimit: 0, fold: "all", data: resolve(values.data) };
      const { config, info } = await configure(nnunet, data, given, { onProgress: progress("checking cases") });
      const context = contextOf(nnunet, config, info);
      const folder = resolve(values.prepared);
      const disk = preparedStore(nnunet, context, data.prepared!(folder));
      const { training } = data.index;
      const cases = new PreparedCases(
        nnunet,
        { ...context, config: { ...config, allowEmpty: true } },
        training,
        data.read,
        0,
        disk,
      );
      for (let i = 0; i < training.length && !signal.aborted; i++) {
        progress("preparing")(i, training.length);
        await cases.get(i);
      }
      line.finish();
      if (signal.aborted) return 130;
      say(`${counted(training.length, "case")} for ${config.configuration} in ${folder}`);
      return 0;
    } finally {
      line.finish();
      done();
    }
  },
};
