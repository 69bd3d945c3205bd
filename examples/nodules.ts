/** Nodules in chest scans: `node examples/nodules.ts SCANS RUN`, where SCANS is a folder of LUNA16 or one that `voxgrad prepare-luna` wrote. */
import { openDevice } from "voxgrad";
import { configure, detectionLines, fit, nodules, openRun, report } from "voxgrad/seg";
import { FolderData, folderStore } from "voxgrad/seg/node";

const [scans = "luna", run = "runs/nodules", options = "{}"] = process.argv.slice(2);
const device = await openDevice();
const data = await (await FolderData.open(scans)).fold(0);
const { config, info } = await configure(nodules, data, { data: scans, ...JSON.parse(options) });
const store = folderStore(run);
const { epochs } = await fit(nodules, { device, data, config, info, store });
const { evaluation } = await report(store, await openRun(device, store, nodules), epochs, data.val, data.read);
for (const line of detectionLines(evaluation.detection!)) console.log(line);
process.exit();
