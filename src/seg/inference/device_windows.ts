/**
 * @file Sliding windows that stay on the device: the image is uploaded once, windows are cut, predicted, weighted and summed there, and classes decided;
 * only labels (or, asked for, scores) come back. Windows, padding and weights are those of `sliding_window.ts`.
 */

import { expectDevice } from "../../tensor/kind.ts";
import { expectFields } from "../../host/kinds.ts";
import { sigmoid } from "../../autograd/pointwise.ts";
import { withPrecision } from "../../autograd/precision.ts";
import { softmax } from "../../autograd/softmax.ts";
import { noGrad } from "../../autograd/tape.ts";
import { reshape } from "../../autograd/view.ts";
import { type HostArray, sizeOf, type TypedArray } from "../../host/array.ts";
import { ConfigError, OutOfMemoryError, ShapeError } from "../../host/errors.ts";
import { expectOptions } from "../../host/options.ts";
import type { AbortSignal } from "../../host/platform.ts";
import { formatBytes } from "../../host/text.ts";
import type { Decision } from "../../kernels/window.ts";
import { type Module, expectModule } from "../../nn/module.ts";
import { capture, type Captured, type CapturedPlan } from "../../tensor/capture.ts";
import type { Device } from "../../tensor/device.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import { padTo, unpad } from "./padding.ts";
import { axisStarts, perAxis, type SlidingWindowOptions, weightMap } from "./sliding_window.ts";
import { WindowMemory } from "./window_memory.ts";
import { windowPoses } from "./window_poses.ts";
import { type Size3, windowLayout, type WindowLayout } from "./window_plan.ts";

/** Options of `DeviceWindows`. */
export interface DeviceWindowsOptions extends Omit<
  SlidingWindowOptions,
  "onProgress" | "processFn" | "withCoord" | "bufferSteps" | "bufferDim"
> {
  /**
   * Starts of windows along each axis, in place of MONAI's: nnU-Net's `computeStepsForSlidingWindow`. It gets `imageSize`, padding included, and `roiSize`,
   * in voxels.
   */
  readonly scan?: ((imageSize: readonly number[], roiSize: readonly number[]) => number[][]) | undefined;
  /** Spatial axes along which images are mirrored too; the outputs of all combinations are averaged. Default none. */
  readonly mirrorAxes?: readonly number[] | undefined;
  /** Two spatial axes in whose plane images are also turned by 90, 180 and 270 degrees; windows must be as long along both. */
  readonly rot90Axes?: readonly [number, number] | undefined;
  /** What is averaged: the network's outputs (default), or probabilities. */
  readonly activation?: "softmax" | "sigmoid" | undefined;
  /** Arithmetic of the network: "f16" needs a device that has it. Default "f32". */
  readonly precision?: "f32" | "f16" | undefined;
  /** What sums, weights and means are rounded to after each addition: nnU-Net keeps them in f16. Default "f32". */
  readonly sums?: "f32" | "f16" | undefined;
  /** For 2-D networks on volumes: the axis along which windows are one voxel thick and that the network does not see. */
  readonly sliceAxis?: number | undefined;
  /** Bytes of device memory that all of it may take, the network included. Default 2 GiB. */
  readonly maxBytes?: number | undefined;
}

/** What a run gives. */
export interface WindowResults {
  /** Class of each voxel, or the set of channels that are positive, `[1, ...spatial]`. */
  readonly codes?: HostArray<Uint8Array | Uint32Array>;
  /** Weighted means `[K, ...spatial]`. */
  readonly scores?: HostArray<Float32Array>;
}

/** What a run of windows is to give. */
export interface WindowRun {
  /** How classes are decided; without it no codes are made. */
  readonly decision?: Decision | undefined;
  /** Give the weighted means back. Default false. */
  readonly scores?: boolean | undefined;
  /** Aborting stops between batches. */
  readonly signal?: AbortSignal | undefined;
  /** Called after each batch with windows `done` of `total`. */
  readonly onProgress?: ((done: number, total: number) => void) | undefined;
}

/** What a run will need, known before it starts. */
export interface WindowsPlan {
  /** Windows that are predicted, mirrored ones not counted. */
  readonly windows: number;
  /** Passes of a network over a batch. */
  readonly passes: number;
  /** Planes of the image that are on the device at a time, and bands of rows. */
  readonly planes: number;
  /** Bands of rows that the image is done in. */
  readonly bands: number;
  /** Bytes on the device: network (weights and values), image, sums. */
  readonly networkBytes: number;
  /** Bytes of the part of the image that is on the device. */
  readonly imageBytes: number;
  /** Bytes of sums and weights. */
  readonly sumBytes: number;
  /** Bytes of all of these together. */
  readonly peakBytes: number;
}

interface Job {
  /** Windows of a batch `[B, C, ...roi]`. */
  readonly shape: readonly number[];
  readonly layout: WindowLayout;
  readonly roi: readonly number[];
  readonly classes: number;
  readonly networkBytes: number;
}

const deviceWindowsNames =
  "roiSize swBatchSize overlap mode sigmaScale paddingMode cval roiWeightMap scan mirrorAxes rot90Axes activation precision sums sliceAxis maxBytes";

