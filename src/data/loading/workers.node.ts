/**
 * @file Data workers in Node. Waiting for the GPU spins Node's main thread, so loading must happen in others. Each worker builds the
 * dataset from its module; unit i belongs to worker i mod n, so that a cache in a worker keeps that worker's share and no more.
 */

import { Worker } from "node:worker_threads";
import { ConfigError, DataError } from "../../host/errors.ts";
import type { Item } from "../transforms/transform.ts";
import {
  type DatasetPlan,
  fromWire,
  type FromWorker,
  type DatasetModule,
  type ToWorker,
  type UnitSource,
} from "./unit_source.ts";

/** Starts `count` workers. @throws ConfigError if the module's arguments are not plain data */
export function openWorkers(source: DatasetModule, count: number, seed: number): UnitSource {
  let workers: DataWorker[];
  try {
    workers = Array.from({ length: count }, (_, k) => new DataWorker(source, seed, k));
  } catch (cause) {
    throw new ConfigError(
      `DataLoader: the arguments of ${String(source.module)} cannot go to a worker; use plain data. ${(cause as Error).message}`,
      { cause },
    );
  }
  let nextId = 0;
  return {
    plan: async () => (await Promise.all(workers.map((w) => w.plan)))[0],
    request(index, epoch) {
      const id = nextId++;
      return { id, items: workers[index % count].request({ type: "unit", id, index, epoch }) };
    },
    cancel: (ids) => workers.forEach((w) => w.cancel(ids)),
    close: async () => void (await Promise.all(workers.map((w) => w.close()))),
  };
}

interface Waiting<T> {
  readonly resolve: (value: T) => void;
  readonly reject: (error: Error) => void;
}

/** One thread. It holds the process open only while somebody waits for it. */
class DataWorker {
  readonly plan: Promise<DatasetPlan>;
  private readonly thread: Worker;
  private readonly number: number;
  private readonly waiting = new Map<number | "plan", Waiting<never>>();
  private failure: Error | undefined;

  constructor(source: DatasetModule, seed: number, number: number) {
    this.number = number;
    // From source the worker is a .ts file, and must resolve this package's own imports to source as well.
    const fromSource = import.meta.url.endsWith(".ts");
    const entry = new URL(fromSource ? "./worker.node.ts" : "./worker.node.js", import.meta.url);
    const execArgv = fromSource ? [...process.execArgv, "--conditions=voxgrad-source"] : undefined;
    this.thread = new Worker(entry, {
      workerData: { module: String(source.module), args: source.args, seed },
      execArgv,
      name: `voxgrad data ${number}`,
    });
    this.thread.unref();
    this.thread.on("message", (message: FromWorker) => this.receive(message));
    this.thread.on("error", (error: unknown) => this.fail(error instanceof Error ? error : new Error(String(error))));
    this.thread.on("exit", (code) =>
      this.fail(new DataError(`DataLoader: data worker ${number} ended with code ${code} before its work was done`)),
    );
    this.plan = this.wait("plan");
    this.plan.catch(() => undefined);
  }

  request(message: ToWorker & { readonly type: "unit" }): Promise<Item[]> {
    if (this.failure) return Promise.reject(this.failure);
    const items = this.wait<Item[]>(message.id);
    this.thread.postMessage(message);
    return items;
  }

  cancel(ids: readonly number[]): void {
    const own = ids.filter((id) => this.waiting.delete(id));
    if (own.length === 0) return;
    this.thread.postMessage({ type: "cancel", ids: own } satisfies ToWorker);
    this.release();
  }

  async close(): Promise<void> {
    this.fail(new DataError(`DataLoader: data worker ${this.number} was closed while a batch was being computed`));
    await this.thread.terminate();
  }

  private wait<T>(key: number | "plan"): Promise<T> {
    this.thread.ref();
    return new Promise<T>((resolve, reject) => this.waiting.set(key, { resolve, reject }));
  }

  private receive(message: FromWorker): void {
    const key = message.type === "plan" ? "plan" : (message.id ?? "plan");
    const waiting = this.waiting.get(key);
    // Nobody waits for a cancelled unit.
    if (!waiting) return;
    this.waiting.delete(key);
    if (message.type === "error") waiting.reject(fromWire(message.error));
    else waiting.resolve((message.type === "plan" ? message.plan : message.items) as never);
    this.release();
  }

  private fail(error: Error): void {
    this.failure ??= error;
    for (const { reject } of this.waiting.values()) reject(this.failure);
    this.waiting.clear();
    this.release();
  }

  private release(): void {
    if (this.waiting.size === 0) this.thread.unref();
  }
}
