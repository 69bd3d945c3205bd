/** Organs of the abdomen: `node examples/chaos.ts CHAOS_Train_Sets RUN`, a folder of DICOM slices and label pictures as CHAOS has it. */
import { openDevice } from "voxgrad";
import { caseLines, chaos, configure, fit, openRun, report } from "voxgrad/seg";
import { FolderData, folderStore } from "voxgrad/seg/node";

const [folder = "CHAOS_Train_Sets", run = "runs/chaos", options = "{}"] = process.argv.slice(2);
const device = await openDevice();
const data = await (await FolderData.openFor(folder, chaos, JSON.parse(options))).fold(0);
const { config, info } = await configure(chaos, data, { data: folder, ...JSON.parse(options) });
const store = folderStore(run);
const { epochs } = await fit(chaos, { device, data, config, info, store });
const { comparison } = await report(store, await openRun(device, store, chaos), epochs, data.val, data.read);
for (const line of caseLines(comparison)) console.log(line);
process.exit();
