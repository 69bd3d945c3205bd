/**
 * @file QuickNAT's three views (Roy et al. 2019): networks for coronal, axial and sagittal slices of one volume, their scores added up; with
 * test-time dropout also the uncertainty of each structure. Scores stay on the device, some rows of the volume at a time.
 */

import { expectWord } from "../../host/words.ts";
import { expectDevice } from "../../tensor/kind.ts";
import { expectArguments } from "../../host/kinds.ts";
import type { Precision } from "../../autograd/precision.ts";
import { type SliceOrientation, orientationAxes } from "../../data/orientation.ts";
import { type HostArray, sizeOf } from "../../host/array.ts";
import { ConfigError, OutOfMemoryError, ShapeError } from "../../host/errors.ts";
import { expectIntegers } from "../../host/integers.ts";
import { expectOptions } from "../../host/options.ts";
import type { AbortSignal } from "../../host/platform.ts";
import { formatBytes } from "../../host/text.ts";
import type { Module } from "../../nn/module.ts";
import type { Device } from "../../tensor/device.ts";
import { keep } from "../../tensor/scope.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import { StructureCounts, type StructureUncertainties } from "./monte_carlo.ts";
import { padTo } from "./padding.ts";
import { type ViewJob, ViewRun } from "./view_run.ts";
import { type StepKind, type View, ViewSteps } from "./view_steps.ts";
import { bytesPerVoxel } from "./view_sums.ts";
import type { Size3 } from "./window_plan.ts";

/** A network per view, at least one: `[B, C, rows, columns]` → `[B, classes, rows, columns]` logits. */
export type ViewNetworks = Readonly<Partial<Record<SliceOrientation, Module>>>;

/** Options of `QuickNatViews`. */
export interface QuickNatViewsOptions {
  /**
   * What is added up: softmax probabilities (default), or the raw logits, as the code of `quickNAT_pytorch` adds its two views.
   */
  readonly combine?: "probabilities" | "logits";
  /**
   * Factor of each view. Default for probabilities the paper's 0.4 COR, 0.4 AXI, 0.2 SAG, scaled so that those of the views given add up to 1;
   * 1 each for logits.
   */
  readonly weights?: Readonly<Partial<Record<SliceOrientation, number>>> | undefined;
  /** Axes of a volume that are slice, row and column of each view; default those of FreeSurfer's orientation (`orientationAxes`). */
  readonly axes?: Readonly<Partial<Record<SliceOrientation, readonly [number, number, number]>>> | undefined;
  /** Slices per call of a network; default 8. */
  readonly batchSize?: number;
  /** Volumes smaller than this are padded with 0 on both sides, `[X, Y, Z]`; default not. */
  readonly minSize?: readonly [number, number, number] | undefined;
  /** Volumes are padded to multiples of this; default 1. */
  readonly multiple?: number;
  /** Arithmetic of the networks: "f16" needs a device that has it. Default "f32". */
  readonly precision?: Precision;
  /** Bytes of device memory that all of it may take, networks included. Default 2 GiB. */
  readonly maxBytes?: number;
}

/** What is told while views are predicted. */
export interface ViewsHooks {
  /** Called after every batch with the slices done and their total, over all views, samples and row blocks. */
  readonly onProgress?: ((done: number, total: number) => void) | undefined;
  /** Aborting ends the run after the batch in flight, with the signal's reason. */
  readonly signal?: AbortSignal | undefined;
}

/** Options of `QuickNatViews.predict`. */
export interface PredictOptions extends ViewsHooks {
  /** Give `scores` back: 4 bytes × classes × voxels of host memory. Default false. */
  readonly scores?: boolean;
}

/** Options of `QuickNatViews.predictWithUncertainty`, `QuickNatViews.plan`. */
export interface UncertaintyOptions extends PredictOptions {
  /** Draws of each view; default 10. */
  readonly samples?: number;
  /** Give `variance` back; takes twice the device memory. Default false. */
  readonly variance?: boolean;
  /** Give the label map of every draw back. Default false. */
  readonly keepSamples?: boolean;
}

/** What three views say together. */
export interface ViewsPrediction {
  /** `[X, Y, Z]`: class with the largest score. */
  readonly labels: HostArray<Uint8Array | Uint32Array>;
  /** `[classes, X, Y, Z]`: weighted sum of the views. */
  readonly scores?: HostArray<Float32Array>;
}

/** What several passes with dropout say together. */
export interface MonteCarloPrediction extends ViewsPrediction {
  /** The label map of every sample of every view, `[X, Y, Z]`, views one after the other. */
  readonly samples?: readonly HostArray<Uint8Array>[];
  /** How far the samples of each structure agree. */
  readonly uncertainty: StructureUncertainties;
  /** `[X, Y, Z]`: variance of the scores over samples and views, with the views' weights, added up over the classes. */
  readonly variance?: HostArray<Float32Array>;
}

