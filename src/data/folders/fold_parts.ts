/** @file The parts of shuffled folds, as scikit-learn's `KFold` cuts them. */

import { RandomState } from "../../host/random/numpy.ts";

/** The indices below `count` that each fold holds out: neighbors in a shuffled order, the first folds one more where they do not come out even. */
export function foldParts(count: number, folds: number, seed: number): ReadonlySet<number>[] {
  const order = new RandomState(seed).permutation(count);
  let first = 0;
  return Array.from({ length: folds }, (_, k) => {
    const size = Math.floor(count / folds) + (k < count % folds ? 1 : 0);
    return new Set(order.slice(first, (first += size)));
  });
}
