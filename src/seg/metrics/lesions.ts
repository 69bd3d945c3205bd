/** @file How many lesions were found: connected components of the truth that the prediction touches, and components of the prediction that touch none. */

import { expectArguments, refused } from "../../host/kinds.ts";
import type { HostArray } from "../../host/array.ts";
import { type Components, connectedComponents } from "../../host/grid/components.ts";
import { ShapeError } from "../../host/errors.ts";
import { expectOptions } from "../../host/options.ts";
import { showShape } from "../../host/shape.ts";

/** Lesions of a case. */
export interface LesionCounts {
  /** Components of the truth. */
  readonly lesions: number;
  /** Those of them that are found. */
  readonly found: number;
  /** Components of the prediction. */
  readonly predicted: number;
  /** Those of them that lie on no lesion. */
  readonly falsePositives: number;
}

/** What a lesion is, and when it is found. */
export interface LesionOptions {
  /** Neighbors: a rank or 6, 18, 26 (4, 8). Default all around. */
  readonly connectivity?: number | null;
  /** Share of a component's voxels that the other mask has to cover. Default 0: one voxel is enough. */
  readonly overlap?: number;
}

/** Of how many components more than a share, and at least one voxel, is set in `mask`. */
function covered({ count, sizes, starts, ends, of }: Components, mask: ArrayLike<number>, share: number): number {
  const voxels = new Int32Array(count + 1);
  for (let run = 0; run < starts.length; run++) {
    let inside = 0;
    for (let i = starts[run]; i < ends[run]; i++) inside += Number(mask[i] !== 0);
    voxels[of[run]] += inside;
  }
  let n = 0;
  for (let k = 1; k <= count; k++) n += Number(voxels[k] > 0 && voxels[k] >= share * sizes[k]);
  return n;
}

/**
 * Counts the lesions of a mask that another found, by overlap, as the challenges of multiple sclerosis do (lesion-wise true and false positive rates,
 * Styner et al., MIDAS Journal, 2008): a lesion is a connected component.
 * @param prediction mask `[...spatial]`, or `[1, ...spatial]`; all that is not 0
 * @param truth of the same shape
 * @throws ShapeError for different shapes, ConfigError for an unknown connectivity or option and a share that is none
 */
export function countLesions(prediction: HostArray, truth: HostArray, options: LesionOptions = {}): LesionCounts {
  expectOptions("countLesions", options, "connectivity overlap:number");
  expectArguments("countLesions", "array", { prediction, truth });
  const { connectivity = null, overlap = 0 } = options;
  if (!(overlap >= 0 && overlap <= 1)) refused("countLesions", "overlap", "a share from 0 to 1", overlap);
  if (prediction.shape.join() !== truth.shape.join())
    throw new ShapeError(`countLesions: the prediction is ${showShape(prediction.shape)}, the truth ${showShape(truth.shape)}`);
  const shape = truth.shape.length > 1 && truth.shape[0] === 1 ? truth.shape.slice(1) : truth.shape;
  const lesions = connectedComponents(truth.data, shape, { connectivity });
  const predicted = connectedComponents(prediction.data, shape, { connectivity });
  return {
    lesions: lesions.count,
    found: covered(lesions, prediction.data, overlap),
    predicted: predicted.count,
    falsePositives: predicted.count - covered(predicted, truth.data, overlap),
  };
}
