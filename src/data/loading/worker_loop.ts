/**
 * @file What a data worker does, in any kind of thread: it builds the dataset of its module, then computes one unit after the other. Arrays are copied
 * there, off the main thread, and the copies handed over without another copy: the originals may belong to a cache.
 */

import { DataError } from "../../host/errors.ts";
import {
  buildDataset,
  computeUnit,
  type DatasetModule,
  type FromWorker,
  planOf,
  toWire,
  type ToWorker,
  unitOf,
} from "./unit_source.ts";

/** The thread's end of the line to its loader. */
export interface LoaderLine {
  send(message: FromWorker, transfer: ArrayBuffer[]): void;
  /** Lets a cancel that is waiting through before the next unit begins. */
  breathe(): Promise<void>;
}

/** Serves a loader. @returns what to call with each of its messages */
export function serveUnits(source: DatasetModule, seed: number, line: LoaderLine): (message: ToWorker) => void {
  const dataset = buildDataset(source);
  let queue: (ToWorker & { readonly type: "unit" })[] = [];
  let busy = false;
  dataset.then(planOf).then(
    (plan) => line.send({ type: "plan", plan }, []),
    (error: unknown) => line.send({ type: "error", error: toWire(error) }, []),
  );
  const work = async () => {
    busy = true;
    for (let job = queue.shift(); job; job = queue.shift()) {
      const { id, index, epoch } = job;
      try {
        const d = await dataset;
        line.send({ type: "begun", index, name: d.nameOf?.(index, epoch) }, []);
        const transfer: ArrayBuffer[] = [];
        const items = owned(await computeUnit(d, seed, epoch, index), transfer);
        try {
          line.send({ type: "unit", id, items }, transfer);
        } catch (cause) {
          throw new DataError(
            `DataLoader: ${unitOf(index, d.nameOf?.(index, epoch))} cannot go from its worker to the loader; give plain data and arrays. ${(cause as Error).message}`,
          );
        }
      } catch (error) {
        line.send({ type: "error", id, error: toWire(error) }, []);
      }
      await line.breathe();
    }
    busy = false;
  };
  return (message) => {
    if (message.type === "cancel") {
      const dropped = new Set(message.ids);
      queue = queue.filter(({ id }) => !dropped.has(id));
      return;
    }
    queue.push(message);
    if (!busy) void work();
  };
}

/** The same value with every typed array copied into memory of its own, which is listed in `transfer`; what is there twice, or in itself, is so in the copy. */
function owned<T>(value: T, transfer: ArrayBuffer[], made = new Map<unknown, unknown>()): T {
  if (typeof value !== "object" || value === null) return value;
  const known = made.get(value);
  if (known !== undefined) return known as T;
  if (ArrayBuffer.isView(value) && !(value instanceof DataView)) {
    // Not value.slice(): a Buffer's shares memory.
    const copy: Uint8Array<ArrayBuffer> = Uint8Array.prototype.slice.call(value);
    transfer.push(copy.buffer);
    made.set(value, copy);
    return copy as unknown as T;
  }
  if (!Array.isArray(value) && Object.getPrototypeOf(value) !== Object.prototype) return value;
  const out = (Array.isArray(value) ? [] : {}) as Record<string, unknown>;
  made.set(value, out);
  for (const [key, v] of Object.entries(value)) out[key] = owned(v, transfer, made);
  return out as T;
}
