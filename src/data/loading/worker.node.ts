/** @file Entry point of a data worker thread in Node. */

import { parentPort, workerData } from "node:worker_threads";
import type { DatasetModule, ToWorker } from "./unit_source.ts";
import { serveUnits } from "./worker_loop.ts";

const port = parentPort!;
const { seed, ...source } = workerData as DatasetModule & { readonly seed: number };
const receive = serveUnits(source, seed, {
  send: (message, transfer) => port.postMessage(message, transfer),
  breathe: () => new Promise((resolve) => setImmediate(resolve)),
});
port.on("message", (message: ToWorker) => receive(message));