/** What a run will need, known before it starts. */
export interface ViewsPlan {
  /** Rows of the volume whose scores are on the device at a time, and how many blocks of them there are. */
  readonly rows: number;
  /** How many blocks of rows there are. */
  readonly blocks: number;
  /** Slices that networks see, those that are seen again for another block included. */
  readonly slices: number;
  /** Bytes on the device of the networks, with values. */
  readonly networkBytes: number;
  /** Bytes on the device of the sums of scores. */
  readonly sumBytes: number;
  /** Bytes on the device at most. */
  readonly peakBytes: number;
}

const viewOrder = ["COR", "AXI", "SAG"] as const;
const paperWeights = { COR: 0.4, AXI: 0.4, SAG: 0.2 } as const;
const names = "combine weights axes batchSize minSize multiple precision maxBytes";
const predictNames = "onProgress signal scores";
const uncertaintyNames = "onProgress signal scores samples variance keepSamples";

/** A run that was planned. */
interface Prepared extends ViewJob {
  readonly networkBytes: number;
}

/**
 * Segments volumes slice by slice along several views. The scores of as many rows as `maxBytes` allows are added up on the device; for each further block
 * of rows the slices that cross it are predicted again.
 */
export class QuickNatViews {
  private readonly device: Device;
  private readonly options: QuickNatViewsOptions;
  private readonly views: readonly ViewSteps[];
  private readonly draws: Tensor;

  /** @throws ConfigError without a view, for weights that are not positive, an unknown combination or numbers below 1 */
  constructor(device: Device, networks: ViewNetworks, options: QuickNatViewsOptions = {}) {
    expectOptions("QuickNatViews", options, names);
    expectDevice("QuickNatViews", device);
    expectArguments("QuickNatViews", "object", { networks });
    const { combine = "probabilities", batchSize = 8, multiple = 1, precision = "f32", maxBytes = 2 ** 31 } = options;
    expectWord("QuickNatViews", "combine", combine, ["probabilities", "logits"]);
    expectWord("QuickNatViews", "precision", precision, ["f32", "f16"]);
    expectIntegers("QuickNatViews", { batchSize, multiple, maxBytes }, 1);
    const probabilities = combine === "probabilities";
    this.device = device;
    this.options = options;
    const views = viewsOf(networks, options, probabilities);
    // Of its own, so that a network that is trained meanwhile draws what it would have drawn.
    this.draws = keep(device.tensor({ data: new Uint32Array(4), shape: [4] }, "u32"));
    this.views = views.map((v) => new ViewSteps(device, v, probabilities, precision, this.draws));
  }

  /**
   * Segments a volume in evaluation mode.
   * @param volume `[X, Y, Z]` or `[C, X, Y, Z]`, in FreeSurfer's orientation unless `axes` says otherwise, intensities scaled as in training (QuickNAT: 0 to 1)
   * @throws ShapeError for another rank, or networks whose output does not fit; OutOfMemoryError if `maxBytes` is too little; the signal's reason
   */
  async predict(volume: HostArray, options: PredictOptions = {}): Promise<ViewsPrediction> {
    expectOptions("QuickNatViews.predict", options, predictNames);
    const { labels, scores } = await this.run(volume, { ...options, samples: 1 }, { sampled: false, squares: false });
    return { labels, ...(scores && { scores }) };
  }

  /**
   * Segments a volume `samples` times with dropout on. Scores are the mean over the samples, and what each sample of each view says is compared. The same
   * state of the device's generator (`seedDropout`), of which it takes one draw, gives the same samples. `volume` has the same shapes.
   * @param volume as `predict`'s
   * @throws as `predict`; ConfigError for fewer than one sample, more than 256 classes, or variances of logits
   */
  async predictWithUncertainty(volume: HostArray, options: UncertaintyOptions = {}): Promise<MonteCarloPrediction> {
    expectOptions("QuickNatViews.predictWithUncertainty", options, uncertaintyNames);
    const { samples = 10, variance = false } = options;
    expectIntegers("QuickNatViews", { samples }, 1);
    if (variance && this.options.combine === "logits")
      throw new ConfigError('QuickNatViews: the variance is that of probabilities; combine "probabilities", or leave it out');
    const found = await this.run(volume, { ...options, samples }, { sampled: true, squares: variance });
    const { uncertainty, ...rest } = found;
    return { ...rest, uncertainty: uncertainty! };
  }

  /** What `predict`, or with samples `predictWithUncertainty`, will do for a volume of this shape. @throws as these */
  async plan(shape: readonly number[], options: UncertaintyOptions = {}): Promise<ViewsPlan> {
    expectOptions("QuickNatViews.plan", options, uncertaintyNames);
    const { samples, variance = false } = options;
    const kind = { sampled: samples !== undefined, squares: variance };
    const job = await this.prepare(fourAxes(shape), kind, samples ?? 1);
    const { networkBytes, blocks, size, classes } = job;
    const rows = blocks[0][1] - blocks[0][0];
    const sumBytes = Math.ceil(rows * size[0] * size[2] * bytesPerVoxel(classes, kind.squares));
    const slices = new ViewRun(this.device, this.views, job, this.draws).slices;
    return { rows, blocks: blocks.length, slices, networkBytes, sumBytes, peakBytes: networkBytes + sumBytes };
  }

