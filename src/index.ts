/** @file The engine: device, tensors, operations with gradients, capture. Layers are in `voxgrad/nn`, networks in `voxgrad/seg`. */

export {
  capture,
  type Captured,
  type CapturedPlan,
  type CaptureInput,
  type CaptureOptions,
  type CaptureResult,
} from "./tensor/capture.ts";
export type { AdapterOptions } from "./tensor/adapter.ts";
export { type Device, type DeviceOptions, openDevice } from "./tensor/device.ts";
export type { MemoryUse } from "./tensor/buffers.ts";
export * from "./host/errors.ts";
export { type DType, type HostArray, sizeOf, type TypedArray } from "./host/array.ts";
export type { MemoryReport } from "./tensor/memory_report.ts";
export type { StepMemory } from "./tensor/plan.ts";
export { type KernelTime, profile } from "./tensor/profile.ts";
export type { Shape, Spatial } from "./host/shape.ts";
export { keep, scope, type ScopeResult } from "./tensor/scope.ts";
export type { Tensor } from "./tensor/tensor.ts";
export type { MT19937State } from "./host/random/mt19937.ts";
export { TorchGenerator, type TorchGeneratorState } from "./host/random/torch.ts";
export * from "./autograd/affine_grid.ts";
export { cast } from "./autograd/cast.ts";
export { checkpoint } from "./autograd/recompute.ts";
export {
  conv,
  type ConvBaseOptions,
  type ConvOptions,
  convTranspose,
  type ConvTransposeOptions,
  type Padding,
} from "./autograd/conv.ts";
export { cumsum } from "./autograd/cumsum.ts";
export * from "./autograd/define_op.ts";
export { dropout } from "./autograd/dropout.ts";
export * from "./autograd/grid_sample.ts";
export * from "./autograd/indexing.ts";
export * from "./autograd/interpolate.ts";
export * from "./autograd/matmul.ts";
export * from "./autograd/norm.ts";
export * from "./autograd/pad.ts";
export * from "./autograd/pixel_shuffle.ts";
export * from "./autograd/pointwise.ts";
export * from "./autograd/pool.ts";
export { float32, type Precision, withPrecision } from "./autograd/precision.ts";
export * from "./autograd/prelu.ts";
export * from "./autograd/reduce.ts";
export * from "./autograd/region.ts";
export * from "./autograd/repeat.ts";
export * from "./autograd/softmax.ts";
export { grad, noGrad, parameter } from "./autograd/tape.ts";
export * from "./autograd/triangle.ts";
export * from "./autograd/view.ts";
export { arange, eye, linspace, ones, zeros } from "./kernels/create.ts";
export { distanceField } from "./kernels/distance_field.ts";
export type { OneHotOptions } from "./kernels/indexing.ts";
export { distanceTransform, type DistanceTransformOptions } from "./kernels/distance_transform.ts";
export { type Choices, tune, type Tuned, type TuneOptions, useChoices } from "./kernels/tune.ts";
export { topShare } from "./kernels/top_share.ts";
export { adjustIntensity, lowResolution, splineField, warp, type WarpOptions } from "./kernels/augment.ts";
export { blur } from "./kernels/blur.ts";
export { full } from "./kernels/view.ts";
