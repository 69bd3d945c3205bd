/** @file Whole scans by overlapping windows on the device: probabilities are averaged where windows meet, and what is connected becomes a candidate. */

import { ballDiameter } from "../../../data/nodules/mask_nodules.ts";
import type { HostArray } from "../../../host/array.ts";
import { type Components, connectedComponents, paintComponents } from "../../../host/grid/components.ts";
import type { Module } from "../../../nn/module.ts";
import type { Device } from "../../../tensor/device.ts";
import { DeviceWindows, type DeviceWindowsOptions } from "../../inference/device_windows.ts";
import {
  type InferenceOptions,
  type SegmentHooks,
  type Segmentation,
  type Segmenter,
  windowOptions,
} from "../../inference/segmenter.ts";
import type { Candidate } from "../../metrics/detection.ts";

/** What counts as found. */
export interface CandidateOptions {
  /** Probability above which voxels join to candidates; the labels have those above ½. */
  readonly detectAt: number;
  /** In voxels; what is smaller than a ball of this diameter is left out of labels and candidates. */
  readonly minDiameter: number;
  /** How many voxels decide the score. */
  readonly core: number;
}

export interface NoduleSegmenterOptions extends CandidateOptions {
  readonly roiSize: readonly number[];
  readonly overlap: number;
  readonly swBatchSize: number;
  /** Spatial axes along which windows are predicted mirrored too. Default none. */
  readonly mirrorAxes?: readonly number[];
}

/** Where values of each component begin among the values of all, in the order of components; behind the last, how many there are. */
function offsetsOf({ count, sizes }: Components): Uint32Array {
  const offsets = new Uint32Array(count + 2);
  for (let id = 1; id <= count; id++) offsets[id + 1] = offsets[id] + sizes[id];
  return offsets;
}

/** Mean of the `count` largest of ascending `values`; what is missing is 0. */
function meanOfLargest(values: Float32Array, count: number): number {
  let sum = 0;
  for (let i = Math.max(0, values.length - count); i < values.length; i++) sum += values[i];
  return sum / count;
}

/**
 * Candidates in probabilities `[1, x, y, z]`: what is connected (26 neighbors) above a threshold. The score is the mean probability of the most certain
 * `core` voxels, as many as a small nodule has: the mean of all would rank by how wide the seam is, and the largest alone is 1 for most after a training with
 * Dice loss. The middle is that of the probabilities.
 */
export function candidatesOf(
  { data, shape }: HostArray,
  { detectAt, minDiameter, core }: CandidateOptions,
): { readonly candidates: Candidate[]; readonly components: Components; readonly kept: Uint8Array } {
  const above = new Uint8Array(data.length);
  for (let i = 0; i < above.length; i++) above[i] = Number(data[i] > detectAt);
  const [, , ny, nz] = shape;
  const components = connectedComponents(above, shape.slice(1));
  const sums = new Float64Array(4 * (components.count + 1));
  const offsets = offsetsOf(components);
  const next = offsets.slice();
  const values = new Float32Array(offsets[components.count + 1]);
  components.of.forEach((id, run) => {
    const start = components.starts[run];
    const row = Math.floor(start / nz);
    for (let i = start; i < components.ends[run]; i++) {
      const p = data[i];
      values[next[id]++] = p;
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
    const score = meanOfLargest(values.subarray(offsets[id], offsets[id + 1]).sort(), core);
    candidates.push({ center: places.map((p) => p / sum), diameter, score });
  }
  return { candidates: candidates.sort((a, b) => b.score - a.score), components, kept };
}

/** Finds nodules in scans of bytes `[1, x, y, z]`. */
export class NoduleSegmenter implements Segmenter {
  private readonly device: Device;
  private readonly network: Module;
  private readonly detection: NoduleSegmenterOptions;
  private options: DeviceWindowsOptions;
  private windows: DeviceWindows;

  constructor(device: Device, network: Module, options: NoduleSegmenterOptions) {
    const { roiSize, overlap, swBatchSize, mirrorAxes } = options;
    // Not logits: a window that is sure and seven that are not are no nodule.
    this.options = { roiSize, overlap, swBatchSize, mirrorAxes, mode: "gaussian", activation: "sigmoid" };
    this.windows = new DeviceWindows(device, network, this.options);
    this.device = device;
    this.network = network;
    this.detection = options;
  }

  configure(asked: InferenceOptions): void {
    const options = { ...this.options, ...windowOptions(asked, this.options) };
    const windows = new DeviceWindows(this.device, this.network, options);
    this.windows.dispose();
    this.windows = windows;
    this.options = options;
  }

  async run({ data, shape }: HostArray, hooks: SegmentHooks = {}): Promise<Segmentation> {
    const image = new Float32Array(data.length);
    for (let i = 0; i < image.length; i++) image[i] = data[i] / 255;
    const { scores } = await this.windows.run({ data: image, shape }, { ...hooks, scores: true });
    const { candidates, components, kept } = candidatesOf(scores!, this.detection);
    const labels = new Uint8Array(data.length);
    paintComponents(components, kept, labels, 1);
    for (let i = 0; i < labels.length; i++) if (!(scores!.data[i] > 0.5)) labels[i] = 0;
    return { data: labels, shape, candidates };
  }

  dispose(): void {
    this.windows.dispose();
  }
}
