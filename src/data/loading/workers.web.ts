/** @file Data workers in a browser: Web Workers, which decode and transform while the page draws and the GPU works. */

import { ConfigError } from "../../host/errors.ts";
import type { OpenMessage } from "./serve_data.ts";
import type { DatasetModule, FromWorker, ToWorker, UnitSource } from "./unit_source.ts";
import { type OpenThread, poolOf } from "./worker_pool.ts";

// Spelled as bundlers look for it; webpack names a file by the name. In sources the file ends in .ts, but no browser runs those.
const openDefault = (): Worker =>
  new Worker(new URL("./worker.web.js", import.meta.url), { type: "module", name: "voxgrad-data" });

/** Starts `count` workers. @throws ConfigError where there are no Web Workers, and if the module's arguments are not plain data */
export function openWorkers(
  source: DatasetModule,
  count: number,
  seed: number,
  openWorker: () => unknown = openDefault,
): UnitSource {
  if (typeof Worker !== "function")
    throw new ConfigError(
      `DataLoader: numWorkers is ${count}, but there are neither Web Workers nor Node's threads here; use numWorkers: 0`,
    );
  const open: OpenThread = (_number, events) => {
    const worker = openWorker() as Worker;
    const { port1, port2 } = new MessageChannel();
    const lock = `voxgrad data ${Math.random().toString(36).slice(2)}`;
    const closing = new AbortController();
    let heard = false;
    port1.addEventListener("message", ({ data }: MessageEvent<FromWorker>) => {
      // It has the lock by now, so that waiting for the lock is waiting for its end: a worker that is killed says nothing.
      if (!heard) watch(lock, closing.signal, () => events.died("ended before its work was done"));
      heard = true;
      events.message(data);
    });
    port1.addEventListener("messageerror", () => events.died("said what cannot be read"));
    port1.start();
    worker.addEventListener("error", (event) => {
      event.preventDefault();
      events.died(`failed: ${event.message || "its script cannot be loaded (openWorker tells where it is)"}`, event.error);
    });
    const href = new URL(String(source.module), globalThis.location?.href).href;
    const first: OpenMessage = { source: { module: href, args: source.args }, seed, port: port2, lock };
    try {
      worker.postMessage(first, [port2]);
    } catch (cause) {
      worker.terminate();
      throw new ConfigError(
        `DataLoader: the arguments of ${String(source.module)} cannot go to a worker; use plain data. ${(cause as Error).message}`,
        { cause },
      );
    }
    return {
      post: (message: ToWorker) => port1.postMessage(message),
      hold: () => undefined,
      terminate: () => {
        closing.abort();
        port1.close();
        worker.terminate();
        return Promise.resolve();
      },
    };
  };
  return poolOf(count, open);
}

/** Calls `gone` when a lock is free. */
function watch(lock: string, signal: AbortSignal, gone: () => void): void {
  navigator.locks?.request(lock, { signal }, gone).catch(() => undefined);
}
