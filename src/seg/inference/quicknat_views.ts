/**
 * @file QuickNAT's three views (Roy et al. 2019): networks for coronal, axial and sagittal slices of one volume, their scores added up; with
 * test-time dropout also the uncertainty of each structure.
 */

import { mul } from "../../autograd/pointwise.ts";
import { softmax } from "../../autograd/softmax.ts";
import { type SliceOrientation, orientationAxes, rotateOrientation } from "../../data/orientation.ts";
import { Module } from "../../nn/module.ts";
import type { Device } from "../../tensor/device.ts";
import { ConfigError, ShapeError } from "../../host/errors.ts";
import { argmaxPlanes } from "../../host/argmax.ts";
import { type HostArray, sizeOf } from "../../host/array.ts";
import { expectOptions } from "../../host/options.ts";
import { stridesOf } from "../../host/shape.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import { type StructureUncertainties, structureUncertainty, TestDropout } from "./monte_carlo.ts";
import { Predictor } from "./predictor.ts";

/** A network per view, at least one: `[B, 1, rows, columns]` → `[B, classes, rows, columns]` logits. */
export type ViewNetworks = Readonly<Partial<Record<SliceOrientation, Module>>>;

export interface QuickNatViewsOptions {
  /**
   * What is added up: softmax probabilities (default), or the raw logits, as the code of `quickNAT_pytorch` adds its two views.
   */
  readonly combine?: "probabilities" | "logits";
  /**
   * Factor of each view. Default for probabilities the paper's 0.4 COR, 0.4 AXI, 0.2 SAG, scaled so that those of the views given add up to 1;
   * 1 each for logits.
   */
  readonly weights?: Readonly<Partial<Record<SliceOrientation, number>>>;
  /** Slices per call of a network; default 8. */
  readonly batchSize?: number;
  /** Called after every batch with the slices done and their total, over all views and samples. */
  readonly onProgress?: (done: number, total: number) => void;
}

export interface ViewsPrediction {
  /** `[X, Y, Z]`: class with the largest score. */
  readonly labels: HostArray<Uint8Array>;
  /** `[classes, X, Y, Z]`: weighted sum of the views. */
  readonly scores: HostArray<Float32Array>;
}

export interface MonteCarloPrediction extends ViewsPrediction {
  /** The label map of every sample of every view, `[X, Y, Z]`, views one after the other. */
  readonly samples: readonly HostArray<Uint8Array>[];
  readonly uncertainty: StructureUncertainties;
}

/** Softmax or not, times the weight of the view. */
class Scored extends Module {
  readonly network: Module;
  private readonly factor: number;
  private readonly probabilities: boolean;

  constructor(network: Module, factor: number, probabilities: boolean) {
    super();
    this.network = network;
    this.training = network.training; // what a Predictor goes back to
    this.factor = factor;
    this.probabilities = probabilities;
  }

  forward(x: Tensor): Tensor {
    const y = this.network.forward(x);
    return mul(this.probabilities ? softmax(y) : y, this.factor);
  }
}

const viewOrder = ["COR", "AXI", "SAG"] as const;
const paperWeights = { COR: 0.4, AXI: 0.4, SAG: 0.2 } as const;

/**
 * Segments volumes slice by slice along several views. Scores of all classes are held in host memory: 4 bytes × classes × voxels, 2.2 GB for 33
 * classes of 256³.
 */
export class QuickNatViews {
  private readonly device: Device;
  private readonly options: QuickNatViewsOptions;
  private readonly views: readonly { readonly view: SliceOrientation; readonly network: Module; readonly factor: number }[];

  /** @throws ConfigError without a view, for weights that are not positive, an unknown combination or a batch size below 1 */
  constructor(device: Device, networks: ViewNetworks, options: QuickNatViewsOptions = {}) {
    expectOptions("QuickNatViews", options, "combine weights batchSize onProgress");
    const { combine = "probabilities", batchSize = 8 } = options;
    if (combine !== "probabilities" && combine !== "logits") {
      throw new ConfigError(`QuickNatViews: combine must be "probabilities" or "logits", got ${JSON.stringify(combine)}`);
    }
    if (!Number.isInteger(batchSize) || batchSize < 1)
      throw new ConfigError(`QuickNatViews: batchSize must be a positive integer, got ${batchSize}`);
    const given = viewOrder.filter((view) => networks[view]);
    if (given.length === 0) throw new ConfigError("QuickNatViews: give a network for at least one of COR, AXI and SAG");
    const probabilities = combine === "probabilities";
    const raw = given.map((view) => options.weights?.[view] ?? (probabilities && !options.weights ? paperWeights[view] : 1));
    if (raw.some((w) => !(w > 0))) throw new ConfigError(`QuickNatViews: weights must be positive, got [${raw.join(", ")}]`);
    const total = probabilities ? raw.reduce((a, b) => a + b, 0) : 1;
    this.device = device;
    this.options = options;
    this.views = given.map((view, i) => ({ view, network: networks[view]!, factor: raw[i] / total }));
  }

