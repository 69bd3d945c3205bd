/**
 * @file Sliding windows that stay on the device: the image is uploaded once, windows are cut, predicted, weighted and summed there, and classes decided;
 * only labels (or, asked for, scores) come back. Windows, padding and weights are those of `sliding_window.ts`.
 */

import { expectDevice } from "../../tensor/kind.ts";
import { type HostArray, sizeOf, type TypedArray } from "../../host/array.ts";
import { ConfigError } from "../../host/errors.ts";
import { expectIntegers } from "../../host/integers.ts";
import { expectArguments } from "../../host/kinds.ts";
import { expectOptions } from "../../host/options.ts";
import { expectModule, type Module } from "../../nn/module.ts";
import type { Device } from "../../tensor/device.ts";
import { padTo, unpad } from "./padding.ts";
import { weightMap } from "./sliding_window.ts";
import { keptInMemory, type KeptScores } from "./kept_scores.ts";
import type { ScoreMap } from "./score_map.ts";
import { lifted, type WindowJob, WindowJobs } from "./window_job.ts";
import { WindowMemory } from "./window_memory.ts";
import { WindowNetworks } from "./window_networks.ts";
import { windowPoses } from "./window_poses.ts";
import { expectWindowWords, defaultMaxBytes, type DeviceWindowsOptions, type WindowRun } from "./window_options.ts";
import type { Size3 } from "./window_plan.ts";

export type { DeviceWindowsOptions, WindowRun };

/** What a run gives. */
export interface WindowResults {
  /** Class of each voxel, or the set of channels that are positive, `[1, ...spatial]`. */
  readonly codes?: HostArray<Uint8Array | Uint32Array>;
  /** Weighted means `[K, ...spatial]`. */
  readonly scores?: HostArray<Float32Array>;
  /** The same by channel, where the run says where they are kept; they are there until `dispose`. */
  readonly scoreMap?: ScoreMap & Pick<KeptScores, "dispose">;
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
  /** Bytes of results on their way back. */
  readonly resultBytes: number;
  /** Bytes of all of these together. */
  readonly peakBytes: number;
}

const deviceWindowsNames =
  "roiSize:spread! swBatchSize overlap mode sigmaScale paddingMode cval roiWeightMap scan mirrorAxes rot90Axes activation precision sums sliceAxis maxBytes:number";

const windowRunNames = "decision scores keepScores signal onProgress";

/** Networks over windows of images of any size. Several networks are an ensemble: their outputs are averaged. */
export class DeviceWindows {
  private readonly device: Device;
  private readonly networks: WindowNetworks;
  private readonly jobs: WindowJobs;
  private readonly options: DeviceWindowsOptions;

  /** @throws ConfigError without a network, for a batch size below 1, windows of no whole voxels, and `maxBytes` that are none */
  constructor(device: Device, networks: Module | readonly Module[], options: DeviceWindowsOptions) {
    expectOptions("DeviceWindows", options, deviceWindowsNames);
    expectDevice("DeviceWindows", device);
    expectWindowWords("DeviceWindows", options);
    const list = Array.isArray(networks) ? (networks as readonly Module[]) : [networks as Module];
    list.forEach((network, i) =>
      expectModule("DeviceWindows", { [Array.isArray(networks) ? `networks[${i}]` : "networks"]: network }),
    );
    const { swBatchSize = 1, roiSize, maxBytes = defaultMaxBytes } = options;
    if (list.length === 0) throw new ConfigError("DeviceWindows: there is no network");
    expectIntegers("DeviceWindows", { swBatchSize }, 1);
    if (![roiSize].flat().every(Number.isInteger))
      throw new ConfigError(`DeviceWindows: roiSize must be integers, got [${roiSize}]`);
    if (!(maxBytes > 0)) throw new ConfigError(`DeviceWindows: maxBytes must be positive, got ${maxBytes}`);
    this.device = device;
    this.options = options;
    this.networks = new WindowNetworks(device, list, options);
    this.jobs = new WindowJobs(device, this.networks, options);
  }

