/** @file ONNX: models from other tools as modules, and modules as ONNX files. */

export { exportOnnx, type ExportOptions } from "./export.ts";
export { inspectOnnx, type OnnxSummary, type OnnxTensorInfo, readOnnxWeights } from "./inspect.ts";
export type { HostValue } from "./host.ts";
export type { OnnxValueInfo } from "./model.ts";
export { importOnnx, OnnxModel, type OnnxOptions } from "./onnx_model.ts";
