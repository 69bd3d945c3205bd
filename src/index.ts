/** @file The engine: device, tensors, operations with gradients, capture. Layers are in `voxgrad/nn`, networks in `voxgrad/seg`. */

export { type Captured, capture, type Input, type Plan, type Result } from "./tensor/capture.ts";
export { type Device, type DeviceOptions, openDevice } from "./tensor/device.ts";
export * from "./tensor/errors.ts";
export { type DType, type HostArray, sizeOf, type TypedArray } from "./tensor/host.ts";
export { type KernelTime, profile } from "./tensor/profile.ts";
export { keep, scope } from "./tensor/scope.ts";
export type { Tensor } from "./tensor/tensor.ts";
export { TorchGenerator } from "./tensor/random.ts";
export * from "./autograd/conv.ts";
export * from "./autograd/dropout.ts";
export * from "./autograd/norm.ts";
export * from "./autograd/pointwise.ts";
export * from "./autograd/prelu.ts";
export * from "./autograd/reduce.ts";
export * from "./autograd/region.ts";
export * from "./autograd/softmax.ts";
export { grad, noGrad, parameter } from "./autograd/tape.ts";
export * from "./autograd/view.ts";
export { argmax, oneHot } from "./kernels/indexing.ts";
export { full } from "./kernels/view.ts";