  /** What `run` will do for images of `shape`, `[C, ...spatial]`. @throws as `run` */
  async plan(shape: readonly number[], run: WindowRun = { decision: "largest" }): Promise<WindowsPlan> {
    expectOptions("DeviceWindows.plan", run, windowRunNames);
    const { layout, networkBytes, shape: windows, roi } = await this.jobs.plan(shape, run);
    const { imageBytes, sumBytes, resultBytes } = layout;
    const batches = layout.bands.flatMap((b) => b.stages.map((s) => Math.ceil(s.starts.length / windows[0])));
    return {
      windows: layout.windows,
      passes: this.jobs.passesOf(roi) * batches.reduce((a, b) => a + b, 0),
      planes: layout.ring,
      bands: layout.bands.length,
      networkBytes,
      imageBytes,
      sumBytes,
      resultBytes,
      peakBytes: networkBytes + imageBytes + sumBytes + resultBytes,
    };
  }

  /**
   * Predicts an image `[C, ...spatial]` of one to three spatial axes. Networks evaluate meanwhile.
   * @throws ConfigError, ShapeError for options and networks that do not fit; OutOfMemoryError if `maxBytes` is not enough; the signal's reason
   */
  async run(image: HostArray, run: WindowRun): Promise<WindowResults> {
    expectOptions("DeviceWindows.run", run, windowRunNames);
    expectArguments("DeviceWindows.run", "array", { image });
    run.signal?.throwIfAborted();
    return this.predict(image, await this.jobs.plan(image.shape, run), run);
  }

  /** Frees the captured steps, not the networks. */
  dispose(): void {
    this.networks.dispose();
  }

  private async predict(given: HostArray, job: WindowJob, run: WindowRun): Promise<WindowResults> {
    const { layout, roi, classes } = job;
    const { mode = "constant", sigmaScale = 0.125, roiWeightMap, paddingMode = "constant", cval = 0 } = this.options;
    const size = given.shape.slice(1);
    const { image, before } = padTo({ data: given.data, shape: [1, ...given.shape] }, roi, paddingMode, cval);
    const padded = image.shape.slice(2);
    const weights = weightMap(roi, mode, sigmaScale, roiWeightMap);
    const kept = run.scores ? (run.keepScores ?? keptInMemory)(classes, sizeOf(padded)) : undefined;
    const memory = new WindowMemory(this.device, {
      image: { data: image.data, shape: [1, given.shape[0], ...lifted(padded, 1)] },
      layout,
      roi: lifted(roi, 1),
      weights: { data: weights, shape: lifted(roi, 1) },
      classes,
      decision: run.decision,
      scores: kept,
      halfSums: this.options.sums === "f16",
    });
    try {
      await this.pass(memory, job, run);
    } catch (error) {
      kept?.dispose();
      throw error;
    } finally {
      memory.dispose();
    }
    const inside = <A extends TypedArray>(data: A, channels: number): HostArray<A> => {
      const { data: cut, shape } = unpad({ data, shape: [1, channels, ...padded] }, before, size);
      return { data: cut, shape: shape.slice(1) };
    };
    const { codes } = memory;
    const mapOf = ({ channel, dispose }: KeptScores): NonNullable<WindowResults["scoreMap"]> => ({
      channels: classes,
      shape: size,
      dispose,
      channel: (index) => inside(channel(index), 1).data,
    });
    return {
      ...(codes && { codes: inside(codes, 1) }),
      ...(kept && !run.keepScores && { scores: inside(kept.data!, classes) }),
      ...(kept && run.keepScores && { scoreMap: mapOf(kept) }),
    };
  }

  /** Sends all windows of an image through the networks, a band of rows after the other. */
  private async pass(memory: WindowMemory, { layout, roi, shape, filled }: WindowJob, run: WindowRun): Promise<void> {
    const poses = windowPoses(this.options, roi);
    let done = 0;
    let settled: Promise<void> | undefined;
    for (const band of layout.bands) {
      memory.begin(band);
      for (const stage of band.stages) {
        await memory.load(stage.planes);
        for (let first = 0; first < stage.starts.length; first += shape[0]) {
          run.signal?.throwIfAborted();
          const starts = stage.starts.slice(first, first + shape[0]);
          this.batch(memory, starts, [filled ? shape[0] : starts.length, shape[1], ...roi], poses);
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
  }

  private batch(memory: WindowMemory, starts: readonly Size3[], shape: readonly number[], poses: readonly number[]): void {
    const scale = 1 / (poses.length * this.networks.steps.length);
    // Rounding comes after the mean, so what is mirrored is added up before it meets the other windows.
    const merged = this.options.sums === "f16" && scale !== 1 ? memory.windowSums(starts.length) : undefined;
    for (const step of this.networks.steps) {
      for (const pose of poses) {
        const windows = memory.cut(starts, pose, shape[0]);
        const shaped = windows.view(shape);
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
