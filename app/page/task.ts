/** @file What a view is busy with: how far it is, a way to end it, and what went wrong, which the page shows until something else is begun. */

import { batch, type ReadonlySignal, signal } from "@preact/signals";
import type { Progress } from "../protocol.ts";
import { attempt, failure } from "./link.ts";

export interface TaskHooks {
  /** Null: nothing is said of how far it is. */
  readonly onEvent: (event: Progress | null) => void;
  readonly signal: AbortSignal;
}

export interface Task {
  /** Null while there is nothing to do. */
  readonly progress: ReadonlySignal<Progress | null>;
  /** Gives whether it was done: it may have failed, or have been ended. */
  run(work: (hooks: TaskHooks) => Promise<void>): Promise<boolean>;
  /** Ends what is running. */
  cancel(): void;
}

/** Who closes or reloads a page that works is asked first. */
const ask = (event: BeforeUnloadEvent): void => event.preventDefault();
let working = 0;

function works(by: 1 | -1): void {
  working += by;
  if (working > 0) addEventListener("beforeunload", ask);
  else removeEventListener("beforeunload", ask);
}

/**
 * A view has one, and does one thing at a time: what was picked while something runs (a large folder takes seconds to be walked through) waits, so that no
 * answer comes for what is no longer shown.
 */
export function task(): Task {
  const progress = signal<Progress | null>(null);
  let controller: AbortController | undefined;
  let queue: Promise<unknown> = Promise.resolve();
  const one = async (work: (hooks: TaskHooks) => Promise<void>): Promise<boolean> => {
    const mine = new AbortController();
    controller = mine;
    batch(() => {
      failure.value = null;
      progress.value = { kind: "progress", what: "reading", done: 0, total: 1 };
    });
    works(1);
    const done = await attempt(() => work({ onEvent: (event) => (progress.value = event), signal: mine.signal }));
    works(-1);
    progress.value = null;
    return done;
  };
  return {
    progress,
    run(work) {
      const done = queue.then(() => one(work));
      queue = done;
      return done;
    },
    cancel: () => controller?.abort(),
  };
}