  /** Frees the captured steps, not the networks. */
  dispose(): void {
    for (const view of this.views) view.dispose();
    this.draws.dispose();
  }

  private async run(volume: HostArray, options: UncertaintyOptions & { readonly samples: number }, kind: StepKind) {
    const { scores = false, keepSamples = false, samples, signal, onProgress } = options;
    expectArguments("QuickNatViews", "array", { volume });
    signal?.throwIfAborted();
    const shape = fourAxes(volume.shape);
    const job = await this.prepare(shape, kind, samples);
    if (kind.sampled && job.classes > 256)
      throw new ConfigError(`QuickNatViews: label maps of samples hold 256 classes, the network has ${job.classes}`);
    const { image, before } = padTo({ data: volume.data, shape: [1, ...shape] }, job.size, "constant", 0);
    const counts = kind.sampled ? new StructureCounts(job.classes) : undefined;
    const run = new ViewRun(this.device, this.views, job, this.draws);
    return run.run({ image: { data: image.data, shape: image.shape.slice(1) }, before, inside: job.inside }, counts, {
      scores,
      keepSamples,
      signal,
      onProgress,
    });
  }

  private async prepare([channels, ...given]: readonly number[], kind: StepKind, samples: number): Promise<Prepared> {
    const { minSize = [1, 1, 1], multiple = 1, batchSize = 8, maxBytes = 2 ** 31 } = this.options;
    const size = size3(given.map((n, a) => Math.ceil(Math.max(n, minSize[a]) / multiple) * multiple));
    let [kept, scratch, inputs] = [0, 0, 0];
    for (const view of this.views) {
      const [slice, row, column] = view.view.axes;
      const shape = [Math.min(batchSize, size[slice]), channels, size[row], size[column]];
      const { peakBytes, memory } = await view.prepare(kind, shape);
      // Plans share what they do not keep.
      kept += peakBytes - memory.scratch;
      scratch = Math.max(scratch, memory.scratch);
      inputs = Math.max(inputs, 4 * sizeOf(shape));
    }
    const [{ classes }] = this.views;
    const other = this.views.find((v) => v.classes !== classes);
    if (other)
      throw new ShapeError(`QuickNatViews: one view has ${classes} classes, another ${other.classes}; expected the same`);
    const networkBytes = kept + scratch + inputs;
    const voxelBytes = bytesPerVoxel(classes, kind.squares);
    const blocks = rowBlocks(size, given[1], voxelBytes, maxBytes - networkBytes, this.device.maxBindingSize);
    if (blocks.length > 0)
      return { size, inside: size3(given), channels, classes, blocks, samples, kind, batchSize, networkBytes };
    throw new OutOfMemoryError(
      `QuickNatViews: the networks need ${formatBytes(networkBytes)} for ${batchSize} slices, ${formatBytes(maxBytes)} are allowed, and not even ` +
        "one row of the volume fits beside them: use smaller batches, or allow more memory",
    );
  }
}

const size3 = (list: readonly number[]): Size3 => list as unknown as Size3;

/** `[C, X, Y, Z]` of a volume with or without channels. */
function fourAxes(shape: readonly number[]): number[] {
  if (shape.length === 4) return [...shape];
  if (shape.length === 3) return [1, ...shape];
  throw new ShapeError(`QuickNatViews: the volume is [${shape}]; expected [X, Y, Z] or [C, X, Y, Z]`);
}

/** The rows of a volume with `given` ones, padding left out, that are done together; empty if not even one fits. */
function rowBlocks(size: Size3, given: number, voxelBytes: number, bytes: number, maxBinding: number): [number, number][] {
  const row = size[0] * size[2];
  const most = Math.min(Math.floor(bytes / (row * voxelBytes)), Math.floor(maxBinding / (4 * row)));
  if (most < 1) return [];
  const rows = Math.ceil(given / Math.ceil(given / most));
  return Array.from({ length: Math.ceil(given / rows) }, (_, i) => [i * rows, Math.min(given, (i + 1) * rows)]);
}

/** The views that are given, with their factors. */
function viewsOf(networks: ViewNetworks, { weights, axes }: QuickNatViewsOptions, probabilities: boolean): View[] {
  const given = viewOrder.filter((view) => networks[view]);
  if (given.length === 0) throw new ConfigError("QuickNatViews: give a network for at least one of COR, AXI and SAG");
  const raw = given.map((view) => weights?.[view] ?? (probabilities && !weights ? paperWeights[view] : 1));
  if (raw.some((w) => !(w > 0))) throw new ConfigError(`QuickNatViews: weights must be positive, got [${raw.join(", ")}]`);
  const total = probabilities ? raw.reduce((a, b) => a + b, 0) : 1;
  return given.map((view, i) => {
    const lie = axes?.[view] ?? orientationAxes(view);
    if (lie.toSorted().join() !== "0,1,2")
      throw new ConfigError(`QuickNatViews: axes of ${view} must be 0, 1 and 2 in some order, got [${lie}]`);
    return { network: networks[view]!, axes: lie, factor: raw[i] / total };
  });
}
