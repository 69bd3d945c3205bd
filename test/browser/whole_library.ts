/** @file All that a page can import, kept whole in a bundle. */

export * as data from "../../src/data/index.ts";
export * as core from "../../src/index.ts";
export * as nn from "../../src/nn/index.ts";
export * as seg from "../../src/seg/index.ts";
export * as onnx from "../../src/onnx/index.ts";
export * as weights from "../../src/weights/index.ts";
