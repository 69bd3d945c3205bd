/** @file What a run tells of while it goes on. */

import type { ProgressState } from "../training/progress.ts";
import type { EpochMetrics } from "./files.ts";
import type { ValidatedCase } from "./validation.ts";

/**
 * What happens in a run, for whoever shows it. Facts and resumptions have a `text`, progress a `state`; steps, validated cases and epochs are counted by
 * `epoch`, `step` and `epochs`, with the `loss` and learning rate `lr` of a step, the `case` and the `metrics` of an epoch.
 */
export type RunEvent =
  /** A fact about the run: its size, planned memory. */
  | { readonly kind: "log"; readonly text: string }
  /** Where it goes on. */
  | { readonly kind: "resumed"; readonly text: string }
  /** Where the work stands: compiling, each step, validation. */
  | { readonly kind: "progress"; readonly state: ProgressState }
  /** A step was done: `loss` is that of its batch. */
  | {
      readonly kind: "step";
      readonly epoch: number;
      readonly step: number;
      readonly loss: number;
      readonly lr: number;
      /** The step was left out for its loss. */
      readonly skipped: boolean;
    }
  /** A validation has segmented a case. The picture is drawn if it is asked for, before the handler returns. */
  | { readonly kind: "validated"; readonly epoch: number; readonly case: ValidatedCase }
  | { readonly kind: "epoch"; readonly metrics: EpochMetrics; readonly epochs: number };
