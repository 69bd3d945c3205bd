/** @file Whole scans by overlapping windows on the device: probabilities are averaged where windows meet, and what is connected becomes a candidate. */

import { ballDiameter } from "../../../data/nodules/mask_nodules.ts";
import type { HostArray } from "../../../host/array.ts";
import { type Components, connectedComponents, paintComponents } from "../../../host/grid/components.ts";
import type { Module } from "../../../nn/module.ts";
import type { Device } from "../../../tensor/device.ts";
import { DeviceWindows } from "../../inference/device_windows.ts";
import type { SegmentHooks, Segmentation, Segmenter } from "../../inference/segmenter.ts";
import type { Candidate } from "../../metrics/detection.ts";

export interface NoduleSegmenterOptions {
  readonly roiSize: readonly number[];
  readonly overlap: number;
  readonly swBatchSize: number;
  /** Probability above which voxels join to candidates; the labels have those above ½. */
  readonly detectAt: number;
  /** In voxels; what is smaller than a ball of this diameter is left out of labels and candidates. */
  readonly minDiameter: number;
}

/**
 * Candidates in probabilities `[1, x, y, z]`: what is connected (26 neighbors) above a threshold. The score is the mean probability, so that what a few
 * voxels barely reached ranks behind what was found whole; the middle is that of the probabilities.
 */
export function candidatesOf(
  { data, shape }: HostArray,
  threshold: number,
  minDiameter: number,
): { readonly candidates: Candidate[]; readonly components: Components; readonly kept: Uint8Array } {
  const above = new Uint8Array(data.length);
  for (let i = 0; i < above.length; i++) above[i] = Number(data[i] > threshold);
  const [, , ny, nz] = shape;
  const components = connectedComponents(above, shape.slice(1));
  const sums = new Float64Array(4 * (components.count + 1));
  components.of.forEach((id, run) => {
    const start = components.starts[run];
    const row = Math.floor(start / nz);
    for (let i = start; i < components.ends[run]; i++) {
      const p = data[i];
      sums[4 * id] += p;
      sums[4 * id + 1] += p * Math.floor(row / ny);
      sums[4 * id + 2] += p * (row % ny);
      sums[4 * id + 3] += p * (i - row * nz);
    }
  });
  const kept = new Uint8Array(components.count + 1);
  const candidates: Candidate[] = [];
  for (let id = 1; id <= components.count; id++) {
    const diameter = ballDiameter(components.sizes[id]);
    if (diameter < minDiameter) continue;
    kept[id] = 1;
    const [sum, ...places] = sums.subarray(4 * id, 4 * id + 4);
    candidates.push({ center: places.map((p) => p / sum), diameter, score: sum / components.sizes[id] });
  }
  return { candidates: candidates.sort((a, b) => b.score - a.score), components, kept };
}

/** Finds nodules in scans of bytes `[1, x, y, z]`. */
export class NoduleSegmenter implements Segmenter {
  private readonly windows: DeviceWindows;
  private readonly options: NoduleSegmenterOptions;

  constructor(device: Device, network: Module, options: NoduleSegmenterOptions) {
    const { roiSize, overlap, swBatchSize } = options;
    this.windows = new DeviceWindows(device, network, { roiSize, overlap, swBatchSize, mode: "gaussian", activation: "sigmoid" });
    this.options = options;
  }

  async run({ data, shape }: HostArray, hooks: SegmentHooks = {}): Promise<Segmentation> {
    const image = new Float32Array(data.length);
    for (let i = 0; i < image.length; i++) image[i] = data[i] / 255;
    const { scores } = await this.windows.run({ data: image, shape }, { ...hooks, scores: true });
    const { detectAt, minDiameter } = this.options;
    const { candidates, components, kept } = candidatesOf(scores!, detectAt, minDiameter);
    const labels = new Uint8Array(data.length);
    paintComponents(components, kept, labels, 1);
    for (let i = 0; i < labels.length; i++) if (!(scores!.data[i] > 0.5)) labels[i] = 0;
    return { data: labels, shape, candidates };
  }

  dispose(): void {
    this.windows.dispose();
  }
}
