/** @file The one GPU device of the test process: opened on first use, so that pipelines are compiled once for all test files. */

import { type Device, openDevice } from "../../src/index.ts";

// On `globalThis`, because a runner may load this module more than once.
const shared = globalThis as { voxgradTestDevice?: Promise<Device> };

/** The device; opens it when first asked, and another one after a fault, so that one broken shader fails its own tests only. */
export async function device(): Promise<Device> {
  const opened = await (shared.voxgradTestDevice ??= openDevice());
  try {
    opened.check();
    return opened;
  } catch {
    opened.close();
    shared.voxgradTestDevice = undefined;
    return device();
  }
}
