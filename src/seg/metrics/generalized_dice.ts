/** @file Generalized Dice: classes weighted by the size of their label (Sudre et al. 2017), with MONAI's options. */

import { expectWord } from "../../host/words.ts";
import { expectOptions } from "../../host/options.ts";
import { expectArguments } from "../../host/kinds.ts";
import type { HostArray } from "../../host/array.ts";
import { ShapeError } from "../../host/errors.ts";
import { sameShape, showShape } from "../../host/shape.ts";
import { CumulativeMetric, type ReductionOptions } from "./cumulative.ts";
import { countOverlap, type OverlapCounts } from "./overlap.ts";
import { type Aggregate } from "./reduction.ts";

/** "square": 1 / volume²; "simple": 1 / volume; "uniform": 1. */
export type DiceWeight = "square" | "simple" | "uniform";

/** Options of `computeGeneralizedDice`. */
export interface GeneralizedDiceOptions {
  /** Score class 0 too. Default true. */
  readonly includeBackground?: boolean;
  /** Default "square". */
  readonly weightType?: DiceWeight;
  /** One score of all classes. Default false. */
  readonly sumOverClasses?: boolean;
  /** Reject what is no mask of 0 and 1. Default true. */
  readonly strict?: boolean;
}

const weightTypes = ["square", "simple", "uniform"];
const names = "includeBackground:boolean weightType strict:boolean";

/**
 * Generalized Dice 2·Σ w·|P∩Y| / Σ w·(|P|+|Y|), per class or summed over classes (MONAI `compute_generalized_dice`); without anything of either mask 1, or 0 if
 * something was predicted. Classes without label get the largest weight of the others.
 * @param yPred masks `[N, C, ...spatial]`
 * @param y of the same shape
 * @returns `[N, classes]`, or `[N, 1]` with `sumOverClasses`
 * @throws ShapeError, DataError, ConfigError
 */
export function computeGeneralizedDice(
  yPred: HostArray,
  y: HostArray,
  options: GeneralizedDiceOptions = {},
): HostArray<Float64Array> {
  expectOptions("computeGeneralizedDice", options, `${names} sumOverClasses:boolean`);
  return generalizedDice("computeGeneralizedDice", yPred, y, options);
}

function generalizedDice(op: string, yPred: HostArray, y: HostArray, options: GeneralizedDiceOptions): HostArray<Float64Array> {
  expectArguments(op, "array", { yPred, y });
  const { weightType = "square", sumOverClasses = false, ...rest } = options;
  expectWord(op, "weightType", weightType, weightTypes);
  if (!sameShape(yPred.shape, y.shape))
    throw new ShapeError(`${op}: yPred ${showShape(yPred.shape)} and y ${showShape(y.shape)} must have the same shape`);
  const counts = countOverlap(op, yPred, y, rest);
  const { samples, classes } = counts;
  const columns = sumOverClasses ? 1 : classes;
  const data = new Float64Array(samples * columns);
  for (let s = 0; s < samples; s++) {
    const weights = classWeights(counts, s, weightType);
    for (let c = 0; c < columns; c++) data[s * columns + c] = scoreOf(counts, weights, s, c, sumOverClasses ? classes : c + 1);
  }
  return { data, shape: [samples, columns] };
}

function classWeights({ classes, label }: OverlapCounts, sample: number, type: DiceWeight): Float64Array {
  const weights = new Float64Array(classes);
  let greatest = 0;
  for (let c = 0; c < classes; c++) {
    const volume = label[sample * classes + c];
    weights[c] = type === "uniform" ? 1 : 1 / (type === "simple" ? volume : volume * volume);
    if (weights[c] < Infinity && weights[c] > greatest) greatest = weights[c];
  }
  return weights.map((w) => (w === Infinity ? greatest : w));
}

/** Of the classes from `from` to before `to`. */
function scoreOf(
  { classes, both, pred, label }: OverlapCounts,
  weights: Float64Array,
  sample: number,
  from: number,
  to: number,
): number {
  let [numerator, denominator, predicted] = [0, 0, 0];
  for (let c = from; c < to; c++) {
    const i = sample * classes + c;
    numerator += 2 * weights[c] * both[i];
    denominator += weights[c] * (pred[i] + label[i]);
    predicted += pred[i];
  }
  if (denominator !== 0) return numerator / denominator;
  return predicted === 0 ? 1 : 0;
}

/** Options of `GeneralizedDiceScore`. */
export interface GeneralizedDiceScoreOptions extends Omit<GeneralizedDiceOptions, "sumOverClasses">, ReductionOptions {}

/** Generalized Dice over a data set (MONAI `GeneralizedDiceScore`): reductions over channels, and "mean" and "sum", take one score of all classes. */
export class GeneralizedDiceScore extends CumulativeMetric<GeneralizedDiceScoreOptions> {
  constructor(options: GeneralizedDiceScoreOptions = {}) {
    expectOptions("GeneralizedDiceScore", options, `${names} reduction`);
    expectWord("GeneralizedDiceScore", "weightType", options.weightType ?? "square", weightTypes);
    super(options);
  }

  protected override compute(yPred: HostArray, y: HostArray): HostArray<Float64Array> {
    const { reduction = "mean", ...options } = this.options;
    const sumOverClasses = ["sum", "mean", "mean_channel", "sum_channel"].includes(reduction);
    return generalizedDice("GeneralizedDiceScore", yPred, y, { ...options, sumOverClasses });
  }

  /** By the reduction of the options: what is summed over classes was decided when batches were appended. */
  override aggregate(): Aggregate {
    return super.aggregate(this.options.reduction ?? "mean");
  }
}
