/** @file `tune` on this adapter. Its choices hold for the stages behind this one. */

import { tune, type Tuned } from "../../../src/index.ts";
import type { StageRun } from "../stage.ts";

export interface TuneResult extends Tuned {
  /** Measured to the end; what was found before counts in any case. */
  readonly complete: boolean;
}

export const run: StageRun = (context) =>
  context.each(
    ["tune"],
    (name) => name,
    async (): Promise<TuneResult> => {
      const { tiny } = context.task;
      const device = await context.device();
      // A software adapter may take half a minute for the problem it is at.
      const seconds = tiny ? context.secondsLeft / 3 : context.secondsLeft - 2;
      const signal = AbortSignal.timeout(Math.round(1000 * Math.max(1, seconds)));
      const tuned = await tune(device, {
        signal,
        onProgress: (done, total, text) => {
          const choices = Object.fromEntries(device.choices);
          void context.send({
            kind: "partial",
            item: "tune",
            value: { choices, gains: [], complete: false } satisfies TuneResult,
          });
          void context.send({ kind: "progress", done, total, text });
        },
      });
      context.cut ||= signal.aborted;
      return { ...tuned, complete: !signal.aborted };
    },
  );
