/** @file What a Web Worker's script calls to serve a loader. */

import { ConfigError } from "../../host/errors.ts";
import type { MessagePort } from "../../host/platform.ts";
import type { DatasetModule, FromWorker, ToWorker } from "./unit_source.ts";
import { serveUnits } from "./worker_loop.ts";

/** The first message to a Web Worker: what it works on, and the line on which it answers. */
export interface OpenMessage {
  readonly source: DatasetModule;
  readonly seed: number;
  readonly port: MessagePort;
  /** A lock that the worker holds as long as it lives: who gets it after it knows that the worker is gone. */
  readonly lock: string;
}

/** What a worker says first if it has the lock. */
export const holdsLock = "holds the lock";

/**
 * Makes this Web Worker one of a `DataLoader`: the whole script of a worker for `DataLoaderOptions.openWorker`. Bundlers that know
 * `new Worker(new URL(…))` need none.
 */
export function serveData(): void {
  if (typeof globalThis.addEventListener !== "function")
    throw new ConfigError("serveData: there are no messages here; call it in a worker of a browser");
  globalThis.addEventListener(
    "message",
    async (event) => {
      const { source, seed, port, lock } = (event as MessageEvent<OpenMessage>).data;
      if (await held(lock)) port.postMessage(holdsLock);
      // A task of its own, which a timer would put off by milliseconds.
      const { port1, port2 } = new MessageChannel();
      const waiting: (() => void)[] = [];
      port1.addEventListener("message", () => waiting.shift()?.());
      port1.start();
      const receive = serveUnits(source, seed, {
        send: (message: FromWorker, transfer) => port.postMessage(message, transfer),
        breathe: () =>
          new Promise((resolve) => {
            waiting.push(resolve);
            port2.postMessage(0);
          }),
      });
      // What came while the lock was taken waits in the port.
      port.addEventListener("message", ({ data }: MessageEvent<ToWorker>) => receive(data));
      port.start();
    },
    { once: true },
  );
}

/** Takes a lock for good, if it can. Pages that are not secure have no locks; what has no origin, as in a sandbox, gets none. */
function held(lock: string): Promise<boolean> {
  if (!navigator.locks) return Promise.resolve(false);
  return new Promise((taken) => {
    const forGood = () => {
      taken(true);
      return new Promise(() => undefined);
    };
    navigator.locks.request(lock, forGood).catch(() => taken(false));
  });
}
