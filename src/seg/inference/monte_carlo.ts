/**
 * @file Test-time dropout (Gal and Ghahramani 2016): a network predicts several times with dropout on; how much the samples disagree tells how
 * sure it is (Roy et al. 2018, "Inherent brain segmentation quality control").
 */

import { Dropout } from "../../nn/layers/dropout.ts";
import { Module } from "../../nn/module.ts";
import { ConfigError, DataError, ShapeError } from "../../host/errors.ts";
import type { HostArray } from "../../host/array.ts";
import type { Tensor } from "../../tensor/tensor.ts";

function setDropout(module: Module, training: boolean): void {
  for (const m of module.modules()) if (m instanceof Dropout) m.training = training;
}

/**
 * A network whose dropout stays on in evaluation while everything else, such as batch norm, evaluates: for `Predictor` and `capture`, where
 * each call draws new masks. Shares the network's weights.
 */
export class TestDropout extends Module {
  readonly network: Module;

  constructor(network: Module) {
    super();
    this.network = network;
    this.training = network.training;
  }

  forward(x: Tensor): Tensor {
    setDropout(this.network, true);
    try {
      return this.network.forward(x);
    } finally {
      setDropout(this.network, this.training);
    }
  }
}

/** How far the samples of each structure agree, one entry per class. */
export interface StructureUncertainties {
  /** Voxels that all samples give the class over voxels that any does; 1 for a class that none finds. */
  readonly iou: Float64Array;
  /** Standard deviation (of the population) over mean of the volumes; NaN for a class that no sample finds. */
  readonly coefficientOfVariation: Float64Array;
  /** `[classes]` per sample: voxels of each class. */
  readonly volumes: readonly Float64Array[];
}

/**
 * Uncertainty of each structure from label maps of one image, drawn with dropout or by different views.
 * @param samples class indices below `numClasses`, all of one shape
 * @throws ConfigError without a sample, ShapeError for different shapes, DataError for other labels
 */
export function structureUncertainty(samples: readonly HostArray[], numClasses: number): StructureUncertainties {
  const op = "structureUncertainty";
  if (samples.length === 0) throw new ConfigError(`${op}: there is no sample; give at least one label map`);
  const [first] = samples;
  for (const { shape } of samples) {
    if (shape.join() !== first.shape.join())
      throw new ShapeError(`${op}: the samples have the shapes [${first.shape}] and [${shape}]; expected one shape`);
  }
  const volumes = samples.map(() => new Float64Array(numClasses));
  const [all, any] = [new Float64Array(numClasses), new Float64Array(numClasses)];
  const seen = new Int32Array(numClasses).fill(-1); // last voxel at which a class was counted
  for (let i = 0; i < first.data.length; i++) {
    let agreed = true;
    for (let s = 0; s < samples.length; s++) {
      const label = samples[s].data[i];
      if (!(Number.isInteger(label) && label >= 0 && label < numClasses))
        throw new DataError(`${op}: sample ${s} holds ${label}; expected class indices 0 … ${numClasses - 1}`);
      volumes[s][label]++;
      if (label !== first.data[i]) agreed = false;
      if (seen[label] === i) continue;
      seen[label] = i;
      any[label]++;
    }
    if (agreed) all[first.data[i]]++;
  }
  const n = samples.length;
  const coefficientOfVariation = Float64Array.from({ length: numClasses }, (_, c) => {
    const mean = volumes.reduce((sum, v) => sum + v[c], 0) / n;
    const variance = volumes.reduce((sum, v) => sum + (v[c] - mean) ** 2, 0) / n;
    return Math.sqrt(variance) / mean;
  });
  return { iou: all.map((v, c) => (any[c] === 0 ? 1 : v / any[c])), coefficientOfVariation, volumes };
}
