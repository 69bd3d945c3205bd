/**
 * @file The recipe "nodules": small round things in large scans, found by a segmentation network. Crops around nodules, away from them and in the middle
 * of the lungs, an entry per nodule; V-Net with Dice loss; windows over whole scans, whose connected voxels are candidates. After the VNet recipes for
 * LUNA16.
 */

import { cropPlan } from "../../../data/nodules/crop_place.ts";
import { ballVolume, toMillimeters } from "../../../data/nodules/mask_nodules.ts";
import { MapDataset } from "../../../data/datasets/map_dataset.ts";
import { inMillimeters, voxelVolumeOf } from "../../../data/volume.ts";
import { type Item, onKeys, RandFlip } from "../../../data/transforms/index.ts";
import type { Tensor } from "../../../tensor/tensor.ts";
import { diceLoss } from "../../../nn/losses/dice.ts";
import { diceCELoss, diceFocalLoss } from "../../../nn/losses/compound.ts";
import { Adam } from "../../../nn/optim/adam.ts";
import { polynomialDecay } from "../../../nn/optim/rates.ts";
import { UNet } from "../../networks/unet.ts";
import { VNet } from "../../networks/vnet.ts";
import { defineRecipe, onlyNetwork } from "../recipe.ts";
import { NoduleCrops } from "./crops.ts";
import { checkNoduleOptions, type NoduleOptions, noduleOptions, suggestNoduleOptions } from "./options.ts";
import { preparedScan, regridded } from "./scans.ts";
import { NoduleSegmenter } from "./segmenter.ts";

const flips = [0, 1, 2].map((spatialAxis) => onKeys<Item>(["image", "label"], new RandFlip({ prob: 0.5, spatialAxis })));

/** In mm. Of the small nodules that are worth finding. */
const coreDiameter = 4;

function lossOf(output: Tensor, label: Tensor, { loss, batchDice }: NoduleOptions): Tensor {
  // A crop without a nodule has no overlap: with a voxel more on both sides of the fraction its loss falls as less is found there.
  const smooth = batchDice ? {} : { smoothNr: 1, smoothDr: 1 };
  const options = { sigmoid: true, batch: batchDice, ...smooth } as const;
  if (loss === "dice") return diceLoss(output, label, options);
  return loss === "diceCe" ? diceCELoss(output, label, options) : diceFocalLoss(output, label, options);
}

/** Nodules in chest scans: V-Net or UNet on crops, candidates with scores. */
export default defineRecipe<NoduleOptions>({
  name: "nodules",
  version: 1,
  summary: "nodules of chest scans: VNet or UNet on crops around them, candidates with scores, FROC",
  module: import.meta.url,
  options: noduleOptions,
  suggest: suggestNoduleOptions,
  check: checkNoduleOptions,
  outputs: () => "sigmoid",
  prepare: (source, { config }) => preparedScan(source, config),
  samples(cases, { config }) {
    const { patchSize, crops, leftTop, cropsPerNodule: perNodule, sizePower, seed, augment } = config;
    const plan = cropPlan({ size: patchSize, probabilities: crops, leftTopRatio: leftTop });
    const samples = new NoduleCrops(cases, plan, { perNodule, seed, sizePower });
    return augment === "none" ? samples : new MapDataset<Item>(samples, flips);
  },
  networks: (device, { config: { network, channels, numResUnits, norm } }) => ({
    [onlyNetwork]:
      network === "vnet"
        ? new VNet(device, { inChannels: 1, outChannels: 1 })
        : new UNet(device, {
            spatialDims: 3,
            inChannels: 1,
            outChannels: 1,
            channels,
            strides: channels.slice(1).map(() => 2),
            numResUnits,
            norm: norm === "batch" ? "BATCH" : "INSTANCE",
          }),
  }),
  loss: (output, { label }, { config }) => lossOf(output, label, config),
  optimizer: (model, { config }) => new Adam(model.parameters(), { lr: config.lr }),
  schedule: ({ config }) =>
    config.schedule === "poly" ? polynomialDecay({ totalIters: config.epochs, power: 0.9 }) : (_, base) => base,
  mirrored: ({ augment }) => augment === "mirror",
  segmenter: (device, networks, { config }) =>
    new NoduleSegmenter(device, networks[onlyNetwork], {
      roiSize: config.patchSize,
      overlap: config.overlap,
      swBatchSize: config.windowBatch,
      ...(config.tta && { mirrorAxes: [0, 1, 2] }),
      detectAt: config.detectAt,
      minDiameter: config.minDiameter / config.spacing,
      core: Math.max(1, Math.round(ballVolume(coreDiameter / config.spacing))),
    }),
  postprocess({ candidates = [], ...found }, { image }) {
    const size = image.shape.slice(1);
    const factor = size.map((n, a) => n / found.shape[a + 1]);
    const { affine } = inMillimeters(image);
    // Of few slices a whole number of voxels is not quite what `spacing` makes of them, and axes may be oblique.
    const edge = Math.cbrt(factor.reduce((product, f) => product * f, voxelVolumeOf(affine)));
    return {
      ...(factor.every((f) => f === 1) ? found : regridded(found, size)),
      candidates: candidates.map(({ center, diameter, score }) => ({
        // Borders keep their places, so middles of voxels do not.
        center: toMillimeters(
          affine,
          center.map((c, a) => (c + 0.5) * factor[a] - 0.5),
        ),
        diameter: diameter * edge,
        score,
      })),
    };
  },
  pictureAxis: () => 2,
});
