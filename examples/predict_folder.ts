/** Label maps of every image in a folder, by a trained run: `node examples/predict_folder.ts RUN IMAGES OUT`. */
import { openDevice } from "voxgrad";
import { labelVolumes, openRun, readRunInfo, segmentCases, writePrediction } from "voxgrad/seg";
import { casesOfPaths, expectFreeOutputs, folderStore, readFiles, recipeByName } from "voxgrad/seg/node";

const [run = "runs/3d", images = "data/imagesTs", out = "predicted"] = process.argv.slice(2);
const device = await openDevice();
const source = folderStore(run);
const { recipe, channels, labels } = await readRunInfo(source);
const opened = await openRun(device, source, recipeByName(recipe.name));

// Files <id>_0000.nii.gz, <id>_0001.nii.gz … are the channels of one case; every format of voxgrad/data is read.
const cases = casesOfPaths([images], channels.length);
const store = folderStore(out);
expectFreeOutputs(cases, (id) => `${out}/${id}.nii.gz`, false); // nothing is replaced unasked
for await (const segmented of segmentCases(opened, cases, readFiles(labels))) {
  await writePrediction(store, `${segmented.id}.nii.gz`, segmented); // in the geometry of its image
  const volumes = labelVolumes(segmented.id, segmented.labels, segmented.source.image.spacing, labels);
  console.log(segmented.id, volumes.map((v) => `${v.name} ${v.milliliters.toFixed(2)} ml`).join(", "));
}
opened.dispose();
device.close();
