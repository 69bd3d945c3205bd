/** @file What is said of truth and predictions. */

import type { Picture3d, Structure } from "./parts.ts";

/** A case with truth and prediction. */
export interface ScoredCaseInfo {
  readonly id: string;
  /** Of each structure; null where the truth has none of it. */
  readonly dice: readonly (number | null)[];
  readonly mean: number | null;
}

export interface Comparison {
  readonly key: string;
  readonly name: string;
  readonly structures: readonly Structure[];
  /** Worst first. */
  readonly cases: readonly ScoredCaseInfo[];
  readonly failed: readonly { readonly id: string; readonly reason: string }[];
}

export interface ComparedCase {
  /** Of the image; where there is none, the truth's values in black. */
  readonly picture: Picture3d;
  readonly truth: Blob;
  /** Of the truth, to be seen over the prediction. */
  readonly outline: Blob;
  readonly prediction: Blob;
}
