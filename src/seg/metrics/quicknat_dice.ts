/** @file QuickNAT's Dice of label maps: per class, and of every class with every other. */

import { expectArguments } from "../../host/kinds.ts";
import type { HostArray } from "../../host/array.ts";
import { LabelPairs } from "./label_pairs.ts";

/** Keeps the quotient of absent classes from 0/0, as upstream. */
const smooth = 1e-4;

/**
 * 2·|P_j ∩ T_i| / (|P_j| + |T_i| + 1e-4) of each class i of the truth (rows) with each class j of the prediction. The diagonal is the Dice per class; its mean
 * is what "average Dice" should be (upstream takes the mean of another matrix, with n⁴ entries).
 * @param prediction class indices, any shape
 * @returns `[numClasses, numClasses]`
 * @throws ShapeError
 */
export function diceConfusionMatrix(prediction: HostArray, truth: HostArray, numClasses: number): HostArray<Float64Array> {
  expectArguments("diceConfusionMatrix", "array", { prediction, truth });
  expectArguments("diceConfusionMatrix", "number", { numClasses });
  const pairs = new LabelPairs("diceConfusionMatrix", prediction, truth);
  const data = new Float64Array(numClasses * numClasses);
  const [rows, columns] = [pairs.totals("truth"), pairs.totals("prediction")];
  for (let i = 0; i < numClasses; i++) {
    for (let j = 0; j < numClasses; j++)
      data[i * numClasses + j] = (2 * pairs.voxels(j, i)) / ((rows.get(i) ?? 0) + (columns.get(j) ?? 0) + smooth);
  }
  return { data, shape: [numClasses, numClasses] };
}

/** Dice per class with QuickNAT's 1e-4 (`dice_score_perclass`); shapes, arguments and errors as `diceConfusionMatrix`. `numClasses` counts the background. */
export function diceScorePerClass(prediction: HostArray, truth: HostArray, numClasses: number): HostArray<Float64Array> {
  expectArguments("diceScorePerClass", "array", { prediction, truth });
  expectArguments("diceScorePerClass", "number", { numClasses });
  const { data } = diceConfusionMatrix(prediction, truth, numClasses);
  return { data: Float64Array.from({ length: numClasses }, (_, c) => data[c * (numClasses + 1)]), shape: [numClasses] };
}
