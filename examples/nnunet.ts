/** nnU-Net on a folder in the layout of the Decathlon or nnU-Net: `node examples/nnunet.ts DATA RUN`, options such as `{"timeLimit":30}` behind. */
import { openDevice } from "voxgrad";
import { configure, fit, nnunetRecipe, openRun, report } from "voxgrad/seg";
import { FolderData, folderStore } from "voxgrad/seg/node";

const [folder = "data", run = "runs/nnunet", options = "{}"] = process.argv.slice(2);
const device = await openDevice();
const data = await (await FolderData.open(folder)).fold(0);

// Fingerprint, plans, and what this device can do: patch, network, batch and steps.
const given = { data: folder, ...JSON.parse(options) };
const { config, info } = await configure(nnunetRecipe, data, given, { device: async () => device, log: console.log });

const store = folderStore(run);
const { epochs } = await fit(nnunetRecipe, { device, data, config, info, store }); // { …, resume: true } goes on bit for bit
const { evaluation } = await report(store, await openRun(device, store, nnunetRecipe), epochs, data.val, data.read);
for (const [i, name] of evaluation.labels.entries()) console.log(name, evaluation.mean[i]?.toFixed(3));
device.close();
