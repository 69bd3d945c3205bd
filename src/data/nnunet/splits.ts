/** @file nnU-Net's folds: scikit-learn's shuffled `KFold` over the case ids in the order given. */

import { expectArguments } from "../../host/kinds.ts";
import { expectOptions } from "../../host/options.ts";
import { ConfigError } from "../../host/errors.ts";
import type { Split } from "../folders/dataset_index.ts";
import { foldParts } from "../folders/fold_parts.ts";

/** How many folds, and how they are shuffled. */
export interface CrossvalOptions {
  /** Default 12345. */
  readonly seed?: number;
  /** Default 5. */
  readonly nSplits?: number;
}

/**
 * The folds of `splits_final.json`: nnU-Net's `generate_crossval_split`. It knows nothing of patients; `kFold` does.
 * @throws ConfigError for fewer cases than folds
 * @param ids of the cases
 */
export function generateCrossvalSplit(ids: readonly string[], options: CrossvalOptions = {}): Split[] {
  expectOptions("generateCrossvalSplit", options, "seed:number nSplits:number");
  expectArguments("generateCrossvalSplit", "texts", { ids });
  const { seed = 12345, nSplits = 5 } = options;
  if (!Number.isInteger(nSplits) || nSplits < 2 || ids.length < nSplits)
    throw new ConfigError(
      `generateCrossvalSplit: ${ids.length} cases do not make ${nSplits} folds; there must be at least 2, and as many cases`,
    );
  return foldParts(ids.length, nSplits, seed).map((held) => ({
    train: ids.filter((_id, i) => !held.has(i)),
    val: ids.filter((_id, i) => held.has(i)),
  }));
}
