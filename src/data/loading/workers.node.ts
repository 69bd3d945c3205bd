/** @file Data workers in Node: worker threads. Waiting for the GPU spins Node's main thread, so loading must happen in others. */

// Without "node:", since webpack knows a worker by this name alone, and makes a bundle of its script.
import { Worker } from "worker_threads";
import { ConfigError } from "../../host/errors.ts";
import { type DatasetModule, type FromWorker, shown, type UnitSource } from "./unit_source.ts";
import { type OpenThread, poolOf } from "./worker_pool.ts";

/** That a failed thread may take to end. */
const mostSeconds = 0.5;

/** Starts `count` workers. @throws ConfigError if the module's arguments are not plain data */
export function openWorkers(source: DatasetModule, count: number, seed: number, _openWorker?: () => unknown): UnitSource {
  const open: OpenThread = (number, events) => {
    const thread = startThread(source, seed, number);
    thread.unref();
    thread.on("message", (message: FromWorker) => events.message(message));
    thread.on("messageerror", (error) => events.died(`said what cannot be read: ${error.message}`, error));
    // What a thread said before it failed may arrive behind the failure, which names the item by it; all of that is there when it has ended.
    let failed: (() => void) | undefined;
    let timer: NodeJS.Timeout | undefined;
    thread.on("error", (error: unknown) => {
      failed = () => events.died(`failed: ${why(error)}`, error);
      timer = setTimeout(failed, mostSeconds * 1000);
    });
    thread.on("exit", (code) => {
      clearTimeout(timer);
      failed?.();
      events.died(`ended with code ${code} before its work was done`);
    });
    return {
      post: (message) => thread.postMessage(message),
      hold: (held) => (held ? thread.ref() : thread.unref()),
      terminate: async () => void (await thread.terminate()),
    };
  };
  return poolOf(count, open);
}

function startThread({ module, args }: DatasetModule, seed: number, number: number): Worker {
  // From source the worker is a .ts file, and must resolve this package's own imports to source as well. What is inherited is not checked, and may
  // have flags that a thread cannot be given.
  const condition = "--conditions=voxgrad-source";
  const inherits = !import.meta.url.endsWith(".ts") || process.execArgv.includes(condition);
  const execArgv = inherits ? undefined : [...process.execArgv, condition];
  try {
    return new Worker(new URL("./worker.node.ts", import.meta.url), {
      workerData: { module: String(module), args, seed },
      execArgv,
      name: `voxgrad data ${number}`,
    });
  } catch (cause) {
    throw new ConfigError(
      `DataLoader: the arguments of ${String(module)} cannot go to a worker; use plain data. ${(cause as Error).message}`,
      { cause },
    );
  }
}

function why(error: unknown): string {
  if (!(error instanceof Error)) return shown(error);
  const missing = (error as NodeJS.ErrnoException).code === "MODULE_NOT_FOUND" && /worker\.node\.\w+'/.test(error.message);
  const advice = missing ? ": leave voxgrad out of the bundle (as external), or use numWorkers: 0" : "";
  return error.message + advice;
}
