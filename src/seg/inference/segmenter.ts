/** @file From a volume to a label map with a 2-D network: normalise, predict slice by slice, take the likeliest class. */

import type { LabelClass } from "../../data/folders/decathlon.ts";
import type { Module } from "../../nn/module.ts";
import type { Device } from "../../tensor/device.ts";
import type { HostArray } from "../../host/array.ts";
import { SliceInferer } from "./sliding_window.ts";
import { computeDice } from "../metrics/overlap.ts";
import { Predictor } from "./predictor.ts";

export interface SegmenterOptions {
  readonly patchSize: readonly [number, number];
  readonly sliceAxis: number;
  /** Slices per call of the network; default 8. */
  readonly batchSize?: number;
}

/** Segments volumes with a network of one output channel (foreground where its probability exceeds ½) or one per class. */
export class Segmenter {
  private readonly predictor: Predictor;
  private readonly inferer: SliceInferer;

  constructor(device: Device, model: Module, { patchSize, sliceAxis, batchSize = 8 }: SegmenterOptions) {
    this.predictor = new Predictor(device, model);
    this.inferer = new SliceInferer({ roiSize: patchSize, swBatchSize: batchSize, spatialDim: sliceAxis });
  }

  /** Normalised image `[C, x, y, z]` → class indices `[1, x, y, z]`. */
  async run(image: HostArray): Promise<HostArray<Uint8Array>> {
    const logits = await this.inferer.run({ data: image.data, shape: [1, ...image.shape] }, this.predictor);
    return { data: decide(logits), shape: [1, ...image.shape.slice(1)] };
  }

  dispose(): void {
    this.predictor.dispose();
  }
}

function decide({ data, shape }: HostArray): Uint8Array {
  const classes = shape[1];
  const voxels = data.length / classes;
  if (classes === 1) return Uint8Array.from(data, (v) => (v > 0 ? 1 : 0));
  return Uint8Array.from({ length: voxels }, (_, i) => {
    let best = 0;
    for (let c = 1; c < classes; c++) if (data[c * voxels + i] > data[best * voxels + i]) best = c;
    return best;
  });
}

/** Dice of each foreground class; NaN where the truth has none of it. Both are class indices `[1, x, y, z]`. */
export function diceOf(prediction: HostArray, truth: HostArray, classes: number): number[] {
  const batch = (a: HostArray): HostArray => ({ data: a.data, shape: [1, ...a.shape] });
  return Array.from(computeDice(batch(prediction), batch(truth), { includeBackground: false, numClasses: classes }).data);
}

/** Stored label values of class indices. */
export function labelValues(indices: HostArray<Uint8Array>, labels: readonly LabelClass[]): HostArray<Uint8Array | Int32Array> {
  const values = labels.map((l) => l.values[0]);
  if (values.every((v, i) => v === i)) return indices;
  return { data: Int32Array.from(indices.data, (i) => values[i]), shape: indices.shape };
}
