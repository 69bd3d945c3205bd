/**
 * @file Datasets: what a loader draws from. A dataset is array-like, `length` and `get(i, random, epoch)`; everything random about item i
 * comes from the source it is handed, which is derived from (seed, epoch, i) alone. So an epoch holds the same samples however
 * many workers compute it and in whatever order, and any epoch can be made again. Patch datasets give a list per image and say
 * in `stream` that the patches form one stream; shuffling that stream is a plan that the loader carries out after its workers,
 * hence sharding happens once, over images, and never inside a dataset.
 */

import { expectArguments } from "../../host/kinds.ts";
import { ConfigError } from "../../host/errors.ts";
import { type RandomSource, RandomState } from "../../host/random/numpy.ts";
import { Compose } from "../transforms/compose.ts";
import { Passage } from "../transforms/give_back.ts";
import { isRandomizable, type Item, type KeyTransform, type Transform } from "../transforms/transform.ts";

/** A dataset of items T. */
export interface Dataset<T = Item> {
  /** Number of units that `get` takes; for patch datasets the images, not the patches. */
  readonly length: number;
  /**
   * Item `index`, or several from a multi-sample transform; the same (index, state of `random`, epoch) gives the same values. The epoch, 0 if
   * it is not given, matters only to datasets that show other items in each, such as `SmartCacheDataset`.
   */
  get(index: number, random: RandomSource, epoch?: number): T | T[] | Promise<T | T[]>;
  /** Present if samples are counted one by one across units, as patches are; absent if a batch is made of whole units. */
  readonly stream?: StreamPlan | undefined;
  /** What item `index` of an epoch (default 0) is called, for messages. */
  nameOf?(index: number, epoch?: number): string | undefined;
  /** Samples that every unit gives, where that is known beforehand. */
  readonly samplesPerItem?: number | undefined;
  /**
   * Items that the window moves on by with each epoch, as that of `SmartCacheDataset` does: item i was item i + `movesBy` an epoch before, so that the
   * worker that keeps it is asked again. Where it is given, items are others in each epoch, and no cache keeps those of the first for all.
   */
  readonly movesBy?: number | undefined;
}

/** How the samples of successive units become a stream. */
export interface StreamPlan {
  /** Mix the samples of a stream: each is drawn from the `bufferSize` next ones, by `seed`. Default: in order. */
  readonly shuffle?: { readonly bufferSize: number; readonly seed: number };
  /** Passes over the data that make one epoch; default 1. */
  readonly epochs?: number;
}

/** A transform object, or a function of an item and its source of randomness; neither may change the item. */
export type ItemTransform<T = Item> =
  | Transform<T>
  | KeyTransform
  | ((item: T, random: RandomSource) => T | T[] | Promise<T | T[]>);

/** A dataset, or a plain array of items. */
export type DataSource<T = Item> = Dataset<T> | readonly T[];

/** The randomness of one item in one epoch. */
export function itemRandom(seed: number, epoch: number, index: number): RandomSource {
  return new RandomState([seed, epoch, index]);
}

/** Applies transforms in order, waiting for those that wait themselves; what follows a multi-sample transform is applied to each sample. */
export async function applyTransforms<T>(links: readonly Link<T>[], item: T | T[], random: RandomSource): Promise<T | T[]> {
  const passage = links.some(({ reuse }) => reuse) ? new Passage(item) : undefined;
  let value = item;
  for (const { transform, reuse } of links) {
    const read = value;
    const one = (x: T): T | T[] | Promise<T | T[]> => {
      if (typeof transform === "function") return transform(x, random);
      // Draws follow at once, before another item sets its own.
      if (isRandomizable(transform)) transform.setRandomState(random);
      const object = transform as Transform<T>;
      return object.applyAsync ? object.applyAsync(x) : object.apply(x);
    };
    if (Array.isArray(value)) {
      const results: T[] = [];
      for (const x of value as T[]) for (const result of asList(await one(x))) results.push(result);
      value = results;
    } else value = await one(value);
    if (reuse) passage?.giveBack(read, value);
    else passage?.keep([read, value]);
  }
  return value;
}

const marked = new WeakSet<object>();

