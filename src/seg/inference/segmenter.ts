/** @file From a prepared image to a label map: the contract, and the ones that run a network over windows or slices. */

import type { Module } from "../../nn/module.ts";
import type { Device } from "../../tensor/device.ts";
import type { HostArray } from "../../host/array.ts";
import type { OutputCoding } from "../post/output_coding.ts";
import { DeviceWindows, type DeviceWindowsOptions } from "./device_windows.ts";
import { expectOptions } from "../../host/options.ts";
import type { AbortSignal } from "../../host/platform.ts";
import type { Candidate } from "../metrics/detection.ts";

export interface SegmentHooks {
  /** Aborting ends `run` after the batch in flight with the signal's reason. */
  readonly signal?: AbortSignal | undefined;
  /** Called after each batch with the windows done and their total. */
  readonly onProgress?: ((done: number, total: number) => void) | undefined;
}

/** A label map, and the things in it where these are what is looked for. */
export interface Segmentation extends HostArray {
  /** In voxels of the image that was given; behind a recipe's `postprocess` in millimeters of the scanner's space. */
  readonly candidates?: readonly Candidate[];
}

/** Segments images that a recipe has prepared. */
export interface Segmenter {
  /** Prepared image `[C, x, y, z]` → stored label values `[1, x, y, z]`. */
  run(image: HostArray, hooks?: SegmentHooks): Promise<Segmentation>;
  dispose(): void;
}

export interface WindowSegmenterOptions extends DeviceWindowsOptions {
  /** What the networks' outputs mean. */
  readonly outputs: OutputCoding;
}

/** Segments images by windows, on the device; several networks are an ensemble. */
export class WindowSegmenter implements Segmenter {
  private readonly windows: DeviceWindows;
  private readonly outputs: OutputCoding;

  constructor(device: Device, networks: Module | readonly Module[], { outputs, ...options }: WindowSegmenterOptions) {
    this.windows = new DeviceWindows(device, networks, options);
    this.outputs = outputs;
  }

  async run(image: HostArray, hooks: SegmentHooks = {}): Promise<HostArray<Uint8Array | Int32Array>> {
    const { codes } = await this.windows.run(image, { ...hooks, decision: this.outputs.decision });
    return this.outputs.valuesOf(codes!);
  }

  dispose(): void {
    this.windows.dispose();
  }
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
export class SliceSegmenter extends WindowSegmenter {
  /** @throws ConfigError for unknown options */
  constructor(device: Device, model: Module, options: SliceSegmenterOptions) {
    super(device, model, windowsOf(options));
  }
}

function windowsOf(options: SliceSegmenterOptions): WindowSegmenterOptions {
  expectOptions("SliceSegmenter", options, "patchSize sliceAxis outputs batchSize");
  const { patchSize, sliceAxis, outputs, batchSize = 8 } = options;
  // MONAI's default within slices; slices do not overlap.
  const overlap = [0.25, 0.25].toSpliced(sliceAxis, 0, 0);
  return { roiSize: patchSize.toSpliced(sliceAxis, 0, 1), overlap, swBatchSize: batchSize, sliceAxis, outputs };
}
