/**
 * @file From items to a batch and back: MONAI's list_data_collate, pad_list_data_collate and decollate_batch for host arrays.
 */

import { expectArguments, expectFull } from "../../host/kinds.ts";
import { expectOptions } from "../../host/options.ts";
import { ConfigError, ShapeError } from "../../host/errors.ts";
import { type HostArray, sizeOf, type TypedArray } from "../../host/array.ts";
import { stridesOf } from "../../host/shape.ts";
import { copyView } from "../../host/strided.ts";
import type { PadMethod } from "../transforms/pad/pad.ts";
import { checkFill, padAxes, type PadFill } from "../transforms/pad/pad_axes.ts";
import type { Item } from "../transforms/transform.ts";

/**
 * Arrays of a batch under their items' keys, `[N, …]`. What items hold beside arrays travels along; `decollate` gives it back. `K` are keys that it has for
 * certain, such as `Batch<"image" | "label">`: with `noUncheckedIndexedAccess` only those need no check.
 */
export type Batch<K extends string = never> = Readonly<Record<string, HostArray>> & Readonly<Record<K, HostArray>>;

/** The batch of items `T`: it has the keys under which all of them have an array or a number. */
export type BatchOf<T> = Batch<
  string & keyof { [K in keyof T as string extends K ? never : T[K] extends HostArray | number ? K : never]: HostArray }
>;

/** What cannot be stacked of a sample: names, lists; of an array its affine and the like, and where padding put it. */
interface Rest {
  readonly entries: Item;
  readonly origins: Readonly<Record<string, Origin>>;
}

/** Where the voxels of an array lie within its place in the batch. */
interface Origin {
  readonly before: readonly number[];
  readonly shape: readonly number[];
}

const rests = new WeakMap<Batch, readonly Rest[]>();

/**
 * Stacks the arrays under each key of the `items` to `[N, …]` and numbers to `[N]`, float32 unless one is a whole number that it has not, then float64. Lists,
 * as multi-sample transforms give them, are flattened first. Other values (names, paths, affines) have no place in arrays: they travel with the batch, and `decollate` gives them back. Arrays of several
 * element types become float32.
 * @throws ShapeError if arrays of one key differ in shape; ConfigError if an item is not a record, lacks a key of the first or has an array more, or holds
 *   nothing that a batch could be made of, such as paths that nobody has loaded
 */
export function listDataCollate<T extends Item = Item>(items: readonly (T | readonly T[])[]): BatchOf<T> {
  return collateItems("listDataCollate", items, stack) as BatchOf<T>;
}

/** How `padListDataCollate` pads. */
export interface PadCollateOptions extends PadFill {
  /** Default "symmetric": voxels in the middle, as MONAI; "end": padding behind them. */
  readonly method?: PadMethod;
}

/**
 * Makes a collate function that pads arrays of one key to the largest of the batch, axis by axis behind the channels: MONAI's `pad_list_data_collate`.
 * `decollate` takes the padding off again.
 */
export function padListDataCollate(options: PadCollateOptions = {}): (items: readonly (Item | readonly Item[])[]) => Batch {
  expectOptions(
    "padListDataCollate",
    options,
    "method mode value:number constantValues:pairs endValues:pairs statLength:pairs? reflectType:text",
  );
  const { method = "symmetric", ...fill } = options;
  if (method !== "symmetric" && method !== "end")
    throw new ConfigError(`padListDataCollate: method is "${String(method)}"; expected "symmetric" or "end"`);
  checkFill("padListDataCollate", fill);
  return (items) =>
    collateItems("padListDataCollate", items, (op, key, arrays) => {
      const { shape } = arrays[0];
      if (arrays.some((a) => a.shape.length !== shape.length || a.shape[0] !== shape[0]))
        throw new ShapeError(
          `${op}: arrays of "${key}" differ in axes or channels: [${arrays.map((a) => `[${a.shape}]`).join(", ")}]`,
        );
      const most = shape.map((_, axis) => Math.max(...arrays.map((a) => a.shape[axis])));
      const before = arrays.map((a) => a.shape.map((n, axis) => (method === "end" ? 0 : (most[axis] - n) >> 1)));
      const padded = arrays.map((a, i) => {
        const width = most.slice(1).map((n, s) => [before[i][s + 1], n - a.shape[s + 1] - before[i][s + 1]] as const);
        return padAxes(op, a, width, fill);
      });
      return { ...stack(op, key, padded), origins: arrays.map((a, i) => ({ before: before[i], shape: a.shape })) };
    });
}

