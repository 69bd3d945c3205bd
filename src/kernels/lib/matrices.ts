/** @file The matrix units of a device, which only Dawn's experimental feature shows: f16 products with f32 sums. */

import type { Device } from "../../tensor/device.ts";
import type { GPUAdapterInfo } from "../../tensor/webgpu.ts";

/** A shape that an adapter multiplies, `[M, K]` by `[K, N]`; not in the types of WebGPU yet. */
export interface MatrixConfig {
  readonly M: number;
  readonly N: number;
  readonly K: number;
  readonly componentType: string;
  readonly resultComponentType: string;
}

/** Sizes of the matrices, and lanes of the subgroup that multiplies them. */
export interface Matrices {
  readonly M: number;
  readonly N: number;
  readonly K: number;
  readonly S: number;
}

/** All shapes of f16 with f32 sums; none where the feature is not on. */
export function halfConfigs({ gpu, info }: Device): MatrixConfig[] {
  if (!gpu.features.has("chromium-experimental-subgroup-matrix" as GPUFeatureName)) return [];
  const { subgroupMatrixConfigs = [] } = info as GPUAdapterInfo & { readonly subgroupMatrixConfigs?: Iterable<MatrixConfig> };
  return [...subgroupMatrixConfigs].filter((c) => c.componentType === "f16" && c.resultComponentType === "f32");
}

const known = /* @__PURE__ */ new WeakMap<Device, Matrices | undefined>();

/**
 * What the kernels for matrix units multiply on a device: the largest shape that they can be cut for, by subgroups of 32 lanes or what comes nearest. A kernel has to know how many
 * lanes a subgroup has, so there are none where a shader cannot ask for it.
 */
export function matricesOf(device: Device): Matrices | undefined {
  if (!known.has(device)) known.set(device, found(device));
  return known.get(device);
}

function found(device: Device): Matrices | undefined {
  const { subgroupMinSize = 0, subgroupMaxSize = 0 } = device.info;
  const { features, limits } = device.gpu;
  if (!features.has("subgroup-size-control" as GPUFeatureName) || !features.has("shader-f16")) return undefined;
  const S = Math.min(subgroupMaxSize, Math.max(subgroupMinSize, 32));
  // A tile has up to eight subgroups, and its shared memory less than 32 KiB.
  if (limits.maxComputeInvocationsPerWorkgroup < 8 * S || limits.maxComputeWorkgroupStorageSize < 2 ** 15) return undefined;
  const usable = halfConfigs(device).filter(
    ({ M, N, K }) => [8, 16].includes(M) && [8, 16].includes(N) && N <= S && [8, 16, 32].includes(K),
  );
  const [largest] = usable.toSorted((a, b) => b.M * b.N * b.K - a.M * a.N * a.K);
  return largest && { M: largest.M, N: largest.N, K: largest.K, S };
}
