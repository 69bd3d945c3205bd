/** @file Folds for a dataset that comes without them. */

import { expectArguments } from "../../host/kinds.ts";
import { expectOptions } from "../../host/options.ts";
import { ConfigError } from "../../host/errors.ts";
import type { Split } from "./dataset_index.ts";
import { foldParts } from "./fold_parts.ts";

// What names several scans of one patient end in: patient007_frame01, sub-3_ses-2, P12_visit1.
const scan = /[_-](frame|time|t|visit|v|scan|session|ses|series|phase|slice|view)[_-]?\d+$/i;

/**
 * The patient of a case, by its name; the case itself where nothing tells.
 * @param id the case's
 */
export function patientOf(id: string): string {
  expectArguments("patientOf", "text", { id });
  return id.replace(scan, "") || id;
}

/** Options of `kFold`. */
export interface KFoldOptions {
  /** Default 5. */
  readonly folds?: number;
  /** Default 12345, nnU-Net's. */
  readonly seed?: number;
  /** Cases with the same answer stay together; default `patientOf`. `id` is the case's. */
  readonly groupOf?: (id: string) => string;
}

/**
 * Cross-validation folds, the same for the same ids in any order: scikit-learn's `KFold(shuffle=True)` over the sorted groups, which is nnU-Net's split
 * where each case is a patient of its own.
 * @throws ConfigError for fewer groups than folds
 */
export function kFold(ids: readonly string[], options: KFoldOptions = {}): Split[] {
  expectOptions("kFold", options, "folds:number seed:number groupOf:function");
  expectArguments("kFold", "texts", { ids });
  const { folds = 5, seed = 12345, groupOf = patientOf } = options;
  const sorted = [...ids].sort();
  const groups = [...new Set(sorted.map(groupOf))].sort();
  if (!Number.isInteger(folds) || folds < 2 || groups.length < folds)
    throw new ConfigError(
      `kFold: ${groups.length} patients do not make ${folds} folds; there must be at least 2, and as many patients`,
    );
  return foldParts(groups.length, folds, seed).map((part) => {
    const held = new Set(groups.filter((_, g) => part.has(g)));
    return { train: sorted.filter((id) => !held.has(groupOf(id))), val: sorted.filter((id) => held.has(groupOf(id))) };
  });
}