type Stack = (op: string, key: string, arrays: readonly HostArray[]) => HostArray & { readonly origins?: readonly Origin[] };

function collateItems(op: string, items: readonly (Item | readonly Item[])[], join: Stack): Batch {
  expectArguments(op, "list", { items });
  const flat = items.flat() as Item[];
  if (flat.length === 0) throw new ConfigError(`${op}: no items; a batch needs at least one`);
  for (const [i, item] of flat.entries()) {
    if (typeof item !== "object" || item === null || isArray(item)) {
      throw new ConfigError(
        `${op}: item ${i} is ${isArray(item) ? "a bare array" : String(item)}; expected a record of arrays, e.g. { image, label }; load files with a transform of the dataset`,
      );
    }
  }
  const batch: Record<string, HostArray> = {};
  const origins: Record<string, Origin>[] = flat.map(() => ({}));
  for (const [key, first] of Object.entries(flat[0])) {
    const isNumber = typeof first === "number";
    if (!isNumber && !isArray(first)) continue;
    const Of = isNumber && flat.some((item) => beyondSingle(item[key])) ? Float64Array : Float32Array;
    const arrays = flat.map((item, i): HostArray => {
      const value = item[key];
      if (typeof value === "number" && isNumber) return { data: Of.of(value), shape: [] };
      if (isArray(value) && !isNumber) {
        expectFull(op, `"${key}" of item ${i}`, value);
        return value;
      }
      throw new ConfigError(
        `${op}: item ${i} has no ${isNumber ? "number" : "array"} under "${key}", item 0 has; all items of a batch need the same keys`,
      );
    });
    const { data, shape, origins: found } = join(op, key, arrays);
    batch[key] = { data, shape };
    found?.forEach((origin, i) => (origins[i][key] = origin));
  }
  // Else it would depend on the order of the items whether an entry is lost.
  flat.forEach((item, i) => {
    const [key] = Object.entries(item).find(([k, v]) => (typeof v === "number" || isArray(v)) && !Object.hasOwn(batch, k)) ?? [];
    if (key !== undefined)
      throw new ConfigError(
        `${op}: item ${i} has ${isArray(item[key]) ? "an array" : "a number"} under "${key}", item 0 has none; all items of a batch need the same keys`,
      );
  });
  if (!Object.values(flat[0]).some(isArray)) expectNoFiles(op, flat[0], batch);
  rests.set(
    batch,
    flat.map((item, i) => ({ entries: withoutVoxels(item), origins: origins[i] })),
  );
  return batch;
}

/** Whether it is a whole number, such as the number of a patient, that float32 has not. */
const beyondSingle = (value: unknown): boolean => Number.isInteger(value) && Math.fround(value as number) !== value;

/** The entries of an item without what the batch holds: arrays keep what they have beside their voxels. */
function withoutVoxels(item: Item): Item {
  const entries = Object.entries(item).flatMap(([key, value]) => {
    if (typeof value === "number") return [];
    if (!isArray(value)) return [[key, value] as const];
    const { data: _d, shape: _s, ...rest } = value;
    return Object.keys(rest).length > 0 ? [[key, rest] as const] : [];
  });
  return Object.fromEntries(entries);
}

/**
 * The samples of a batch as items again, with views of its arrays: names, affines and other entries come back, padding goes off, numbers stay arrays
 * of no axes. Lists give each sample its entry; texts, numbers and arrays of no axes go to all of them. MONAI's `decollate_batch`, but that lists
 * which are too short are an error.
 * @param batch arrays `[N, …]`, such as predictions for a batch, and lists of N, under their keys
 * @param from the batch whose entries and padding count; default `batch` itself
 * @throws ShapeError if arrays and lists differ in their number of samples, ConfigError for a bare array
 */
