/** @file From a prepared image to a label map: the contract, and the ones that run a network over windows or slices. */

import { expectWindowWords } from "./window_options.ts";
import { expectCoding } from "../post/expect_coding.ts";
import { expectDevice } from "../../tensor/kind.ts";
import { expectFields } from "../../host/kinds.ts";
import { type Module, expectModule } from "../../nn/module.ts";
import type { Device } from "../../tensor/device.ts";
import type { HostArray } from "../../host/array.ts";
import type { OutputCoding } from "../post/output_coding.ts";
import { CoreWindows, type CoreWindowsOptions } from "./core_windows.ts";
import { DeviceWindows, type DeviceWindowsOptions, type WindowsPlan } from "./device_windows.ts";
import type { KeepScores, KeptScores } from "./kept_scores.ts";
import type { ScoreMap } from "./score_map.ts";
import { computeStepsForSlidingWindow } from "./nnunet_windows.ts";
import { ConfigError } from "../../host/errors.ts";
import type { StructureUncertainties } from "./monte_carlo.ts";
import { expectOptions } from "../../host/options.ts";
import type { AbortSignal } from "../../host/platform.ts";
import type { Candidate } from "../metrics/detection.ts";

/** What is told while an image is segmented, and how to stop it. */
export interface SegmentHooks {
  /** Aborting ends `run` after the batch in flight with the signal's reason. */
  readonly signal?: AbortSignal | undefined;
  /** Called after each batch with the windows done and their total. */
  readonly onProgress?: ((done: number, total: number) => void) | undefined;
}

/** What whoever predicts may want other than the recipe has it. What is left out stays. */
export interface InferenceOptions {
  /** Share of a window that neighbors overlap, in [0, 1). */
  readonly overlap?: number | undefined;
  /** Windows that are predicted together. */
  readonly batchSize?: number | undefined;
  /** Average over mirror images along all axes that the network sees. */
  readonly mirror?: boolean | undefined;
  /** Average over quarter turns in the plane of the slices, or of the last two axes along which windows are equally long. */
  readonly rot90?: boolean | undefined;
  /** Arithmetic of the networks. */
  readonly precision?: "f32" | "f16" | undefined;
  /** Bytes of device memory that all of it may take, networks included. */
  readonly maxBytes?: number | undefined;
}

/** The names of these options. @internal */
export const inferenceNames = "overlap batchSize mirror rot90 precision maxBytes";

/** What segmenting an image will take, known before it starts. */
export interface SegmentPlan {
  /** Windows, or slices, that networks see. */
  readonly windows: number;
  /** Passes of a network over a batch, if these are not the windows. */
  readonly passes?: number;
  /** Bands of rows that the image is done in. */
  readonly bands?: number;
  /** Bytes on the device at most, networks included. */
  readonly peakBytes: number;
}

/** What draws with dropout on say together. */
export interface SampledLabels {
  /** Stored label values `[1, x, y, z]` */
  readonly labels: HostArray<Uint8Array | Int32Array>;
  /** Background first, then the foreground of the outputs. */
  readonly structures: StructureUncertainties;
  /** `[1, x, y, z]`: variance of the probabilities, added up over the classes. */
  readonly variance: HostArray<Float32Array>;
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
  /** What these labels are decided from: logits `[channels, x, y, z]`. For probabilities, ensembles, and recipes that resample before they decide. */
  scores?(image: HostArray, hooks?: SegmentHooks): Promise<HostArray<Float32Array>>;
  /** The same of an `image` `[C, x, y, z]`, kept where `keep` says, by channel, until `dispose`. For images with many classes. */
  scoreMap?(image: HostArray, keep: KeepScores, hooks?: SegmentHooks): Promise<ScoreMap & Pick<KeptScores, "dispose">>;
  /** What `run`, or with `scores` `scores`, will do for an image of this shape and take on the device. */
  plan?(shape: readonly number[], scores?: boolean): Promise<SegmentPlan>;
  /** Takes options in place of the recipe's. Throws `ConfigError` for those that it cannot follow. */
  configure?(options: InferenceOptions): void;
  /**
   * Draws with dropout on and decides by the mean of their probabilities; absent where draws can only vote. As often as `samples` says; `image` is `[C, x,
   * y, z]`.
   */
  readonly sample?: ((image: HostArray, samples: number, hooks?: SegmentHooks) => Promise<SampledLabels>) | undefined;
  /** Frees the captured steps, not the networks. */
  dispose(): void;
}

/** Options of `WindowSegmenter`. */
export interface WindowSegmenterOptions extends DeviceWindowsOptions {
  /** What the networks' outputs mean. */
  readonly outputs: OutputCoding;
}

/** Segments images by windows, on the device; several networks are an ensemble. */
export class WindowSegmenter implements Segmenter {
  private readonly device: Device;
  private readonly networks: Module | readonly Module[];
  private readonly outputs: OutputCoding;
  private options: DeviceWindowsOptions;
  private windows: DeviceWindows;

  constructor(device: Device, networks: Module | readonly Module[], given: WindowSegmenterOptions) {
    expectFields("WindowSegmenter", "options", given, {});
    const { outputs, ...options } = given;
    this.windows = new DeviceWindows(device, networks, options);
    expectCoding("WindowSegmenter", "options.outputs", outputs);
    this.device = device;
    this.networks = networks;
    this.outputs = outputs;
    this.options = options;
  }

  async run(image: HostArray, hooks: SegmentHooks = {}): Promise<HostArray<Uint8Array | Int32Array>> {
    const { codes } = await this.windows.run(image, { ...hooks, decision: this.outputs.decision });
    return this.outputs.valuesOf(codes!);
  }

