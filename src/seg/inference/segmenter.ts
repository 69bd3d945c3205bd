/** @file From a prepared image to a label map: the contract, and the one that runs a 2-D network slice by slice. */

import type { Module } from "../../nn/module.ts";
import type { Device } from "../../tensor/device.ts";
import type { HostArray } from "../../host/array.ts";
import type { OutputCoding } from "../post/output_coding.ts";
import { Predictor } from "./predictor.ts";
import { SliceInferer } from "./sliding_window.ts";
import { expectOptions } from "../../host/options.ts";
import type { AbortSignal } from "../../host/platform.ts";

export interface SegmentHooks {
  /** Aborting ends `run` after the batch in flight with the signal's reason. */
  readonly signal?: AbortSignal | undefined;
  /** Called after each batch with the windows done and their total. */
  readonly onProgress?: ((done: number, total: number) => void) | undefined;
}

/** Segments images that a recipe has prepared. */
export interface Segmenter {
  /** Prepared image `[C, x, y, z]` → stored label values `[1, x, y, z]`. */
  run(image: HostArray, hooks?: SegmentHooks): Promise<HostArray<Uint8Array | Int32Array>>;
  dispose(): void;
}

export interface SliceSegmenterOptions {
  /** Window in a slice, in voxels. */
  readonly patchSize: readonly [number, number];
  /** Array axis across the slices: 0, 1 or 2. */
  readonly sliceAxis: number;
  /** What the network's output means. */
  readonly outputs: OutputCoding;
  /** Slices per call of the network; default 8. */
  readonly batchSize?: number;
}

/** Segments volumes with a 2-D network, slice by slice (MONAI's `SliceInferer`). */
export class SliceSegmenter implements Segmenter {
  private readonly predictor: Predictor;
  private readonly options: SliceSegmenterOptions;

  constructor(device: Device, model: Module, options: SliceSegmenterOptions) {
    expectOptions("SliceSegmenter", options, "patchSize sliceAxis outputs batchSize");
    this.predictor = new Predictor(device, model);
    this.options = options;
  }

  async run(image: HostArray, given: SegmentHooks = {}): Promise<HostArray<Uint8Array | Int32Array>> {
    expectOptions("SliceSegmenter.run", given, "signal onProgress");
    const { signal, onProgress } = given;
    const { patchSize, sliceAxis, outputs, batchSize = 8 } = this.options;
    const inferer = new SliceInferer({
      roiSize: patchSize,
      swBatchSize: batchSize,
      spatialDim: sliceAxis,
      onProgress(done, total) {
        signal?.throwIfAborted();
        onProgress?.(done, total);
      },
    });
    return outputs.decide(await inferer.run({ data: image.data, shape: [1, ...image.shape] }, this.predictor));
  }

  dispose(): void {
    this.predictor.dispose();
  }
}
