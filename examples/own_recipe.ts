/** A recipe of a user's own: slices along the last axis, a plain 2-D U-Net, Dice and cross entropy. Imports the package as it is installed. */
import {
  MapDataset,
  NormalizeIntensity,
  onKeys,
  PatchDataset,
  RandFlip,
  RandSpatialCropSamples,
  Resize,
  SqueezeDim,
} from "voxgrad/data";
import { AdamW, cosineAnnealing, diceCELoss } from "voxgrad/nn";
import { BasicUNet, defineRecipe, integer, positive, preparedImage, preparedLabel, SliceSegmenter } from "voxgrad/seg";

const both = ["image", "label"];

export default defineRecipe<{ features: number; lr: number; size: number }>({
  name: "mine",
  version: 1,
  summary: "a plain U-Net on slices",
  module: import.meta.url,
  options: {
    features: integer(1, "channels of the first level", { standard: 4 }),
    lr: positive("learning rate", { standard: 0.01 }),
    size: integer(32, "height and width of a slice", { standard: 32 }),
  },
  suggest: () => ({ features: 4, lr: 0.01, size: 32, epochs: 3, batchSize: 4 }),
  prepare: (source, context) => ({
    image: new NormalizeIntensity().apply(preparedImage(source, context)),
    label: preparedLabel(source, context),
  }),
  samples: (cases, { config }) =>
    new PatchDataset(new MapDataset(cases, [onKeys(both, new RandFlip({ prob: 0.5, spatialAxis: 0 }))]), {
      patchFunc: onKeys(both, new RandSpatialCropSamples({ roiSize: [-1, -1, 1], numSamples: 8, randomSize: false })),
      samplesPerImage: 8,
      transform: [
        onKeys(both, new SqueezeDim({ dim: 3 })),
        onKeys(both, new Resize({ spatialSize: [config.size, config.size] }), { labels: ["label"] }),
      ],
    }),
  networks: (device, { config, channels, outputs }) => {
    const f = config.features;
    const features = [f, f, 2 * f, 4 * f, 8 * f, f];
    const [inChannels, outChannels] = [channels.length, outputs.channels];
    return { model: new BasicUNet(device, { spatialDims: 2, inChannels, outChannels, features }) };
  },
  // A channel for each class where there are several (softmax), else one for the only class.
  loss: (output, { label }, { outputs }) =>
    diceCELoss(output, label, outputs.kind === "softmax" ? { softmax: true, toOnehotY: true } : { sigmoid: true }),
  optimizer: (model, { config }) => new AdamW(model.parameters(), { lr: config.lr }),
  schedule: ({ config }) => cosineAnnealing({ tMax: config.epochs }),
  segmenter: (device, { model }, { config, outputs }) =>
    new SliceSegmenter(device, model!, { patchSize: [config.size, config.size], sliceAxis: 2, outputs }),
});
