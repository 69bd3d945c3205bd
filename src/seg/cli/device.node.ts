/** @file The device of a command, and stopping a command that takes long. */

import { type Device, openDevice } from "../../tensor/device.ts";
import { readTuning } from "../run/tuning.node.ts";
import { say } from "./command_line.node.ts";

// NVIDIA's driver has f16 in shaders, but Dawn asks to be told so.
const halfToggles = ["enable-dawn-features=allow_unsafe_apis,vulkan_enable_f16_on_nvidia"];

export interface DeviceUse {
  /** Use what `voxgrad tune` measured for the adapter, if it did; default true. */
  readonly tuned?: boolean;
  /** f16 in shaders; default false. */
  readonly half?: boolean;
}

/** Opens the best adapter, says which, and closes it after `work`. Throws `NoAdapterError`. */
export async function withDevice<T>(
  work: (device: Device) => Promise<T>,
  { tuned = true, half = false }: DeviceUse = {},
): Promise<T> {
  const device = await openDevice(half ? { toggles: halfToggles } : {});
  const hints = [device.software && "software: a GPU is many times faster", tuned && readTuning(device) && "tuned"].filter(
    Boolean,
  );
  say(`adapter: ${device.name}${hints.length > 0 ? ` (${hints.join("; ")})` : ""}`);
  try {
    return await work(device);
  } finally {
    device.close();
  }
}

// A terminal sends Ctrl-C to the whole group and a launcher may pass it on: signals within a second are one.
const oneSignalMs = 1000;

/** A signal that Ctrl-C aborts; a second Ctrl-C ends the process. `what` is said to be happening. */
export function interruptible(what: string): { signal: AbortSignal; done: () => void } {
  const controller = new AbortController();
  let first = 0;
  const onSignal = () => {
    if (first === 0) {
      first = performance.now();
      process.stderr.write(`\n${what} (again to stop at once)\n`);
      controller.abort();
    } else if (performance.now() - first > oneSignalMs) {
      process.exit(130);
    }
  };
  process.on("SIGINT", onSignal).on("SIGTERM", onSignal);
  const done = () => {
    // After an interrupt the rest is brief, and the second of two signals may come only now.
    if (!controller.signal.aborted) process.off("SIGINT", onSignal).off("SIGTERM", onSignal);
  };
  return { signal: controller.signal, done };
}

/** Until the result is called, Ctrl-C ends the process after `word`: where there is nothing yet that a stop could keep. */
export function endsAtOnce(word: string): () => void {
  const onSignal = () => {
    process.stderr.write(`\n${word}\n`);
    process.exit(130);
  };
  process.on("SIGINT", onSignal).on("SIGTERM", onSignal);
  return () => void process.off("SIGINT", onSignal).off("SIGTERM", onSignal);
}
