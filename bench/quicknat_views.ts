/**
 * @file Mean Dice of a trained QuickNAT run on its validation cases, each view by itself and all together:
 * `node scripts/setup.mjs -- node --conditions=voxgrad-source bench/quicknat_views.ts RUN [CASES]`.
 */

import { resolve } from "node:path";
import { openDevice } from "../src/index.ts";
import { nanMean } from "../src/host/stats.ts";
import { diceOfLabels, openRun, quicknatRecipe } from "../src/seg/index.ts";
import { FolderData, folderStore } from "../src/seg/index.node.ts";
import { readyCase } from "../src/seg/recipes/prepared.ts";

const [folder, most = "Infinity"] = process.argv.slice(2);
const device = await openDevice();
const run = await openRun(device, folderStore(resolve(folder)), quicknatRecipe);
const { context, networks } = run;
const { data, fold } = context.config;
const { val, read } = await (await FolderData.open(data)).fold(fold);
const rows = [...Object.entries(networks).map((entry) => Object.fromEntries([entry])), networks].map((part) => ({
  name: Object.keys(part).join(" + "),
  segmenter: quicknatRecipe.segmenter(device, part, context as never),
  scores: [] as number[][],
}));
for (const item of val.slice(0, Number(most))) {
  const { source, prepared } = await readyCase(run.recipe, context, read, item);
  for (const { segmenter, scores } of rows)
    scores.push(diceOfLabels(await segmenter.run(prepared.image), source.label!, context.outputs.foreground));
}
for (const { name, scores, segmenter } of rows) {
  const mean = context.outputs.foreground.map((_, c) => nanMean(scores.map((s) => s[c])));
  console.log(name.padEnd(18), mean.map((d) => d.toFixed(4)).join(" / "), " mean", nanMean(mean).toFixed(4));
  segmenter.dispose();
}
run.dispose();
device.close();
