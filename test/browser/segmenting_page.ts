/** @file What a page takes that reads a scan, runs a network with its weights over it and writes the labels. */

export { readNifti, writeNifti } from "../../src/data/index.ts";
export { openDevice } from "../../src/index.ts";
export { outputCodingOf, UNet, WindowSegmenter } from "../../src/seg/index.ts";
export { readSafetensors } from "../../src/weights/index.ts";