/** Marks a plain function as one that draws nothing and gives the same for the same item, so that caches keep what it gives. Gives `transform` itself. */
export function deterministic<F extends object>(transform: F): F {
  expectArguments("deterministic", "transform", { transform });
  marked.add(transform);
  return transform;
}

/** Whether a transform is not known to be deterministic: a plain function is not, unless it is marked, and a chain is if its steps are. */
function mayDraw(t: object): boolean {
  if (marked.has(t)) return false;
  return t instanceof Compose ? t.transforms.some(mayDraw) : typeof t === "function" || isRandomizable(t);
}

/** Index of the first transform that is not known to be deterministic; their number if all are. */
export function firstRandom<T>(transforms: readonly ItemTransform<T>[]): number {
  const at = transforms.findIndex(mayDraw);
  return at < 0 ? transforms.length : at;
}

/**
 * One transform, a list of them, or a chain, of items `S`. Its type tells what comes out, `T`: a function what it returns, an object what `applyAsync` waits
 * for, and what has `apply` alone the item that went in. In a list, where one function takes what another gives, items are what `call` of a function gives: `any`.
 */
export type TransformList<S, T = S> =
  // Items of which no key is known may be taken as what the function takes them for.
  // oxlint-disable-next-line typescript/no-explicit-any
  | ((item: Item extends S ? any : S, random: RandomSource) => T | T[] | Promise<T | T[]>)
  | KeyTransform
  | Transform<NoInfer<S>>
  // Not `Transform<T>`, as that is what functions look like: they have `apply` too, and it gives `any`.
  | { apply(item: Item): unknown; applyAsync?(item: Item): Promise<T | T[]> }
  // And `call`, from which a list with functions has its `any`.
  | readonly (
      | KeyTransform
      | Transform<NoInfer<S>>
      | { apply(item: Item): unknown; applyAsync?(item: Item): Promise<T | T[]> }
      // oxlint-disable-next-line typescript/no-explicit-any
      | { (item: any, random: RandomSource): unknown; call(...of: never[]): T }
    )[];

/** A plain array as a dataset; a dataset as it is. @throws ConfigError for what is neither */
export function datasetOf<T>(op: string, data: DataSource<T>): Dataset<T> {
  if (!Array.isArray(data)) {
    expectArguments(op, "dataset", { data });
    return data as Dataset<T>;
  }
  const items = data as readonly T[];
  return { length: items.length, get: (index) => items[index], nameOf: (index) => nameOfItem(items[index]) };
}

/** A source that is asked for its items one by one. @throws ConfigError for a `ShuffleBuffer`, whose mixing would be left out */
export function unmixed<T>(op: string, data: DataSource<T>): Dataset<T> {
  const source = datasetOf(op, data);
  if (source.stream?.shuffle) throw new ConfigError(`${op}: a source is a ShuffleBuffer; put one around the ${op} instead`);
  return source;
}

/** Its id or name, else the first path in it. */
function nameOfItem(item: unknown): string | undefined {
  if (typeof item === "string") return item;
  if (typeof item !== "object" || item === null) return undefined;
  const { id, name } = item as { id?: unknown; name?: unknown };
  const found = [id, name].find((v) => typeof v === "string" || typeof v === "number");
  return found === undefined
    ? Object.values(item)
        .flat(1)
        .find((v): v is string => typeof v === "string")
    : String(found);
}

/** A transform of a list. */
export interface Link<T> {
  readonly transform: ItemTransform<T>;
  /** Whether it stands in a chain with `reuseMemory`. */
  readonly reuse: boolean;
}

/** Single transforms of a list or a chain, so that a cache can cut between them. @throws ConfigError for what is no transform */
export function linksOf<S, T>(op: string, transform: TransformList<S, T>, reuse = false): readonly Link<T>[] {
  if (transform instanceof Compose)
    return (transform.transforms as readonly TransformList<T>[]).flatMap((t) => linksOf<T, T>(op, t, transform.reuseMemory));
  const list = (Array.isArray(transform) ? transform : [transform]) as readonly ItemTransform<T>[];
  for (const one of list) expectArguments(op, "transform", { transform: one });
  return list.map((one) => ({ transform: one, reuse }));
}

/** The value, or values, as a list. */
export function asList<T>(value: T | T[]): T[] {
  return Array.isArray(value) ? value : [value];
}
