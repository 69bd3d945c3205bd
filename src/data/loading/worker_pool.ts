/**
 * @file Data workers behind one interface, whatever threads they are. Each worker builds the dataset from its module; unit i belongs to worker i mod n,
 * so that a cache in a worker keeps that worker's share and no more, and follows it where the items of an epoch move on.
 */

import { ConfigError, DataError } from "../../host/errors.ts";
import type { Item } from "../transforms/transform.ts";
import { type DatasetPlan, fromWire, type FromWorker, type ToWorker, type UnitSource, unitOf } from "./unit_source.ts";

/** A thread, as its loader sees it. */
export interface WorkerThread {
  post(message: ToWorker): void;
  /** Whether the process has to stay open for it. */
  hold(held: boolean): void;
  terminate(): Promise<void>;
}

/** What a thread tells its loader. */
export interface ThreadEvents {
  message(message: FromWorker): void;
  /** It is gone. @param why ends the sentence "data worker 0 …" */
  died(why: string, cause?: unknown): void;
}

/** Starts a thread. */
export type OpenThread = (number: number, events: ThreadEvents) => WorkerThread;

/** Units of `count` workers. */
export function poolOf(count: number, open: OpenThread): UnitSource {
  const workers = Array.from({ length: count }, (_, k) => new DataWorker(k, open));
  let nextId = 0;
  let movesBy = 0;
  return {
    async plan() {
      const plans = await Promise.all(workers.map((w) => w.plan));
      const lengths = new Set(plans.map((p) => p.length));
      // Each would have its own idea of which item is the first: some would come twice and some never.
      if (lengths.size > 1)
        throw new ConfigError(
          `DataLoader: the workers built datasets of ${[...lengths].join(" and ")} items; the module must give the same items in every thread (list the files once and hand them over in args)`,
        );
      movesBy = plans[0].movesBy ?? 0;
      return plans[0];
    },
    request(index, epoch) {
      const id = nextId++;
      return { id, items: workers[(index + epoch * movesBy) % count].request({ type: "unit", id, index, epoch }) };
    },
    cancel: (ids) => workers.forEach((w) => w.cancel(ids)),
    get lost() {
      return workers.some((w) => w.lost);
    },
    close: async () => void (await Promise.all(workers.map((w) => w.close()))),
  };
}

interface Waiting<T> {
  readonly resolve: (value: T) => void;
  readonly reject: (error: Error) => void;
}

/** One worker. It holds the process open only while somebody waits for it. */
class DataWorker {
  readonly plan: Promise<DatasetPlan>;
  private readonly thread: WorkerThread;
  private readonly number: number;
  private readonly waiting = new Map<number | "plan", Waiting<never>>();
  private failure: Error | undefined;
  private unbuilt = false;
  /** The unit that it works on, for the message should it die. */
  private begun: string | undefined;
  /** The one before, which may have left behind what ends the thread now. */
  private last: string | undefined;

  constructor(number: number, open: OpenThread) {
    this.number = number;
    this.thread = open(number, {
      message: (message) => this.receive(message),
      died: (why, cause) => this.fail(this.death(why, cause)),
    });
    this.plan = this.wait("plan");
    this.plan.catch(() => (this.unbuilt = true));
  }

  get lost(): boolean {
    return this.unbuilt || this.failure !== undefined;
  }

  request(message: ToWorker & { readonly type: "unit" }): Promise<Item[]> {
    if (this.failure) return Promise.reject(this.failure);
    const items = this.wait<Item[]>(message.id);
    this.thread.post(message);
    return items;
  }

  cancel(ids: readonly number[]): void {
    const own = ids.filter((id) => this.waiting.delete(id));
    if (own.length === 0) return;
    this.thread.post({ type: "cancel", ids: own });
    this.release();
  }

  async close(): Promise<void> {
    this.fail(new DataError(`DataLoader: data worker ${this.number} was closed while a batch was being computed`));
    await this.thread.terminate();
  }

  private wait<T>(key: number | "plan"): Promise<T> {
    this.thread?.hold(true);
    return new Promise<T>((resolve, reject) => this.waiting.set(key, { resolve, reject }));
  }

  private receive(message: FromWorker): void {
    if (message.type === "begun") {
      this.begun = unitOf(message.index, message.name);
      return;
    }
    this.last = this.begun ?? this.last;
    this.begun = undefined;
    const key = message.type === "plan" ? "plan" : (message.id ?? "plan");
    const waiting = this.waiting.get(key);
    // Nobody waits for a canceled unit.
    if (!waiting) return;
    this.waiting.delete(key);
    if (message.type === "error") waiting.reject(fromWire(message.error));
    else waiting.resolve((message.type === "plan" ? message.plan : message.items) as never);
    this.release();
  }

  private death(why: string, cause: unknown): DataError {
    const unit = this.begun === undefined ? "" : ` while it prepared ${this.begun}`;
    const last = this.last === undefined ? "" : `, after ${this.last}`;
    return new DataError(`DataLoader: data worker ${this.number} ${why}${unit}${last}`, { cause });
  }

  private fail(error: Error): void {
    this.failure ??= error;
    for (const { reject } of this.waiting.values()) reject(this.failure as never);
    this.waiting.clear();
    this.release();
  }

  private release(): void {
    if (this.waiting.size === 0) this.thread?.hold(false);
  }
}
