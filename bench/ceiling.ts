/** @file What the adapter at hand can do at most: multiply-adds from registers, bytes through a plain copy. Shares of it say how good a kernel is. */

import { affine, type Device, profile } from "../src/index.ts";
import { code as grid } from "../src/kernels/shaders/lib/grid.gen.ts";
import { type Program, write } from "../src/tensor/kernel.ts";
import { text } from "./gpu/tree.ts";

export interface Ceiling {
  readonly gflops: number;
  /** Undefined without `shader-f16`. */
  readonly halfGflops: number | undefined;
  /** f16 subgroup matrices with f32 sums; undefined on an adapter without them. */
  readonly matrixGflops: number | undefined;
  readonly gbps: number;
}

/** A shape that the adapter multiplies; not in the types of WebGPU yet. */
export interface MatrixConfig {
  readonly M: number;
  readonly N: number;
  readonly K: number;
  readonly componentType: string;
  readonly resultComponentType: string;
}

const source = text("bench/ceiling.wgsl");
const matrixSource = text("bench/matrix_ceiling.wgsl");
const rounds = 1024;

async function seconds(device: Device, run: () => void): Promise<number> {
  if (device.gpu.features.has("timestamp-query")) {
    const kernels = await profile(device, run);
    return kernels.reduce((sum, k) => sum + k.milliseconds, 0) / 1000;
  }
  const start = performance.now();
  run();
  await device.settle();
  return (performance.now() - start) / 1000;
}

async function fastest(device: Device, run: () => void): Promise<number> {
  run();
  await device.settle();
  let best = Infinity;
  for (let i = 0; i < 7; i++) best = Math.min(best, await seconds(device, run));
  return best;
}

async function multiplyAdds(device: Device, half: boolean): Promise<number> {
  const prelude = half ? "enable f16;\nalias T = f16;\nalias V = vec4h;" : "alias T = f32;\nalias V = vec4f;";
  const program = { key: `ceiling ${half ? "f16" : "f32"}`, code: `${prelude}\n${grid}\n${source}` };
  const groups = device.software ? 256 : 8192;
  const y = device.empty([groups * 64]);
  const seconds = await fastest(device, () => device.run({ program, bindings: [write(y)], workgroups: [groups, 1, 1] }));
  y.dispose();
  return (groups * 64 * rounds * 8 * 4 * 2) / seconds / 1e9;
}

/** The kernel of one configuration; its key names it. */
export function matrixProgram({ M, N, K }: MatrixConfig, lanes: number): Program {
  const prelude = ["enable f16;", "enable subgroups;", "enable chromium_experimental_subgroup_matrix;"];
  const sizes = Object.entries({ M, N, K, WG: lanes }).map(([name, value]) => `const ${name} = ${value}u;`);
  return { key: `ceiling ${M}x${N}x${K}`, code: [...prelude, ...sizes, grid, matrixSource].join("\n") };
}

async function matrices(device: Device): Promise<number | undefined> {
  const { subgroupMatrixConfigs = [], subgroupMaxSize } = device.info as GPUAdapterInfo & {
    readonly subgroupMatrixConfigs?: Iterable<MatrixConfig>;
  };
  const half = [...subgroupMatrixConfigs].filter((c) => c.componentType === "f16" && c.resultComponentType === "f32");
  const enabled = device.gpu.features.has("chromium-experimental-subgroup-matrix" as GPUFeatureName);
  if (!enabled || half.length === 0) return undefined;
  const lanes = subgroupMaxSize;
  let best = 0;
  for (const config of half) {
    const { M, N, K } = config;
    const groups = 8192;
    const y = device.empty([groups * 4 * M * N]);
    const program = matrixProgram(config, lanes);
    const time = await fastest(device, () => device.run({ program, bindings: [write(y)], workgroups: [groups, 1, 1] }));
    y.dispose();
    // At least one subgroup per workgroup: those of a smaller size than the largest only do more.
    best = Math.max(best, (groups * 4 * rounds * M * N * K * 2) / time / 1e9);
  }
  return best;
}

/** Measures the ceilings. Takes about a second. */
export async function ceiling(device: Device): Promise<Ceiling> {
  // Several times the cache of a large GPU, where a binding may be so large.
  const size = device.software ? 2 ** 24 : Math.min(2 ** 27, device.maxBindingSize / 4);
  const x = device.empty([size]);
  const seconds = await fastest(device, () => affine(x, 1, 0).dispose());
  x.dispose();
  return {
    gflops: await multiplyAdds(device, false),
    halfGflops: device.gpu.features.has("shader-f16") ? await multiplyAdds(device, true) : undefined,
    matrixGflops: await matrices(device),
    gbps: (2 * 4 * size) / seconds / 1e9,
  };
}
