/**
 * @file Entry point of a data worker thread: builds the dataset of its module, then computes one unit after the other. Arrays are copied
 * here, off the main thread, and the copies handed over without another copy: the originals may belong to a cache.
 */

import { parentPort, workerData } from "node:worker_threads";
import { buildDataset, computeUnit, type FromWorker, planOf, type DatasetModule, toWire, type ToWorker } from "./unit_source.ts";

const port = parentPort!;
const { seed, ...source } = workerData as DatasetModule & { readonly seed: number };
const dataset = buildDataset(source);
let queue: (ToWorker & { readonly type: "unit" })[] = [];
let busy = false;

port.on("message", (message: ToWorker) => {
  if (message.type === "cancel") {
    const dropped = new Set(message.ids);
    queue = queue.filter(({ id }) => !dropped.has(id));
    return;
  }
  queue.push(message);
  if (!busy) void work();
});

dataset.then(
  (d) => send({ type: "plan", plan: planOf(d) }),
  (error: unknown) => send({ type: "error", error: toWire(error) }),
);

async function work(): Promise<void> {
  busy = true;
  for (let job = queue.shift(); job; job = queue.shift()) {
    const { id, index, epoch } = job;
    try {
      const transfer: ArrayBuffer[] = [];
      const items = owned(await computeUnit(await dataset, seed, epoch, index), transfer);
      send({ type: "unit", id, items }, transfer);
    } catch (error) {
      send({ type: "error", id, error: toWire(error) });
    }
    // Lets a cancel that is waiting in the port through before the next unit begins.
    await new Promise((resolve) => setImmediate(resolve));
  }
  busy = false;
}

function send(message: FromWorker, transfer: ArrayBuffer[] = []): void {
  port.postMessage(message, transfer);
}

/** The same value with every typed array copied into memory of its own, which is listed in `transfer`. */
function owned<T>(value: T, transfer: ArrayBuffer[]): T {
  if (ArrayBuffer.isView(value) && !(value instanceof DataView)) {
    // Not value.slice(): a Buffer's shares memory.
    const copy: Uint8Array<ArrayBuffer> = Uint8Array.prototype.slice.call(value);
    transfer.push(copy.buffer);
    return copy as unknown as T;
  }
  if (Array.isArray(value)) return value.map((v) => owned(v, transfer)) as T;
  if (typeof value === "object" && value !== null && Object.getPrototypeOf(value) === Object.prototype) {
    return Object.fromEntries(Object.entries(value).map(([k, v]) => [k, owned(v, transfer)])) as T;
  }
  return value;
}
