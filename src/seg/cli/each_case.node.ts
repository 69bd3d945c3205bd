/** @file Work on cases one after the other: progress, bad cases that do not stop the others, an interruption between batches, the exit code. */

import type { Case } from "../../data/folders/dataset_index.ts";
import { VoxgradError } from "../../host/errors.ts";
import type { AbortSignal } from "../../host/platform.ts";
import { counted } from "../../host/text.ts";
import { ProgressLine } from "../training/progress.ts";
import { failureOf, say } from "./command_line.node.ts";
import { interruptible } from "./device.node.ts";

export interface CaseTools {
  readonly line: ProgressLine;
  readonly signal: AbortSignal;
  /** Cases before this one. */
  readonly before: number;
}

export interface CasesDone {
  readonly done: number;
  /** Ids of those that failed. */
  readonly bad: readonly string[];
  readonly interrupted: boolean;
}

/** One bad case does not keep the others from their results. What is no error of ours is thrown. */
export async function eachCase(
  cases: readonly Case[],
  work: (item: Case, tools: CaseTools) => Promise<void>,
): Promise<CasesDone> {
  const line = new ProgressLine(process.stderr);
  const { signal, done: uninterruptible } = interruptible("stopping after this batch");
  const bad: string[] = [];
  let done = 0;
  try {
    for (const item of cases) {
      try {
        await work(item, { line, signal, before: done + bad.length });
        done++;
      } catch (error) {
        if (signal.aborted) break;
        if (!(error instanceof VoxgradError)) throw error;
        bad.push(item.id);
        line.log(failureOf(item.id, error));
      }
    }
  } finally {
    line.finish();
    uninterruptible();
  }
  return { done, bad, interrupted: signal.aborted };
}

/** Tells of the bad ones among `count` cases. @returns the exit code: 1 if there are any, 130 if the work was interrupted */
export function codeOf({ bad, interrupted }: CasesDone, count: number): number {
  if (bad.length > 0) say(`${bad.length} of ${counted(count, "case")} failed: ${bad.join(", ")}`);
  return interrupted ? 130 : bad.length > 0 ? 1 : 0;
}
