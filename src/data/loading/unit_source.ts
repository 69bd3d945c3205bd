/**
 * @file Where a loader gets computed units (images, or the patches of an image) from: this thread, or worker threads behind the
 * same interface. Also the messages between a loader and its workers. Platform-neutral.
 */

import * as errors from "../../host/errors.ts";
import { importModule } from "../../host/import_module.ts";
import { asList, type Dataset, itemRandom, type StreamPlan } from "../datasets/dataset.ts";
import type { Item } from "../transforms/transform.ts";
import type { URL } from "../../host/platform.ts";

/**
 * A dataset that can be built in another thread: a module whose default export is a factory, and its arguments as plain data.
 * The factory may be asynchronous.
 */
export interface DatasetModule {
  /** URL of the module; its default export is the factory. */
  readonly module: URL | string;
  /** What the factory is called with; plain data, since it is copied to workers. */
  readonly args?: unknown;
}

/** What a loader must know of a dataset that lives elsewhere. */
export interface DatasetPlan {
  readonly length: number;
  readonly stream?: StreamPlan | undefined;
  readonly samplesPerItem?: number | undefined;
  readonly movesBy?: number | undefined;
}

/** Computes units on request. */
export interface UnitSource {
  plan(): Promise<DatasetPlan>;
  /** Starts computing unit `index` of an epoch; results may arrive in any order. */
  request(index: number, epoch: number): { readonly id: number; readonly items: Promise<Item[]> };
  /** Forgets requests whose results nobody will take; what has not begun is not computed. */
  cancel(ids: readonly number[]): void;
  /** Whether it gives nothing more: a worker died, or the dataset could not be built. */
  readonly lost: boolean;
  close(): Promise<void>;
}

/** What a loader tells a worker. */
export type ToWorker =
  | { readonly type: "unit"; readonly id: number; readonly index: number; readonly epoch: number }
  | { readonly type: "cancel"; readonly ids: readonly number[] };
/** What a worker tells its loader. */
export type FromWorker =
  | { readonly type: "plan"; readonly plan: DatasetPlan }
  /** It works on this unit now: should it die, the case can be named. */
  | { readonly type: "begun"; readonly index: number; readonly name?: string | undefined }
  | { readonly type: "unit"; readonly id: number; readonly items: Item[] }
  | { readonly type: "error"; readonly id?: number; readonly error: WireError };
/** An error as it goes from thread to thread. */
export interface WireError {
  readonly name: string;
  readonly message: string;
  readonly stack?: string;
}

/** Units computed in this thread, on demand. */
export class LocalUnits implements UnitSource {
  lost = false;
  private readonly dataset: Promise<Dataset>;
  private readonly seed: number;

  constructor(source: Dataset | DatasetModule, seed: number) {
    this.dataset = "module" in source ? buildDataset(source) : Promise.resolve(source);
    // plan() reports a failed build; without this line it would also count as unhandled.
    this.dataset.catch(() => (this.lost = true));
    this.seed = seed;
  }

  async plan(): Promise<DatasetPlan> {
    return planOf(await this.dataset);
  }
  request(index: number, epoch: number): { id: number; items: Promise<Item[]> } {
    return { id: 0, items: this.dataset.then((d) => computeUnit(d, this.seed, epoch, index)) };
  }
  cancel(): void {}
  async close(): Promise<void> {}
}

/**
 * Unit `index`: the only place where a seed, an epoch and an index become samples.
 * @throws ConfigError for another number of them than a stream of patches is counted by: an epoch would have other batches than `batchesPerEpoch` says
 */
export async function computeUnit(dataset: Dataset, seed: number, epoch: number, index: number): Promise<Item[]> {
  const items = asList(await got(dataset, seed, epoch, index));
  const { stream, samplesPerItem = items.length } = dataset;
  if (!stream || items.length === samplesPerItem) return items;
  throw new errors.ConfigError(
    `DataLoader: image ${index} gave ${items.length} patches, where the dataset counts ${samplesPerItem} of each; make all in patchFunc`,
  );
}

/** What a dataset gives. An error is told with the item that it came from. */
async function got(dataset: Dataset, seed: number, epoch: number, index: number): Promise<Item | Item[]> {
  try {
    return await dataset.get(index, itemRandom(seed, epoch, index), epoch);
  } catch (error) {
    const name = dataset.nameOf?.(index, epoch);
    const unit = unitOf(index, name);
    if (!(error instanceof Error))
      throw new errors.DataError(`DataLoader: ${unit}: what was thrown is no error: ${shown(error)}`, { cause: error });
    // Many name the case or the file themselves; "3" alone would be any number.
    const told = error.message.includes(name === undefined ? unit : name.length > 3 ? name : `"${name}"`);
    // The platform's own messages are for reading alone.
    if (Object.hasOwn(error, "message") && !told) error.message += ` (${unit})`;
    throw error;
  }
}

/** An item as messages call it. */
export function unitOf(index: number, name: string | undefined): string {
  return `item ${index}${name === undefined ? "" : ` ("${name}")`}`;
}

/** Any value as text, also where it has none. */
export function shown(value: unknown): string {
  try {
    return String(value);
  } catch {
    return "an object without a text";
  }
}

/** What a loader must know of a dataset. @throws ConfigError if its length is none: an epoch would have no items, or some */
export function planOf(dataset: Dataset): DatasetPlan {
  const { length, stream, samplesPerItem, movesBy } = dataset;
  if (!Number.isSafeInteger(length) || length < 0)
    throw new errors.ConfigError(`DataLoader: the dataset has length ${length}; expected a number of items`);
  return { length, stream, samplesPerItem, movesBy };
}

/** Imports a dataset's module and calls its factory. @throws ConfigError if there is none or it does not give a dataset */
export async function buildDataset(source: DatasetModule): Promise<Dataset> {
  const href = String(source.module);
  let factory: unknown;
  try {
    ({ default: factory } = (await importModule(href)) as { default?: unknown });
  } catch (cause) {
    throw new errors.ConfigError(`DataLoader: the dataset module ${href} cannot be loaded: ${(cause as Error).message}`, {
      cause,
    });
  }
  if (typeof factory !== "function")
    throw new errors.ConfigError(
      `DataLoader: the dataset module ${href} must export a factory (args) => dataset by default; its default export is ${typeof factory}`,
    );
  const dataset = (await factory(source.args)) as Partial<Dataset> | undefined;
  if (typeof dataset?.get !== "function" || typeof dataset.length !== "number") {
    throw new errors.ConfigError(
      `DataLoader: the factory of ${href} gave no dataset; expected an object with length and get(index, random)`,
    );
  }
  return dataset as Dataset;
}

/** An error as plain data. */
export function toWire(error: unknown): WireError {
  if (!(error instanceof Error)) return { name: "Error", message: shown(error) };
  return { name: error.name, message: error.message, stack: error.stack };
}

/** The error of another thread with its class, as far as it is one of voxgrad's or of the language's. */
export function fromWire({ name, message, stack }: WireError): Error {
  const classes: Record<string, unknown> = { ...errors, TypeError, RangeError, SyntaxError, ReferenceError };
  const Class = (classes[name] ?? Error) as new (message: string) => Error;
  const error = new Class(message);
  if (error.name !== name) Object.defineProperty(error, "name", { value: name });
  error.stack = `${error.stack}\nin a data worker: ${stack ?? message}`;
  return error;
}
