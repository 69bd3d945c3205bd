/** @file A run in a page, kept in the origin's private file system: stopped, and gone on with after a reload. */

import { type Device, openDevice } from "../../src/index.ts";
import { configure, fit, memoryStore, opfsStore, type RunData, type RunStore, slices2d } from "../../src/seg/index.ts";
import { memoryData, tinyRun } from "../lib/memory_data.ts";

/** Trains in `store`, up to `steps` steps if given. Returns the losses that its metrics have then. */
export async function trainIn(
  device: Device,
  store: RunStore,
  resume: boolean,
  steps = Infinity,
  data: RunData = memoryData(),
): Promise<number[]> {
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

const runFolder = async () => (await navigator.storage.getDirectory()).getDirectoryHandle("run", { create: true });

/** The same in the page's own storage, on a device of its own. */
export async function trainInPage(resume: boolean, steps?: number, data?: RunData): Promise<number[]> {
  const device = await openDevice();
  const losses = await trainIn(device, opfsStore(await runFolder()), resume, steps, data);
  device.close();
  return losses;
}

/** The same of data whose cases for validation come once, when they are looked at: this tab trains for an epoch, and keeps the run until it is closed. */
export async function trainAndHold(): Promise<number[]> {
  const data = memoryData();
  const all = data.train.length + data.val.length;
  const isTraining = (id: string): boolean => data.train.some((c) => c.id === id);
  const read: RunData["read"] = (c) => (isTraining(c.id) || data.reads < all ? data.read(c) : new Promise(() => {}));
  return trainInPage(false, undefined, { ...data, read });
}

/** Lines of the metrics of a run that a tab trains, once there is a checkpoint. */
export async function linesSoFar(): Promise<number> {
  const store = opfsStore(await runFolder());
  if (!(await store.has("checkpoint.safetensors"))) return 0;
  return new TextDecoder().decode(await store.read("metrics.jsonl")).split("\n").length - 1;
}

export const trainInMemory = (device: Device): Promise<number[]> => trainIn(device, memoryStore(), false);
