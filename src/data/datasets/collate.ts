/**
 * @file From items to a batch: MONAI's list_data_collate for host arrays.
 */

import { ConfigError, ShapeError } from "../../host/errors.ts";
import { type HostArray, sizeOf, type TypedArray } from "../../host/array.ts";
import type { Item } from "../transforms/transform.ts";

/** Arrays of a batch under their items' keys, `[N, …]`. */
export type Batch = Readonly<Record<string, HostArray>>;

/**
 * Stacks the arrays under each key to `[N, …]` and numbers to `[N]` float32. Lists, as multi-sample transforms give them, are flattened
 * first. Other values (names, paths, affines) have no place in a batch and are left out. Arrays of several element types become
 * float32.
 * @throws ShapeError if arrays of one key differ in shape; ConfigError if an item is not a record, lacks a key of the first, or holds
 *   nothing that a batch could be made of, such as paths that nobody has loaded
 */
export function listDataCollate(items: readonly (Item | readonly Item[])[]): Batch {
  const flat = items.flat() as Item[];
  if (flat.length === 0) throw new ConfigError("listDataCollate: no items; a batch needs at least one");
  const batch: Record<string, HostArray> = {};
  for (const [i, item] of flat.entries()) {
    if (typeof item !== "object" || item === null || isArray(item)) {
      throw new ConfigError(
        `listDataCollate: item ${i} is ${isArray(item) ? "a bare array" : String(item)}; expected a record of arrays, e.g. { image, label }; load files with a transform of the dataset`,
      );
    }
  }
  for (const [key, first] of Object.entries(flat[0])) {
    const isNumber = typeof first === "number";
    if (!isNumber && !isArray(first)) continue;
    const arrays = flat.map((item, i): HostArray => {
      const value = item[key];
      if (typeof value === "number" && isNumber) return { data: Float32Array.of(value), shape: [] };
      if (isArray(value) && !isNumber) return value;
      throw new ConfigError(
        `listDataCollate: item ${i} has no ${isNumber ? "number" : "array"} under "${key}", item 0 has; all items of a batch need the same keys`,
      );
    });
    batch[key] = stack(key, arrays);
  }
  if (!Object.values(flat[0]).some(isArray)) expectNoFiles(flat[0], batch);
  return batch;
}

/** Items that hold paths where arrays are wanted would make a batch without images. */
function expectNoFiles(item: Item, batch: Batch): void {
  const path = Object.entries(item).find(([, value]) => typeof value === "string" && imageFile.test(value));
  if (!path && Object.keys(batch).length > 0) return;
  const [key, value] = path ?? Object.entries(item).find(([, v]) => v !== undefined) ?? [];
  throw new ConfigError(
    `listDataCollate: the items have no array${key === undefined ? "" : `: "${key}" is ${shown(value)}`}; loaders take items of arrays { data, shape }. ` +
      `Files are read by a transform of the dataset, such as new MapDataset(items, load) with a function load that reads an item's files`,
  );
}

const imageFile = /\.(nii|mgh|mgz|mha|mhd|nrrd|dcm|npy|npz|png|jpe?g|tiff?|h5)(\.gz)?$/i;
const shown = (value: unknown): string => JSON.stringify(value)?.slice(0, 80) ?? typeof value;

function stack(key: string, arrays: readonly HostArray[]): HostArray {
  const { shape, data } = arrays[0];
  const different = arrays.findIndex((a) => a.shape.join() !== shape.join());
  if (different > 0) {
    throw new ShapeError(
      `listDataCollate: "${key}" has shape [${shape}] in item 0 of the batch and [${arrays[different].shape}] in item ${different}; ` +
        `crop, pad or resize the items to one size, or use a batch size of 1`,
    );
  }
  const one = sizeOf(shape);
  const sameType = arrays.every((a) => a.data.constructor === data.constructor);
  const Type = (sameType ? data.constructor : Float32Array) as new (length: number) => TypedArray;
  const out = new Type(one * arrays.length);
  arrays.forEach((a, i) => {
    if (a.data.length !== one)
      throw new ShapeError(
        `listDataCollate: "${key}" of item ${i} has ${a.data.length} elements, but its shape [${a.shape}] holds ${one}`,
      );
    out.set(a.data, i * one);
  });
  return { data: out, shape: [arrays.length, ...shape] };
}

function isArray(value: unknown): value is HostArray {
  const array = value as Partial<HostArray> | null | undefined;
  return typeof array === "object" && array !== null && ArrayBuffer.isView(array.data) && Array.isArray(array.shape);
}