export function decollate(batch: Batch | Readonly<Record<string, unknown>>, from: Batch = batch as Batch): Item[] {
  expectArguments("decollate", "object", { batch, from });
  if (isArray(batch) || isArray(from))
    throw new ConfigError("decollate: the batch is a bare array; give it under its key, such as { image: array }");
  const entries = Object.entries(batch);
  for (const [key, value] of entries) if (isArray(value)) expectFull("decollate", key, value);
  const [first, ...more] = entries.flatMap(([key, value]) => {
    const samples = samplesOf(value);
    return samples ? [{ key, samples }] : [];
  });
  if (!first) return [];
  for (const { key, samples } of more) {
    if (samples.length !== first.samples.length)
      throw new ShapeError(
        `decollate: "${key}" has ${samples.length} samples, but "${first.key}" has ${first.samples.length}; all of a batch need as many`,
      );
  }
  const shared = Object.fromEntries(entries.filter(([, value]) => !samplesOf(value)));
  const known = rests.get(from);
  return first.samples.map((_, i) => {
    const rest = known?.[i];
    const own = [first, ...more].map(({ key, samples }) => {
      const value = samples[i];
      if (!isArray(value)) return [key, value] as const;
      return [key, { ...(rest?.entries[key] as object | undefined), ...unpadded(value, rest?.origins[key]) }] as const;
    });
    return { ...rest?.entries, ...shared, ...Object.fromEntries(own) };
  });
}

/** What each sample has of a value; nothing where all have the whole of it. */
function samplesOf(value: unknown): readonly unknown[] | undefined {
  if (Array.isArray(value)) return value;
  if (!isArray(value) || value.shape.length === 0) return undefined;
  const [count, ...shape] = value.shape;
  const one = sizeOf(shape);
  return Array.from({ length: count }, (_, i) => ({ data: value.data.subarray(i * one, (i + 1) * one), shape }));
}

function unpadded(array: HostArray, origin: Origin | undefined): HostArray {
  if (!origin || array.shape.length !== origin.shape.length) return array;
  if (origin.shape.every((n, a) => n === array.shape[a])) return array;
  const strides = stridesOf(array.shape);
  const start = origin.before.reduce((at, n, a) => at + n * strides[a], 0);
  return copyView(array.data, origin.shape, strides, start);
}

/** Items that hold paths where arrays are wanted would make a batch without images. */
function expectNoFiles(op: string, item: Item, batch: Batch): void {
  const path = Object.entries(item).find(([, value]) => typeof value === "string" && imageFile.test(value));
  if (!path && Object.keys(batch).length > 0) return;
  const [key, value] = path ?? Object.entries(item).find(([, v]) => v !== undefined) ?? [];
  throw new ConfigError(
    `${op}: the items have no array${key === undefined ? "" : `: "${key}" is ${shown(value)}`}; loaders take items of arrays { data, shape }. ` +
      `Files are read by a transform of the dataset, such as new MapDataset(items, load) with a function load that reads an item's files`,
  );
}

// Not the table of the formats, which would bring every reader along with a loader.
const imageFile = /\.(nii|mgh|mgz|mha|mhd|nrrd|dcm|npy|npz|png|jpe?g|tiff?|h5)(\.gz)?$/i;
const shown = (value: unknown): string => JSON.stringify(value)?.slice(0, 80) ?? typeof value;

function stack(op: string, key: string, arrays: readonly HostArray[]): HostArray {
  const { shape, data } = arrays[0];
  const different = arrays.findIndex((a) => a.shape.join() !== shape.join());
  if (different > 0) {
    throw new ShapeError(
      `${op}: "${key}" has shape [${shape}] in item 0 of the batch and [${arrays[different].shape}] in item ${different}; ` +
        `crop, pad or resize the items to one size, collate with padListDataCollate(), or use a batch size of 1`,
    );
  }
  const one = sizeOf(shape);
  const sameType = arrays.every((a) => a.data.constructor === data.constructor);
  const Type = (sameType ? data.constructor : Float32Array) as new (length: number) => TypedArray;
  const out = new Type(one * arrays.length);
  arrays.forEach((a, i) => out.set(a.data, i * one));
  return { data: out, shape: [arrays.length, ...shape] };
}

function isArray(value: unknown): value is HostArray {
  const array = value as Partial<HostArray> | null | undefined;
  return typeof array === "object" && array !== null && ArrayBuffer.isView(array.data) && Array.isArray(array.shape);
}
