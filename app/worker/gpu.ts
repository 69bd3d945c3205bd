/** @file The one device of the page, opened when it is first wanted and anew when it was lost. */

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

let queue: Promise<unknown> = Promise.resolve();

/** Browsers freeze tabs that were hidden for long, but none that holds a lock. Shared, so that no tab waits for another. */
const awake = <T>(work: () => Promise<T>): Promise<T> => navigator.locks.request("voxgrad works", { mode: "shared" }, work);

/** Runs one thing at a time on the device: training and segmenting share it, and each wants its memory for itself. */
export function alone<T>(work: () => Promise<T>): Promise<T> {
  const run = () => awake(work);
  const next = queue.then(run, run);
  queue = next.catch(() => undefined);
  return next;
}
