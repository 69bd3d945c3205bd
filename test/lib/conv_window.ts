/** @file What the tests of conv/window.wgsl compare: layers of few output channels, computed by it and by the plain kernel. */

import * as vx from "../../src/index.ts";
import type { ConvOptions, Device, Tensor } from "../../src/index.ts";
import { expectClose, readAll } from "./compare.ts";
import { normal, seeded } from "./row.ts";

export type Case = readonly [name: string, x: readonly number[], weight: readonly number[], options: ConvOptions];

async function run(device: Device, [, shape, weight, options]: Case, half: boolean) {
  const random = seeded("window");
  const tensor = (s: readonly number[]) =>
    device.tensor({ data: Float32Array.from({ length: vx.sizeOf(s) }, (_, i) => normal(random, i)), shape: s });
  const results = vx.scope((): Record<string, Tensor> => {
    const [x, w, b] = [tensor(shape), tensor(weight), tensor([weight[0]])];
    x.requiresGrad = true;
    const y = vx.withPrecision(half ? "f16" : "f32", () => vx.conv(x, w, b, options));
    const [dx] = vx.grad(vx.sum(vx.mul(vx.float32(y), tensor(y.shape))), [x]);
    return { y: vx.float32(y), dx };
  });
  const values = await readAll(results);
  for (const t of Object.values(results)) t.dispose();
  return values;
}

/** The convolution and its input gradient. */
export async function compareWindows(device: Device, given: Case, half = false): Promise<void> {
  device.choices.set("conv", "direct 4x8");
  const plain = await run(device, given, half);
  device.choices.set("conv", "window");
  const windows = await run(device, given, half);
  device.choices.clear();
  for (const key of ["y", "dx"]) expectClose(`${key} ${given[0]}`, windows[key], plain[key], half ? 2e-3 : 4e-6);
}
