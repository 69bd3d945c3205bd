/** @file `voxgrad report`: the page of a run anew, from the label maps that it holds. */

import { join, resolve } from "node:path";
import { ConfigError } from "../../../host/errors.ts";
import { caseMetricsNamed } from "../../metrics/case_metrics.ts";
import { contextOf, files, readConfig, readEpochs, readRunInfo } from "../../run/files.ts";
import { FolderData } from "../../run/folder_data.node.ts";
import { folderStore } from "../../run/folder_store.node.ts";
import { speedLine, speedOf } from "../../run/pace.ts";
import { expectSameData } from "../../run/same_data.ts";
import { evaluationLines, reportOnPredictions } from "../../run/report.ts";
import { ProgressLine } from "../../training/progress.ts";
import { type Command, flag, helpLines, parse, recipeOfRun, say, text } from "../command_line.node.ts";
import { expectFree, writeOutput } from "../outputs.node.ts";

const usage = "RUN [--data DIR] [--metrics dice,hd95,…] [--out FILE.html]";

const help = `voxgrad report ${usage}

Scores the label maps of the validation cases that a run holds and writes its page: ${files.report} in the run's folder, which training writes at its end.
The page stands alone: no script, and nothing is fetched. It needs no GPU.

${helpLines([
  ["data DIR", "the dataset, if it is no longer where the run was trained"],
  ["metrics A,B", "scores by name; default dice,iou,sensitivity,precision,hd95,assd"],
  ["out FILE.html", "another file"],
  ["overwrite", "replace that file if it is there"],
  ["recipe PATH", "module of the run's recipe, if it is no longer where it was"],
])}`;

const flags = { data: text, metrics: text, out: text, overwrite: flag, recipe: text };

export const reportCommand: Command = {
  name: "report",
  usage: [[usage, "the page of a run anew"]],
  help: async () => help,
  async run(args) {
    const { values, positionals } = parse(args, flags, true);
    if (positionals.length !== 1)
      throw new ConfigError(`report needs the folder of one run, got ${positionals.length}; see voxgrad report --help`);
    const folder = resolve(positionals[0]);
    const out = values.out === undefined ? join(folder, files.report) : resolve(values.out);
    if (!/\.html?$/i.test(out)) throw new ConfigError(`--out writes an HTML page, FILE.html, got ${values.out}`);
    expectFree({ outputs: [out], overwrite: values.overwrite === true || values.out === undefined });
    const metrics = values.metrics === undefined ? undefined : caseMetricsNamed(values.metrics.split(",").map((m) => m.trim()));
    const store = folderStore(folder);
    const info = await readRunInfo(store);
    const recipe = await recipeOfRun(info, values.recipe);
    const config = await readConfig(store, recipe);
    const epochs = await readEpochs(store);
    const data = await (await FolderData.openFor(values.data ?? config.data, recipe, config)).fold(config.fold);
    expectSameData(recipe, { config, info }, data);
    const { val, read } = data;
    const line = new ProgressLine(process.stderr);
    const started = performance.now();
    const onProgress = (done: number, total: number) =>
      line.update({ label: "scoring", done, total, seconds: (performance.now() - started) / 1000 });
    const run = { recipe, context: contextOf(recipe, config, info) };
    const options = { onProgress, ...(metrics && { metrics }) };
    const found = await reportOnPredictions(store, run, epochs, val, read, options).finally(() => line.finish());
    await writeOutput(out, found.page);
    for (const { id, reason } of found.failed) say(`${id}: no score: ${reason}`);
    for (const row of evaluationLines(found.evaluation)) say(row);
    const speed = speedOf(epochs);
    if (speed) say(speedLine(speed));
    say(`report ${out}`);
    return found.failed.length > 0 ? 1 : 0;
  },
};
