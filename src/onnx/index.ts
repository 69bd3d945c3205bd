/** @file ONNX: models from other tools as modules, and modules as ONNX files. */

export { exportOnnx, type ExportOptions } from "./export/export.ts";
export type { OwnNode, OwnOpExport } from "./export/own_op.ts";
export type { AttributeValue } from "./native.ts";
export { inspectOnnx, type OnnxSummary, type OnnxTensorInfo, readOnnxFile, readOnnxWeights } from "./inspect.ts";
export type { HostValue } from "./values.ts";
export type { OnnxValueInfo } from "./model.ts";
export { importOnnx, OnnxModel, type OnnxOptions } from "./import/module.ts";
export { importTfjsGraph } from "./tfjs/import.ts";