const windowRunNames = "decision scores signal onProgress";

const defaultMaxBytes = 2 ** 31;

/** Networks over windows of images of any size. Several networks are an ensemble: their outputs are averaged. */
export class DeviceWindows {
  private readonly device: Device;
  private readonly networks: readonly { readonly model: Module; readonly step: Captured<Tensor> }[];
  private readonly options: DeviceWindowsOptions;
  // What the networks made of windows of a shape when they were traced.
  private readonly outputs = new Map<string, readonly number[]>();

  /** @throws ConfigError without a network, and for a batch size below 1 */
  constructor(device: Device, networks: Module | readonly Module[], options: DeviceWindowsOptions) {
    expectOptions("DeviceWindows", options, deviceWindowsNames);
    expectDevice("DeviceWindows", device);
    expectFields("DeviceWindows", "options", options, { roiSize: "size", maxBytes: "number?" });
    const list = Array.isArray(networks) ? (networks as readonly Module[]) : [networks as Module];
    list.forEach((network, i) =>
      expectModule("DeviceWindows", { [Array.isArray(networks) ? `networks[${i}]` : "networks"]: network }),
    );
    const { swBatchSize = 1 } = options;
    if (list.length === 0) throw new ConfigError("DeviceWindows: there is no network");
    if (!Number.isInteger(swBatchSize) || swBatchSize < 1)
      throw new ConfigError(`DeviceWindows: swBatchSize must be a positive integer, got ${swBatchSize}`);
    this.device = device;
    this.options = options;
    this.networks = list.map((model) => ({
      model,
      step: capture(device, (windows) => noGrad(() => this.forward(model, windows))),
    }));
  }

  /** What `run` will do for images of `shape`, `[C, ...spatial]`. @throws as `run` */
  plan(shape: readonly number[], run: WindowRun = { decision: "largest" }): Promise<WindowsPlan> {
    expectOptions("DeviceWindows.plan", run, windowRunNames);
    return this.evaluating(async () => {
      const { layout, networkBytes, shape: windows, roi } = await this.prepare(shape, run);
      const { imageBytes, sumBytes } = layout;
      const batches = layout.bands.flatMap((b) => b.stages.map((s) => Math.ceil(s.starts.length / windows[0])));
      return {
        windows: layout.windows,
        passes: this.networks.length * windowPoses(this.options, roi).length * batches.reduce((a, b) => a + b, 0),
        planes: layout.ring,
        bands: layout.bands.length,
        networkBytes,
        imageBytes,
        sumBytes,
        peakBytes: networkBytes + imageBytes + sumBytes,
      };
    });
  }

  /**
   * Predicts an image `[C, ...spatial]` of one to three spatial axes. Networks evaluate meanwhile.
   * @throws ConfigError, ShapeError for options and networks that do not fit; OutOfMemoryError if `maxBytes` is not enough; the signal's reason
   */
  run(image: HostArray, run: WindowRun): Promise<WindowResults> {
    expectOptions("DeviceWindows.run", run, windowRunNames);
    return this.evaluating(async () => {
      run.signal?.throwIfAborted();
      return this.predict(image, await this.prepare(image.shape, run), run);
    });
  }

  /** Frees the captured steps, not the networks. */
  dispose(): void {
    for (const { step } of this.networks) step.dispose();
  }

  private forward(model: Module, windows: Tensor): Tensor {
    const { sliceAxis, activation, precision = "f32" } = this.options;
    const x = sliceAxis === undefined ? windows : reshape(windows, windows.shape.toSpliced(sliceAxis + 2, 1));
    const raw = withPrecision(precision, () => model.forward(x));
    const y = activation === "softmax" ? softmax(raw) : activation === "sigmoid" ? sigmoid(raw) : raw;
    this.outputs.set(windows.shape.join(), y.shape);
    const [n, k, ...size] = y.shape;
    return reshape(y, [n * k, ...size]);
  }

  private async evaluating<R>(work: () => Promise<R>): Promise<R> {
    const modes = this.networks.map(({ model }) => model.training);
    for (const { model } of this.networks) model.eval();
    try {
      return await work();
    } finally {
      this.networks.forEach(({ model }, i) => model.train(modes[i]));
    }
  }

  private async prepare([channels, ...size]: readonly number[], run: WindowRun): Promise<Job> {
    if (size.length < 1 || size.length > 3) {
      throw new ShapeError(
        `sliding window: the image is [${[channels, ...size]}]; expected [C, ...spatial] with one to three spatial axes`,
      );
    }
    const { swBatchSize = 1, overlap = 0.25, maxBytes = defaultMaxBytes, scan } = this.options;
    const roi = perAxis("roiSize", this.options.roiSize, size.length).map((r, i) => (r > 0 ? r : size[i]));
    windowPoses(this.options, roi); // throws for axes that do not fit
    const padded = size.map((s, i) => Math.max(s, roi[i]));
    const starts = scan ? scan(padded, roi) : axisStarts(padded, roi, overlap);
    const total = starts.reduce((n, s) => n * s.length, 1);
    const shape = [Math.min(swBatchSize, total), channels, ...roi];
    const networkBytes = (await this.planNetworks(shape)) + 4 * sizeOf(shape);
    const classes = this.outputs.get(shape.join())![1];
    const layout = windowLayout({
      size: lifted(padded, 1),
      roi: lifted(roi, 1),
      starts: [...[[0], [0]].slice(size.length - 1), ...starts],
      channels,
      sums: classes + (run.scores ? 1 : 0),
      maxBytes: maxBytes - networkBytes,
      maxBinding: this.device.maxBindingSize,
    });
    return { shape, layout, roi, classes, networkBytes };
  }

