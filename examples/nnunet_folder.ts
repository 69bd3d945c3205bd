/** A results folder of Python's nnU-Net v2, as it is: `node examples/nnunet_folder.ts nnUNetTrainer__nnUNetPlans__3d_fullres IMAGE OUT.nii.gz`. */
import { openDevice } from "voxgrad";
import { readImageFile, writeImageFile } from "voxgrad/data/node";
import { openNnunetFolder } from "voxgrad/seg/node";

const [folder = "results", image = "image.nii.gz", out = "labels.nii.gz"] = process.argv.slice(2);
const device = await openDevice();
// plans.json, dataset.json and the checkpoints of all folds; `{ folds: [0], checkpoint: "checkpoint_best.pth" }` chooses.
const model = await openNnunetFolder(device, folder);
console.log(model.configurationName, model.channels, "patches of", model.configuration.patch_size.join("×"));

// The image as it is stored: cropping, resampling, normalization and back are the model's.
const volume = await readImageFile(image);
const { labels } = await model.predict(volume, {
  mirroring: true, // as nnU-Net does; false is up to eight times faster
  onProgress: (done, total) => done === total && console.log(`${total} windows`),
});
await writeImageFile(out, labels); // in the geometry of the image
const found = new Map<number, number>();
for (const value of labels.data) found.set(value, (found.get(value) ?? 0) + 1);
const [x, y, z] = labels.spacing;
for (const [value, count] of [...found].sort(([a], [b]) => a - b))
  console.log(`label ${value}: ${count} voxels, ${((count * x * y * z) / 1000).toFixed(2)} ml`);
model.dispose();
device.close();
