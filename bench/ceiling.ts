/** @file What the adapter at hand can do at most, with the matrix units that only an experimental feature of Dawn shows. */

import { type Ceiling as Basic, measureCeiling } from "../src/bench/ceiling.ts";
import { fastest } from "../src/bench/time.ts";
import type { Device } from "../src/index.ts";
import { code as grid } from "../src/kernels/shaders/lib/grid.gen.ts";
import { halfConfigs, type MatrixConfig } from "../src/kernels/lib/matrices.ts";
import { type Program, write } from "../src/tensor/kernel.ts";
import { text } from "./gpu/tree.ts";

export interface Ceiling extends Basic {
  /** f16 subgroup matrices with f32 sums; undefined on an adapter without them. */
  readonly matrixGflops: number | undefined;
}

const matrixSource = text("bench/matrix_ceiling.wgsl");
const rounds = 1024;

/** The kernel of one configuration; its key names it. */
export function matrixProgram({ M, N, K }: MatrixConfig, lanes: number): Program {
  const prelude = ["enable f16;", "enable subgroups;", "enable chromium_experimental_subgroup_matrix;"];
  const sizes = Object.entries({ M, N, K, WG: lanes }).map(([name, value]) => `const ${name} = ${value}u;`);
  return { key: `ceiling ${M}x${N}x${K}`, code: [...prelude, ...sizes, grid, matrixSource].join("\n") };
}

async function matrices(device: Device): Promise<number | undefined> {
  const half = halfConfigs(device);
  if (half.length === 0) return undefined;
  const lanes = device.info.subgroupMaxSize;
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

/** Measures the ceilings, matrix units included. Takes about a second. */
export const ceiling = async (device: Device): Promise<Ceiling> => ({
  ...(await measureCeiling(device)),
  matrixGflops: await matrices(device),
});
