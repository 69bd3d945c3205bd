/** @file `voxgrad predict`: label maps of a trained run, in the geometry of their sources. */

import { join, resolve } from "node:path";
import { ConfigError } from "../../../host/errors.ts";
import { ProgressLine } from "../../training/progress.ts";
import { readRunInfo, files } from "../../run/files.ts";
import { casesOfFiles, FolderData, readFiles } from "../../run/folder_data.node.ts";
import { folderStore } from "../../run/folder_store.node.ts";
import { openRun, segmentCases, writePrediction } from "../../run/segment.ts";
import { type Command, flag, parse, recipeOfRun, say, text } from "../command_line.node.ts";
import { withDevice } from "../device.node.ts";

export const predictCommand: Command = {
  name: "predict",
  usage: [["--run DIR (--data DIR [--fold N] | FILE…) [--out DIR]", "write label maps as NIfTI"]],
  async run(args) {
    const { values, positionals } = parse(
      args,
      { run: text, recipe: text, data: text, fold: text, out: text, "no-tune": flag },
      true,
    );
    if (values.run === undefined) throw new ConfigError("predict needs --run DIR, the folder of a trained run");
    if ((values.data === undefined) === (positionals.length === 0))
      throw new ConfigError("predict needs either --data DIR or image files");
    const store = folderStore(resolve(values.run));
    const info = await readRunInfo(store);
    const recipe = await recipeOfRun(info, values.recipe);
    const cases =
      values.data === undefined
        ? casesOfFiles(positionals)
        : (await (await FolderData.open(values.data)).fold(foldOf(values.fold))).val;
    const out = values.out === undefined ? undefined : folderStore(resolve(values.out));
    return withDevice(
      async (device) => {
        const run = await openRun(device, store, recipe);
        const line = new ProgressLine(process.stderr);
        const started = performance.now();
        let done = 0;
        try {
          for await (const segmented of segmentCases(run, cases, readFiles(info.labels))) {
            await writePrediction(out ?? store, out ? `${segmented.id}.nii.gz` : files.prediction(segmented.id), segmented);
            line.update({
              label: "segmenting",
              done: ++done,
              total: cases.length,
              seconds: (performance.now() - started) / 1000,
            });
          }
        } finally {
          line.finish();
          run.dispose();
        }
        say(`${done} label maps in ${out?.name ?? join(store.name, "predictions")}`);
        return 0;
      },
      { tuned: values["no-tune"] !== true },
    );
  },
};

/** Every case unless a fold is named. Throws `ConfigError`. */
function foldOf(value: string | undefined): number | "all" {
  if (value === undefined || value === "all") return "all";
  const fold = Number(value);
  if (Number.isSafeInteger(fold) && fold >= 0 && value.trim() !== "") return fold;
  throw new ConfigError(`--fold must be a fold number from 0 or "all", got "${value}"`);
}
