/** @file The kernels around a network's windows, compiled before a run: off the main thread where the platform can, and no window waits for one. */

import { addWeights, addWindow, clearPlanes, codesPerWord, cutWindow, decidePlanes, meanOfPlanes } from "../../kernels/window.ts";
import type { DType } from "../../host/array.ts";
import type { Device } from "../../tensor/device.ts";
import { Plan } from "../../tensor/plan.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import { sumParts, type WindowSums } from "./window_memory.ts";

/** What a run does between networks. */
interface WindowWork extends WindowSums {
  /** Voxels in a row of the image. */
  readonly columns: number;
  /** What the networks' outputs are made of. */
  readonly outputs: DType;
  readonly scores?: boolean | undefined;
}

/** Compiles them. */
export async function compileWindowKernels(device: Device, work: WindowWork): Promise<void> {
  const { layout, columns, classes } = work;
  const heights = new Set(layout.bands.map(({ rows }) => rows[1] - rows[0]));
  for (const rows of heights) {
    const parts = sumParts(device, classes, layout.ring * rows * columns);
    const plan = new Plan(device, [], () => runOnce(device, parts, work));
    try {
      await plan.compile();
    } finally {
      plan.dispose();
    }
  }
}

/** Runs each of them. One voxel of each tensor tells as much as all. */
function runOnce(device: Device, parts: readonly number[], { outputs, decision, scores, halfSums, classes }: WindowWork): Tensor {
  const kept = { halfSums, ring: 1, firstRow: 0, rows: 1, columns: 1 };
  const planes = { ...kept, first: 0, planes: 1 };
  const place = { roi: [1, 1, 1], start: [0, 0, 0], flips: 0 } as const;
  const [image, windows, weights] = [device.empty([1, 1, 1]), device.empty([1, 1, 1]), device.empty([1, 1, 1])];
  cutWindow(image, kept, windows, 0, place);
  const sums = parts.map((channels) => device.empty([channels, 1, 1, 1]));
  for (const part of sums) {
    clearPlanes(part, planes);
    addWindow(device.empty(part.shape, outputs), 0, weights, part, kept, place, 1);
  }
  if (decision) {
    const perWord = codesPerWord(decision, classes);
    decidePlanes(sums, planes, decision, device.empty([1], "u32"), device.empty([perWord]));
  }
  if (scores) {
    const counts = device.empty([1, 1, 1, 1]);
    addWeights(weights, counts, kept, place, 1);
    for (const part of sums) meanOfPlanes(part, counts, planes);
  }
  return windows;
}
