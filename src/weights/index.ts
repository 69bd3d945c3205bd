/** @file Weight files, without a device: bytes in, named arrays out. */

export type { ElementType, WeightTensor } from "./elements.ts";
export type { SkippedEntry, WeightsFile } from "./file.ts";
export { readWeights } from "./read.ts";
export { readSafetensors, type SafetensorsFile, type WritableTensor, writeSafetensors } from "./safetensors.ts";
export { readTfjs, type TfjsModel } from "./tfjs/file.ts";
export type { TfjsActivation, TfjsConvOptions, TfjsOperation } from "./tfjs/operation.ts";
export { type TfjsLayerGraph, tfjsGraph, type TfjsLayer, tfjsLayers, tfjsStateDict } from "./tfjs/layers.ts";
export { readTorch, type ReadTorchOptions } from "./torch/file.ts";
export { type TorchTensor, type TorchValue, writeTorch } from "./torch/write.ts";
