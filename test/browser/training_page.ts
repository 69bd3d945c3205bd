/** @file What a page takes that trains a network. */

export { DataLoader, NormalizeIntensity, onKeys, RandCropByPosNegLabel, RandFlip, readNifti } from "../../src/data/index.ts";
export { openDevice } from "../../src/index.ts";
export { Adam, diceCELoss } from "../../src/nn/index.ts";
export { SlidingWindowInferer, Trainer, UNet } from "../../src/seg/index.ts";
