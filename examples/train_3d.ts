/** 3-D patches of a folder in the layout of the Decathlon or nnU-Net: `node examples/train_3d.ts DATA RUN`, options such as `{"epochs":50}` behind. */
import { openDevice } from "voxgrad";
import { configure, fit, openRun, patches3d, report } from "voxgrad/seg";
import { FolderData, folderStore } from "voxgrad/seg/node";

const [folder = "data", run = "runs/3d", options = "{}"] = process.argv.slice(2);
const device = await openDevice();
const data = await (await FolderData.open(folder)).fold(0);

// Options that are not given follow from the data: patch size, channels, normalization; the network too may be another: "dynunet".
const { config, info } = await configure(patches3d, data, { data: folder, ...JSON.parse(options) });
console.log(`patches of ${config.patchSize.join("×")}, ${info.labels.length} classes`);

const store = folderStore(run);
const { epochs } = await fit(patches3d, {
  device,
  data,
  config,
  info,
  store, // { …, resume: true } goes on bit for bit after a crash
  onEvent(event) {
    if (event.kind === "epoch") console.log(`epoch ${event.metrics.epoch}: loss ${event.metrics.loss.toFixed(3)}`);
  },
});
const { evaluation } = await report(store, await openRun(device, store, patches3d), epochs, data.val, data.read);
for (const [i, name] of evaluation.labels.entries()) console.log(name, evaluation.mean[i]?.toFixed(3));
device.close();