  async scores(image: HostArray, hooks: SegmentHooks = {}): Promise<HostArray<Float32Array>> {
    const { scores } = await this.windows.run(image, { ...hooks, scores: true });
    return scores!;
  }

  /** Scores of an `image` `[C, x, y, z]`, kept where `keepScores` says, by channel, until `dispose`. */
  async scoreMap(
    image: HostArray,
    keepScores: KeepScores,
    hooks: SegmentHooks = {},
  ): Promise<ScoreMap & Pick<KeptScores, "dispose">> {
    return (await this.windows.run(image, { ...hooks, scores: true, keepScores })).scoreMap!;
  }

  plan(shape: readonly number[], scores = false): Promise<WindowsPlan> {
    return this.windows.plan(shape, scores ? { scores } : { decision: this.outputs.decision });
  }

  configure(asked: InferenceOptions): void {
    const options = { ...this.options, ...windowOptions(asked, this.options) };
    const windows = new DeviceWindows(this.device, this.networks, options);
    this.windows.dispose();
    this.windows = windows;
    this.options = options;
  }

  dispose(): void {
    this.windows.dispose();
  }
}

/** Options of inference as those of windows. @throws ConfigError for unknown ones @internal */
export function windowOptions(asked: InferenceOptions, options: DeviceWindowsOptions): Partial<DeviceWindowsOptions> {
  expectOptions("Segmenter.configure", asked, inferenceNames);
  expectFields("windowOptions", "options", options, { roiSize: "spread" });
  const { roiSize, sliceAxis, scan } = options;
  const { overlap, batchSize, mirror, rot90, precision, maxBytes } = asked;
  expectWindowWords("Segmenter.configure", asked);
  const size = typeof roiSize === "number" ? [roiSize, roiSize, roiSize] : roiSize;
  const seen = size.flatMap((_, axis) => (axis === sliceAxis ? [] : [axis]));
  return {
    // Whoever has starts of their own has nnU-Net's.
    ...(scan && overlap !== undefined && { scan: (image, roi) => computeStepsForSlidingWindow(image, roi, 1 - overlap) }),
    ...(overlap !== undefined && { overlap: size.map((_, axis) => (axis === sliceAxis ? 0 : overlap)) }),
    ...(batchSize !== undefined && { swBatchSize: batchSize }),
    ...(mirror !== undefined && { mirrorAxes: mirror ? seen : [] }),
    ...(rot90 !== undefined && { rot90Axes: rot90 ? squareOf(seen, size) : undefined }),
    ...(precision !== undefined && { precision }),
    ...(maxBytes !== undefined && { maxBytes }),
  };
}

/** The last two axes along which windows are equally long. */
function squareOf(axes: readonly number[], size: readonly number[]): [number, number] {
  for (let b = axes.length - 1; b > 0; b--) {
    const a = axes.slice(0, b).findLast((axis) => size[axis] === size[axes[b]]);
    if (a !== undefined) return [a, axes[b]];
  }
  throw new ConfigError(`quarter turns need windows that are equally long along two axes, these are [${size}]`);
}

/** Options of `WholeSegmenter`. */
export interface WholeSegmenterOptions extends Omit<CoreWindowsOptions, "decision"> {
  /** What the network's outputs mean. */
  readonly outputs: OutputCoding;
}

/** Segments whole images with a network that looks only so far, such as MeshNet, in bounded memory: see `CoreWindows`. It gives labels only. */
export class WholeSegmenter implements Segmenter {
  private readonly outputs: OutputCoding;
  private readonly make: (options: CoreWindowsOptions) => CoreWindows;
  private windows: CoreWindows;

  constructor(device: Device, network: Module, options: WholeSegmenterOptions) {
    expectOptions("WholeSegmenter", options, "outputs:object! precision maxBytes");
    expectDevice("WholeSegmenter", device);
    expectModule("WholeSegmenter", { network });
    expectCoding("WholeSegmenter", "options.outputs", options.outputs);
    const { outputs, ...rest } = options;
    this.outputs = outputs;
    this.make = (more) => new CoreWindows(device, network, { ...rest, decision: outputs.decision, ...more });
    this.windows = this.make({});
  }

  async run(image: HostArray, hooks: SegmentHooks = {}): Promise<HostArray<Uint8Array | Int32Array>> {
    return this.outputs.valuesOf(await this.windows.run(image, hooks));
  }

  plan(shape: readonly number[]): Promise<SegmentPlan> {
    return this.windows.plan(shape);
  }

  /** @throws ConfigError for what belongs to windows that are weighted and summed */
  configure({ precision, maxBytes, ...others }: InferenceOptions): void {
    const asked = Object.entries(others).filter(([, value]) => value !== undefined);
    if (asked.length > 0)
      throw new ConfigError(`the network sees whole images, each voxel once: no ${asked.map(([name]) => name).join(", ")}`);
    const windows = this.make({ ...(precision && { precision }), ...(maxBytes !== undefined && { maxBytes }) });
    this.windows.dispose();
    this.windows = windows;
  }

  dispose(): void {
    this.windows.dispose();
  }
}

/** Options of `SliceSegmenter`. */
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
  expectOptions("SliceSegmenter", options, "patchSize:numbers! sliceAxis:number! outputs:object! batchSize");
  const { patchSize, sliceAxis, outputs, batchSize = 8 } = options;
  // MONAI's default within slices; slices do not overlap.
  const overlap = [0.25, 0.25].toSpliced(sliceAxis, 0, 0);
  return { roiSize: patchSize.toSpliced(sliceAxis, 0, 1), overlap, swBatchSize: batchSize, sliceAxis, outputs };
}
