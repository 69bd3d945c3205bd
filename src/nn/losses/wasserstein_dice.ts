/** @file Generalized Wasserstein Dice loss with MONAI's options and defaults. */

import { expectArguments } from "../../host/kinds.ts";
import { expectKind } from "../../tensor/kind.ts";
import { conv } from "../../autograd/conv.ts";
import { add, affine, div, mul, reciprocal, sub } from "../../autograd/pointwise.ts";
import { mean, sum } from "../../autograd/reduce.ts";
import { regionSums } from "../../autograd/region.ts";
import { softmax } from "../../autograd/softmax.ts";
import { noGrad } from "../../autograd/tape.ts";
import { reshape, slice } from "../../autograd/view.ts";
import { oneHot } from "../../kernels/indexing.ts";
import type { Reduction } from "../../autograd/cross_entropy.ts";
import { ConfigError, ShapeError } from "../../host/errors.ts";
import { sizeOf } from "../../host/array.ts";
import { expectOptions } from "../../host/options.ts";
import { showShape } from "../../host/shape.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import { composed, expectReduction, wantsCompat } from "./overlap.ts";

/** Options of `generalizedWassersteinDiceLoss`. */
export interface GeneralizedWassersteinDiceLossOptions {
  /** "default": errors of all classes count alike; "GDL": by the inverse volume of the class in the target. */
  readonly weightingMode?: "default" | "GDL";
  /** Default "mean"; "none" gives `[N, 1, …]`. */
  readonly reduction?: Reduction;
  /** Added to the numerator; default 1e-5. */
  readonly smoothNr?: number;
  /** Added to the denominator; default 1e-5. */
  readonly smoothDr?: number;
  /** MONAI's numbers for batches of more than one: the hits of a sample are counted in the errors of all. */
  readonly compat?: "monai";
}

function scaled(distances: readonly (readonly number[])[], classes: number): number[] {
  const op = "generalizedWassersteinDiceLoss";
  expectArguments(op, "list", { distances });
  distances.forEach((row, i) => expectArguments(op, "numbers", { [`distances[${i}]`]: row }));
  if (distances.length !== classes || distances.some((row) => row.length !== classes)) {
    throw new ShapeError(`${op}: the distances must be ${classes} rows of ${classes}, one per class of the input`);
  }
  const largest = distances.flat().reduce((most, d) => Math.max(most, d), -Infinity);
  if (!(largest > 0)) throw new ConfigError(`${op}: the largest distance must be positive, got ${largest}`);
  return distances.flat().map((d) => d / largest);
}

/**
 * Dice loss where the error at a position is how far, by a matrix of distances between classes, the predicted distribution lies from the true class
 * (Fidon et al. 2017; "GDL" after Tilborghs et al. 2020). Each sample has its own ratio; MONAI's mixes the samples of a batch of more than one by
 * accident of broadcasting, reproduced with `compat` only; then the reduction "none" is refused, as there. Distances have no unit.
 * @param input logits `[N, C, spatial…]`; softmax is applied
 * @param target class indices (f32, i32 or u32), `[N, spatial…]` or `[N, 1, spatial…]`
 * @param distances C × C between classes; divided by the largest
 * @throws ShapeError, ConfigError
 */
export function generalizedWassersteinDiceLoss(
  input: Tensor,
  target: Tensor,
  distances: readonly (readonly number[])[],
  options: GeneralizedWassersteinDiceLossOptions = {},
): Tensor {
  expectOptions("generalizedWassersteinDiceLoss", options, "weightingMode reduction smoothNr:number smoothDr:number compat");
  expectKind("generalizedWassersteinDiceLoss", { input, target });
  const op = "generalizedWassersteinDiceLoss";
  const { weightingMode = "default", reduction = "mean", smoothNr = 1e-5, smoothDr = 1e-5 } = options;
  const compat = wantsCompat(op, options.compat, "monai");
  expectReduction(op, reduction, compat ? ["mean", "sum"] : undefined);
  if (weightingMode !== "default" && weightingMode !== "GDL") {
    throw new ConfigError(`${op}: weightingMode must be "default" or "GDL", got ${JSON.stringify(weightingMode)}`);
  }
  if (input.rank < 2) throw new ShapeError(`${op}: input must be [N, C, spatial…], got ${showShape(input.shape)}`);
  const [samples, classes] = input.shape;
  const inner = sizeOf(input.shape.slice(2));
  if (target.shape[0] !== samples || target.size !== samples * inner) {
    throw new ShapeError(`${op}: target ${showShape(target.shape)} does not fit the input ${showShape(input.shape)}`);
  }
  const matrix = scaled(distances, classes);
  return composed(input, () => {
    const { device } = input;
    const p = softmax(reshape(input, [samples, classes, inner]), 1);
    // Channel l of `far` is the distance of each prediction from class l; the overlap with the target adds it up where l is the true class.
    const far = conv(p, device.tensor({ data: matrix, shape: [classes, classes, 1] }));
    const index = reshape(target, [samples, 1, inner]);
    const sums = regionSums(far, index, { indexTarget: true, op });
    const [error, , volume] = [0, 1, 2].map((k) => reshape(slice(sums, [[k, k + 1]]), [samples, classes]));
    const right = sub(compat ? affine(volume, samples) : volume, compat ? errorOfAll(far, index) : error);
    let hits: Tensor;
    let total: Tensor;
    if (weightingMode === "GDL") {
      const alpha = noGrad(() => reciprocal(affine(volume, 1, 1)));
      hits = sum(mul(right, alpha), 1);
      total = sum(mul(add(right, compat ? affine(volume, samples) : volume), alpha), 1);
    } else {
      // The background does not count as hit.
      hits = sum(slice(right, [undefined, [1]]), 1);
      total = add(affine(hits, 2), sum(error, 1));
    }
    const loss = affine(div(affine(hits, 2, smoothNr), affine(total, 1, smoothDr)), -1, 1);
    if (reduction === "none") return reshape(loss, [samples, ...input.shape.slice(1).map(() => 1)]);
    return reduction === "mean" ? mean(loss) : sum(loss);
  });
}

/** `[N, C]`: the errors of all samples together at the positions where a sample has a class. */
function errorOfAll(far: Tensor, index: Tensor): Tensor {
  const target = oneHot(index, far.shape[1]);
  const error = sum(sum(mul(far, target), 1, { keepDims: true }), 0, { keepDims: true });
  return sum(mul(target, error), 2);
}
