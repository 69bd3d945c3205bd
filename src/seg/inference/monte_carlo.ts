/**
 * @file Test-time dropout (Gal and Ghahramani 2016): a network predicts several times with dropout on; how much the samples disagree tells how
 * sure it is (Roy et al. 2018, "Inherent brain segmentation quality control").
 */

import { expectArguments } from "../../host/kinds.ts";
import { Dropout } from "../../nn/layers/dropout.ts";
import { Module, expectModule } from "../../nn/module.ts";
import { ConfigError, DataError, ShapeError } from "../../host/errors.ts";
import type { HostArray } from "../../host/array.ts";
import type { Tensor } from "../../tensor/tensor.ts";

/**
 * A network whose dropout stays on in evaluation while everything else, such as batch norm, evaluates: for `Predictor` and `capture`, where
 * each call draws new masks. Shares the network's weights.
 */
export class TestDropout extends Module {
  /** The network whose dropout is on. */
  readonly network: Module;

  constructor(network: Module) {
    expectModule("TestDropout", { network });
    super();
    this.network = network;
    this.training = network.training;
  }

  forward(x: Tensor): Tensor {
    const modes = Array.from(this.network.modules(), (m) => [m, m.training] as const).filter(([m]) => m instanceof Dropout);
    for (const [m] of modes) m.training = true;
    try {
      return this.network.forward(x);
    } finally {
      for (const [m, training] of modes) m.training = training;
    }
  }
}

/** Whether a network has dropout that does something when it is on. */
export function hasDropout(network: Module): boolean {
  expectModule("hasDropout", { network });
  return Array.from(network.modules()).some((m) => m instanceof Dropout && m.drops);
}

/** How far the samples of each structure agree, one entry per class. Each is `[classes]`. */
export interface StructureUncertainties {
  /** Voxels that all samples give the class over voxels that any does; 1 for a class that none finds. */
  readonly iou: Float64Array;
  /** Standard deviation (of the population) over mean of the volumes; NaN for a class that no sample finds. Of voxels. */
  readonly coefficientOfVariation: Float64Array;
  /** `[classes]` per sample: voxels of each class. */
  readonly volumes: readonly Float64Array[];
}

/**
 * Agreement of label maps, counted as they come, so that none but the first need be kept. Large volumes are counted part by part, each with all samples.
 */
export class StructureCounts {
  private readonly classes: number;
  private readonly words: number;
  private readonly volumes: Float64Array[] = [];
  private readonly all: Float64Array;
  private readonly any: Float64Array;
  private first: Int32Array | undefined;
  private agreed = new Uint8Array(0);
  // Classes that a voxel was given, a bit each.
  private seen = new Uint32Array(0);

  /** @param numClasses classes of the label maps, background included */
  constructor(numClasses: number) {
    expectArguments("StructureCounts", "number", { numClasses });
    this.classes = numClasses;
    this.words = Math.ceil(numClasses / 32);
    this.all = new Float64Array(numClasses);
    this.any = new Float64Array(numClasses);
  }

  /** What follows are samples of the same `voxels` voxels, which were not counted before. */
  begin(voxels: number): void {
    this.first = undefined;
    this.agreed = new Uint8Array(voxels).fill(1);
    this.seen = new Uint32Array(voxels * this.words);
  }

  /**
   * Counts sample number `sample` of these voxels. `labels` are the classes of these voxels. @throws ShapeError for another number of voxels, DataError for
   * values that are no classes
   */
  add(labels: ArrayLike<number>, sample: number): void {
    const { agreed, seen, words, any, classes } = this;
    if (labels.length !== agreed.length)
      throw new ShapeError(`structureUncertainty: sample ${sample} has ${labels.length} voxels, expected ${agreed.length}`);
    while (this.volumes.length <= sample) this.volumes.push(new Float64Array(classes));
    const volumes = this.volumes[sample];
    const first = (this.first ??= Int32Array.from(labels));
    for (let i = 0; i < agreed.length; i++) {
      const label = labels[i];
      if (!(Number.isInteger(label) && label >= 0 && label < classes)) {
        throw new DataError(`structureUncertainty: sample ${sample} holds ${label}; expected class indices 0 … ${classes - 1}`);
      }
      volumes[label]++;
      if (label !== first[i]) agreed[i] = 0;
      const word = i * words + (label >>> 5);
      const bit = 1 << (label & 31);
      if ((seen[word] & bit) !== 0) continue;
      seen[word] |= bit;
      any[label]++;
    }
  }

  /** All samples of these voxels have come. */
  end(): void {
    const { agreed, first, all } = this;
    if (first) for (let i = 0; i < agreed.length; i++) if (agreed[i] === 1) all[first[i]]++;
    this.first = undefined;
  }

  /** What all samples of all voxels say together. */
  result(): StructureUncertainties {
    const { volumes, all, any, classes } = this;
    const n = volumes.length;
    const coefficientOfVariation = Float64Array.from({ length: classes }, (_, c) => {
      const mean = volumes.reduce((sum, v) => sum + v[c], 0) / n;
      const variance = volumes.reduce((sum, v) => sum + (v[c] - mean) ** 2, 0) / n;
      return Math.sqrt(variance) / mean;
    });
    return { iou: all.map((v, c) => (any[c] === 0 ? 1 : v / any[c])), coefficientOfVariation, volumes };
  }
}

/**
 * Uncertainty of each structure from label maps of one image, drawn with dropout or by different views.
 * @param samples class indices below `numClasses`, all of one shape
 * @throws ConfigError without a sample, ShapeError for different shapes, DataError for other labels
 */
export function structureUncertainty(samples: readonly HostArray[], numClasses: number): StructureUncertainties {
  const op = "structureUncertainty";
  expectArguments(op, "arrays", { samples });
  if (samples.length === 0) throw new ConfigError(`${op}: there is no sample; give at least one label map`);
  const [first] = samples;
  for (const { shape } of samples) {
    if (shape.join() !== first.shape.join())
      throw new ShapeError(`${op}: the samples have the shapes [${first.shape}] and [${shape}]; expected one shape`);
  }
  const counts = new StructureCounts(numClasses);
  counts.begin(first.data.length);
  samples.forEach(({ data }, s) => counts.add(data, s));
  counts.end();
  return counts.result();
}
