/** @file A run in a page, kept in the origin's private file system: stopped, and gone on with after a reload. */

import { type Device, openDevice } from "../../src/index.ts";
import { configure, fit, memoryStore, opfsStore, type RunStore, slices2d } from "../../src/seg/index.ts";
import { memoryData, tinyRun } from "../lib/memory_data.ts";

/** Trains in `store`, up to `steps` steps if given. Returns the losses that its metrics have then. */
export async function trainIn(device: Device, store: RunStore, resume: boolean, steps = Infinity): Promise<number[]> {
  const data = memoryData();
  const { config, info } = await configure(slices2d, data, { data: "memory", ...tinyRun });
  const stop = new AbortController();
  const onEvent = (event: { kind: string; state?: { label?: string; done: number } }) => {
    if (event.kind === "progress" && event.state!.label?.startsWith("epoch") && event.state!.done >= steps) stop.abort();
  };
  await fit(slices2d, { device, data, store, config, info, resume, signal: stop.signal, onEvent });
  const lines = new TextDecoder()
    .decode(await store.read("metrics.jsonl"))
    .trim()
    .split("\n");
  return lines.map((line) => JSON.parse(line)).flatMap(({ step, loss }) => (step === undefined ? [] : [loss]));
}

/** The same in the page's own storage, on a device of its own. */
export async function trainInPage(resume: boolean, steps?: number): Promise<number[]> {
  const device = await openDevice();
  const folder = await (await navigator.storage.getDirectory()).getDirectoryHandle("run", { create: true });
  const losses = await trainIn(device, opfsStore(folder), resume, steps);
  device.close();
  return losses;
}

export const trainInMemory = (device: Device): Promise<number[]> => trainIn(device, memoryStore(), false);
