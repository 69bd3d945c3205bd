/** @file Data workers in a browser: Web Workers, which decode and transform while the page draws and the GPU works. */

import { ConfigError } from "../../host/errors.ts";
import { holdsLock, type OpenMessage } from "./serve_data.ts";
import type { DatasetModule, FromWorker, ToWorker, UnitSource } from "./unit_source.ts";
import { type OpenThread, poolOf } from "./worker_pool.ts";

// Spelled as bundlers look for it; webpack names a file by the name. In sources the file ends in .ts, but no browser runs those.
const openDefault = (): Worker =>
  new Worker(new URL("./worker.web.js", import.meta.url), { type: "module", name: "voxgrad-data" });

/** Starts `count` workers. @throws ConfigError where there are no Web Workers or a page may not open them, and if the module's arguments are not plain data */
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
    const worker = opened(openWorker);
    const { port1, port2 } = new MessageChannel();
    const lock = `voxgrad data ${Math.random().toString(36).slice(2)}`;
    const closing = new AbortController();
    port1.addEventListener("message", ({ data }: MessageEvent<FromWorker | typeof holdsLock>) => {
      if (data !== holdsLock) return events.message(data);
      // From now on waiting for the lock is waiting for the worker's end: one that is killed says nothing.
      watch(lock, closing.signal, () => events.died("ended before its work was done"));
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

function opened(openWorker: () => unknown): Worker {
  try {
    return openWorker() as Worker;
  } catch (cause) {
    throw new ConfigError(
      `DataLoader: a Web Worker cannot be opened here (${(cause as Error).message}); where a page's policy or sandbox forbids the script that openWorker ` +
        `opens, by default the library's own beside the page's, give one that it allows, or use numWorkers: 0`,
      { cause },
    );
  }
}

/** Calls `gone` when a lock is free. */
function watch(lock: string, signal: AbortSignal, gone: () => void): void {
  navigator.locks?.request(lock, { signal }, gone).catch(() => undefined);
}
