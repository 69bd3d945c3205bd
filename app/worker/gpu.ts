/** @file The one device of the page, opened when it is first wanted and anew when it was lost. */

import type { Progress } from "../protocol.ts";
import { type Device, DeviceLostError, openDevice } from "voxgrad";

let opened: Promise<Device> | undefined;

/** The device. Throws `NoAdapterError` where the browser has none. */
export async function device(): Promise<Device> {
  opened ??= openDevice();
  try {
    const found = await opened;
    found.check();
    return found;
  } catch (error) {
    opened = undefined;
    if (!(error instanceof DeviceLostError)) throw error;
    opened = openDevice();
    return opened;
  }
}

let queue = Promise.resolve();
let working = false;

/** Browsers freeze tabs that were hidden for long, but none that holds a lock. Shared, so that no tab waits for another. */
const awake = <T>(work: () => Promise<T>): Promise<T> => navigator.locks.request("voxgrad works", { mode: "shared" }, work);

/** Runs one thing at a time on the device: training and segmenting share it, and each wants its memory for itself. What is canceled while it waits ends at once. */
export function alone<T>(work: () => Promise<T>, { signal, tell }: Waiting): Promise<T> {
  if (signal.aborted) return Promise.reject(signal.reason as Error);
  if (working) tell({ kind: "progress", what: "waiting", done: 0, total: 1 });
  return new Promise((resolve, reject) => {
    const stop = (): void => reject(signal.reason);
    signal.addEventListener("abort", stop);
    queue = queue.then(async () => {
      signal.removeEventListener("abort", stop);
      if (signal.aborted) return;
      working = true;
      await awake(work).then(resolve, reject);
      working = false;
    });
  });
}

interface Waiting {
  readonly signal: AbortSignal;
  tell(event: Progress): void;
}
