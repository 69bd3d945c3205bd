/** @file What to say of classes that a training has not found. */

import type { Evaluation } from "./report.ts";
import { listed } from "./odd_cases.ts";

// What a class gets that a network begins to find somewhere.
const found = 0.1;

/**
 * A hint if classes that validation cases have were hardly found.
 * @param epochs that were trained
 * @param resume the command that goes on
 */
export function unlearnedHint({ labels, mean, detection }: Evaluation, epochs: number, resume: string): string | undefined {
  const missed = labels.filter((_, i) => mean[i] < found);
  // What looks for things is not told by the overlap of voxels.
  if (missed.length === 0 || detection) return undefined;
  return `hint: hardly found yet (mean Dice below ${found}): ${listed(missed)}. Small and faint classes are learned last; more epochs may be all it takes: ${resume} --epochs ${3 * epochs}. If the loss has stopped falling, see with --preview whether the samples show them`;
}
