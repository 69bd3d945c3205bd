/** @file The one GPU device of the test process: opened on first use, so that pipelines are compiled once for all test files. */

import { type Device, openDevice } from "../../src/index.ts";

const shared = globalThis as { voxgradTestDevice?: Promise<Device> };

/** The device; opens it when first asked. On `globalThis`, because a runner may load this module more than once. */
export const device = (): Promise<Device> => (shared.voxgradTestDevice ??= openDevice());