  /** Bytes that the networks need for a batch `[B, C, ...roi]`. */
  private async planNetworks(shape: readonly number[]): Promise<number> {
    const zeros = { data: new Float32Array(sizeOf(shape)), shape };
    const plans: CapturedPlan[] = [];
    for (const { step } of this.networks) plans.push(await step.prepare([zeros]));
    const expected = shape.slice(2).filter((_, axis) => axis !== this.options.sliceAxis);
    const [n, k, ...size] = this.outputs.get(shape.join())!;
    if (n !== shape[0] || size.join() !== expected.join()) {
      throw new ShapeError(
        `sliding window: the network gives [${[n, k, ...size]}] for windows [${shape}]; expected [${[shape[0], "classes", ...expected]}]`,
      );
    }
    // Plans share what they do not keep.
    const kept = plans.reduce((sum, p) => sum + p.peakBytes - p.memory.scratch, 0);
    const bytes = kept + Math.max(...plans.map((p) => p.memory.scratch));
    const { maxBytes = defaultMaxBytes } = this.options;
    if (bytes <= maxBytes) return bytes;
    throw new OutOfMemoryError(
      `sliding window: the network needs ${formatBytes(bytes)} for windows [${shape}], ${formatBytes(maxBytes)} are allowed: use smaller ` +
        "windows or batches, or allow more memory",
    );
  }

  private async predict(given: HostArray, { layout, roi, classes, shape }: Job, run: WindowRun): Promise<WindowResults> {
    const { mode = "constant", sigmaScale = 0.125, roiWeightMap, paddingMode = "constant", cval = 0 } = this.options;
    const size = given.shape.slice(1);
    const { image, before } = padTo({ data: given.data, shape: [1, ...given.shape] }, roi, paddingMode, cval);
    const padded = image.shape.slice(2);
    const memory = new WindowMemory(this.device, {
      image: { data: image.data, shape: [1, given.shape[0], ...lifted(padded, 1)] },
      layout,
      roi: lifted(roi, 1),
      weights: { data: weightMap(roi, mode, sigmaScale, roiWeightMap), shape: lifted(roi, 1) },
      classes,
      decision: run.decision,
      scores: run.scores,
      halfSums: this.options.sums === "f16",
    });
    const poses = windowPoses(this.options, roi);
    try {
      let done = 0;
      let settled: Promise<void> | undefined;
      for (const band of layout.bands) {
        memory.begin(band);
        for (const stage of band.stages) {
          await memory.load(stage.planes);
          for (let first = 0; first < stage.starts.length; first += shape[0]) {
            const starts = stage.starts.slice(first, first + shape[0]);
            this.batch(memory, starts, [shape[1], ...roi], poses);
            // One batch ahead of the device, so that it never waits.
            await settled;
            settled = this.device.settle(true);
            settled.catch(() => {});
            run.signal?.throwIfAborted();
            run.onProgress?.((done += starts.length), layout.windows);
          }
          await memory.finish(stage.final);
        }
      }
      await settled;
      await memory.collect();
    } finally {
      memory.dispose();
    }
    const { codes, scores } = memory;
    const inside = <A extends TypedArray>(data: A, channels: number): HostArray<A> => {
      const { data: cut, shape } = unpad({ data, shape: [1, channels, ...padded] }, before, size);
      return { data: cut, shape: shape.slice(1) };
    };
    return {
      ...(codes && { codes: inside(codes, 1) }),
      ...(scores && { scores: inside(scores, classes) }),
    };
  }

  private batch(memory: WindowMemory, starts: readonly Size3[], window: readonly number[], poses: readonly number[]): void {
    const scale = 1 / (poses.length * this.networks.length);
    // Rounding comes after the mean, so what is mirrored is added up before it meets the other windows.
    const merged = this.options.sums === "f16" && scale !== 1 ? memory.windowSums(starts.length) : undefined;
    for (const { step } of this.networks) {
      for (const pose of poses) {
        const windows = memory.cut(starts, pose);
        const shaped = windows.view([starts.length, ...window]);
        const prediction = step(shaped);
        if (merged) memory.merge(prediction, merged, pose, scale);
        else memory.add(prediction, starts, pose, scale);
        windows.dispose();
        shaped.dispose();
      }
    }
    if (merged) memory.add(merged, starts, 0, 1);
    merged?.dispose();
  }
}

const lifted = (list: readonly number[], fill: number): Size3 =>
  [...new Array<number>(3 - list.length).fill(fill), ...list] as unknown as Size3;