  /**
   * Segments a volume in evaluation mode.
   * @param volume `[X, Y, Z]` in FreeSurfer's orientation, intensities scaled as in training (QuickNAT: 0 to 1)
   * @throws ShapeError for another rank, or networks whose output does not fit
   */
  async predict(volume: HostArray): Promise<ViewsPrediction> {
    const { scores } = await this.run(volume, 1, false);
    return { scores, labels: largest(scores) };
  }

  /**
   * Segments a volume `samples` times with dropout on. Scores are the mean over the samples, and what each sample of each view says is compared.
   * @param volume as `predict`'s
   * @param samples default 10
   * @throws ShapeError as `predict`, ConfigError for fewer than one sample
   */
  async predictWithUncertainty(volume: HostArray, samples = 10): Promise<MonteCarloPrediction> {
    if (!Number.isInteger(samples) || samples < 1)
      throw new ConfigError(`QuickNatViews: samples must be a positive integer, got ${samples}`);
    const { scores, maps } = await this.run(volume, samples, true);
    return { scores, labels: largest(scores), samples: maps, uncertainty: structureUncertainty(maps, scores.shape[0]) };
  }

  private async run(volume: HostArray, samples: number, dropout: boolean) {
    if (volume.shape.length !== 3) throw new ShapeError(`QuickNatViews: the volume is [${volume.shape}]; expected [X, Y, Z]`);
    const size = this.views.reduce((n, { view }) => n + samples * volume.shape[orientationAxes(view)[0]], 0);
    let done = 0;
    let scores: HostArray<Float32Array> | undefined;
    const maps: HostArray<Uint8Array>[] = [];
    for (const { view, network, factor } of this.views) {
      const scored = new Scored(network, factor, this.options.combine !== "logits");
      const predictor = new Predictor(this.device, dropout ? new TestDropout(scored) : scored);
      try {
        const stack = rotateOrientation(volume, view);
        for (let s = 0; s < samples; s++) {
          const map = dropout ? { data: new Uint8Array(sizeOf(volume.shape)), shape: volume.shape } : undefined;
          for await (const { start, out } of this.slices(predictor, stack)) {
            if (out.shape[1] > 256)
              throw new ConfigError(`QuickNatViews: label maps hold 256 classes, the network has ${out.shape[1]}`);
            scores ??= { data: new Float32Array(out.shape[1] * sizeOf(volume.shape)), shape: [out.shape[1], ...volume.shape] };
            accumulate(scores, out, view, start, 1 / samples, map);
            this.options.onProgress?.((done += out.shape[0]), size);
          }
          if (map) maps.push(map);
        }
      } finally {
        predictor.dispose();
      }
    }
    return { scores: scores!, maps };
  }

  /** Predictions of a stack of slices, batch by batch. */
  private async *slices(predictor: Predictor, { data, shape }: HostArray) {
    const [count, rows, columns] = shape;
    const { batchSize = 8 } = this.options;
    for (let start = 0; start < count; start += batchSize) {
      const batch = Math.min(batchSize, count - start);
      const window = new Float32Array(data.subarray(start * rows * columns, (start + batch) * rows * columns));
      const out = await predictor.predict({ data: window, shape: [batch, 1, rows, columns] });
      if (out.shape.length !== 4 || out.shape[0] !== batch || out.shape[2] !== rows || out.shape[3] !== columns) {
        throw new ShapeError(
          `QuickNatViews: a network made [${out.shape}] of slices [${batch}, 1, ${rows}, ${columns}]; expected one score per class and pixel`,
        );
      }
      yield { start, out };
    }
  }
}

/** Adds `factor` times the scores of slices to the volume's, and notes the best class of each voxel in `map`, by `argmaxPlanes`'s rule. */
function accumulate(
  scores: HostArray<Float32Array>,
  out: HostArray,
  view: SliceOrientation,
  start: number,
  factor: number,
  map?: HostArray<Uint8Array>,
): void {
  const [batch, classes, rows, columns] = out.shape;
  if (classes !== scores.shape[0])
    throw new ShapeError(`QuickNatViews: one view has ${scores.shape[0]} classes, the next ${classes}; expected the same`);
  const volume = scores.shape.slice(1);
  const strides = stridesOf(volume);
  const [slice, row, column] = orientationAxes(view).map((axis) => strides[axis]);
  const [voxels, pixels] = [sizeOf(volume), rows * columns];
  for (let b = 0; b < batch; b++)
    for (let i = 0; i < rows; i++)
      for (let j = 0; j < columns; j++) {
        const to = (start + b) * slice + i * row + j * column;
        const from = b * classes * pixels + i * columns + j;
        let best = 0;
        for (let c = 0; c < classes; c++) {
          const value = out.data[from + c * pixels];
          scores.data[c * voxels + to] += factor * value;
          if (value > out.data[from + best * pixels]) best = c;
        }
        if (map) map.data[to] = best;
      }
}

/** The class with the largest score of each voxel. */
function largest({ data, shape }: HostArray<Float32Array>): HostArray<Uint8Array> {
  const [classes, ...volume] = shape;
  return { data: argmaxPlanes(data, classes, new Uint8Array(sizeOf(volume))), shape: volume };
}
