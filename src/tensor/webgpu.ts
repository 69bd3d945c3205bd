/** @file WebGPU's types, see host/platform.ts. */

import type { Global } from "../host/platform.ts";

export type GPU = Global<"GPU">;
export type GPUAdapter = Global<"GPUAdapter">;
export type GPUAdapterInfo = Global<"GPUAdapterInfo">;
export type GPUBindGroupLayout = Global<"GPUBindGroupLayout">;
export type GPUBuffer = Global<"GPUBuffer">;
export type GPUComputePassEncoder = Global<"GPUComputePassEncoder">;
export type GPUComputePipeline = Global<"GPUComputePipeline">;
export type GPUDevice = Global<"GPUDevice">;
type GPUQuerySet = Global<"GPUQuerySet">;

export type GPUPowerPreference = "low-power" | "high-performance";

export interface GPUComputePassTimestampWrites {
  querySet: GPUQuerySet;
  beginningOfPassWriteIndex?: number;
  endOfPassWriteIndex?: number;
}
