/** @file QuickNAT in three views, from a folder to label maps: `node examples/quicknat.ts DATA RUN`, options such as `{ filters: 8 }` behind as JSON. */

import { openDevice } from "voxgrad";
import { configure, fit, openRun, quicknatRecipe, report } from "voxgrad/seg";
import { FolderData, folderStore } from "voxgrad/seg/node";

const [folder = "data", run = "runs/quicknat", options = "{}"] = process.argv.slice(2);
const device = await openDevice();
const data = await (await FolderData.open(folder)).fold(0);
const store = folderStore(run);
const { config, info } = await configure(quicknatRecipe, data, { data: folder, ...JSON.parse(options) });
const { epochs } = await fit(quicknatRecipe, { device, data, store, config, info });
const { evaluation } = await report(store, await openRun(device, store, quicknatRecipe), epochs, data.val, data.read);
for (const [i, name] of evaluation.labels.entries()) console.log(name, evaluation.mean[i]?.toFixed(3));
device.close();
