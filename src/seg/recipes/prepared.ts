/** @file Preparing cases: the checks and conversions that recipes share, and a dataset of prepared cases that keeps what fits in memory. */

import { expectFields } from "../../host/kinds.ts";
import { axisCodes, turnArray, turnTo, turnVolume, undone } from "../../data/axis_codes.ts";
import { encodeItem } from "../../data/datasets/item_codec.ts";
import { keepItems } from "../../data/datasets/keep_items.ts";
import { itemKey } from "../../data/datasets/item_key.ts";
import type { ItemStore } from "../../data/datasets/item_store.ts";
import { readableItem } from "../../data/datasets/persistent_dataset.ts";
import type { Case } from "../../data/folders/dataset_index.ts";
import type { HostArray } from "../../host/array.ts";
import { ConfigError, DataError, ShapeError } from "../../host/errors.ts";
import { expectFinite } from "../../host/finite.ts";
import type { Context, LoadedCase, PreparedCase, PreparedDataset, Recipe } from "./recipe.ts";

/** The image of a case as floats. Throws `ShapeError` for another number of channels, `DataError` for voxels that are not finite. `[C, x, y, z]`. */
export function preparedImage(source: LoadedCase, context: Context): HostArray<Float32Array> {
  expectFields("preparedImage", "source", source, { image: "array" });
  expectFields("preparedImage", "context", context, { channels: "texts" });
  const { id, image } = source;
  const { channels } = context;
  const { shape } = image;
  if (shape[0] !== channels.length)
    throw new ShapeError(
      `case "${id}": the image has ${shape[0]} channels, the dataset names ${channels.length}: ${channels.join(", ")}` +
        (shape[0] < channels.length ? "; files <id>_0000, <id>_0001 … of one folder are the channels of a case" : ""),
    );
  const data = image.data instanceof Float32Array ? image.data : new Float32Array(image.data);
  expectFinite({ data, shape }, `case "${id}": `, "repair or leave out the case");
  return { data, shape };
}

/** What the loss compares with, if the case has a label. `[1, …]` class indices or `[regions, …]` masks. */
export function preparedLabel(source: LoadedCase, context: Context): HostArray<Float32Array> | undefined {
  expectFields("preparedLabel", "source", source, { label: "array?" });
  expectFields("preparedLabel", "context", context, { outputs: "object" });
  const { label } = source;
  const { outputs } = context;
  return label && outputs.target(label);
}

/** Marks the voxels that must not train: an entry `ignored` for datasets that have such voxels, else nothing. */
export function preparedIgnored({ label }: LoadedCase, { outputs }: Context): { readonly ignored?: HostArray } {
  const ignored = label && outputs.ignored(label);
  return ignored ? { ignored } : {};
}

/** Throws `DataError` if a training case has no label, or none of the classes and that is not allowed. */
function expectLabeled(id: string, label: HostArray | undefined, { config, outputs }: Context): void {
  if (!label) throw new DataError(`case "${id}" has no label, but training needs one`);
  if (config.allowEmpty || someAbove0(label)) return;
  throw new DataError(
    `case "${id}": the label is empty (no voxel of ${outputs.foreground.map((l) => l.name)}); leave out the case or pass --allow-empty`,
  );
}

function someAbove0({ data }: HostArray): boolean {
  for (let i = 0; i < data.length; i++) if (data[i] > 0) return true;
  return false;
}

/** Where the cases of a dataset are read from. */
export type ReadCase = (source: Case) => Promise<LoadedCase>;

/** A case with what the dataset lists of it. */
export async function readListed(read: ReadCase, item: Case): Promise<LoadedCase> {
  return { ...(await read(item)), ...(item.nodules && { nodules: item.nodules }) };
}

/** A case with the axes of image and label pointing as those of the run; the case itself if they do. */
export function oriented(stored: LoadedCase, orientation: string | undefined): LoadedCase {
  if (orientation === undefined || axisCodes(stored.image.affine) === orientation) return stored;
  // The label goes with its image, whose grid it shares: of an oblique one the codes might differ by rounding.
  const turn = turnTo(stored.image.affine, orientation);
  const image = turnVolume(stored.image, turn);
  return { ...stored, image, ...(stored.label && { label: turnVolume(stored.label, turn) }) };
}

/** A case on its way into a network. */
export interface ReadyCase {
  /** As it was read. */
  readonly stored: LoadedCase;
  /** In the orientation of the run. */
  readonly source: LoadedCase;
  readonly prepared: PreparedCase;
}

/** Reads a case, brings it to the orientation of the run and makes it ready: the one way of cases, to train and to predict. */
export async function readyCase<C extends object>(
  recipe: Recipe<C>,
  context: Context<C>,
  read: ReadCase,
  item: Case,
): Promise<ReadyCase> {
  const stored = await readListed(read, item);
  const source = oriented(stored, context.orientation);
  return { stored, source, prepared: await recipe.prepare(source, context) };
}

/** A label map of a case in the orientation of the run, as its image is stored. */
export function asStored({ image }: LoadedCase, orientation: string | undefined, labels: HostArray): HostArray {
  return orientation === undefined ? labels : turnArray(labels, undone(turnTo(image.affine, orientation)));
}

const bytesOf = (item: PreparedCase): number =>
  Object.values(item).reduce<number>((sum, v) => sum + ((v as Partial<HostArray> | undefined)?.data?.byteLength ?? 0), 0);

/** Gives a case as it was prepared by an earlier run, or makes and keeps it. */
export type PreparedStore = (source: Case, make: () => Promise<PreparedCase>) => Promise<PreparedCase>;

/**
 * Prepared cases on disk, under what they were made from: the case and the contents of its files, recipe, and what its `preparation` says. A damaged one
 * is made anew.
 * @returns undefined without a store
 * @throws ConfigError for a recipe that does not say what its preparation depends on
 */
export function preparedStore<Config extends object>(
  recipe: Recipe<Config>,
  context: Context<Config>,
  store: ItemStore | undefined,
): PreparedStore | undefined {
  if (!store) return undefined;
  if (!recipe.preparation)
    throw new ConfigError(
      `recipe ${recipe.name} does not say what prepared cases depend on (preparation), so none can be kept; leave out prepared`,
    );
  const { labels, channels, orientation } = context;
  const made = encodeItem([recipe.name, recipe.version, labels, channels, orientation ?? "", recipe.preparation(context)]);
  const prefix = new TextDecoder().decode(made);
  const keep = keepItems("prepared cases", store);
  return async ({ id, ...source }, make) => {
    const name = `${id.replaceAll(/[^\w.-]/g, "_")}-${await itemKey(prefix, source, store)}.item`;
    const bytes = await store.read(name);
    const found = bytes && readableItem(bytes, name);
    if (found) return found.value as PreparedCase;
    const item = await make();
    await keep(name, item);
    return item;
  };
}

/**
 * Training cases, prepared; the first that fit `cacheBytes` are kept. Keeping the first rather than the latest is right for passes in a changing
 * order over all of them: the latest would always be thrown out before they are wanted again.
 */
export class PreparedCases<Config extends object> implements PreparedDataset {
  private readonly recipe: Recipe<Config>;
  private readonly context: Context<Config>;
  readonly sources: readonly Case[];
  private readonly read: ReadCase;
  private readonly kept = new Map<number, PreparedCase>();
  private readonly loading = new Map<number, Promise<PreparedCase>>();
  private left: number;
  private readonly disk: PreparedStore | undefined;

  /** @param disk keeps prepared cases between runs, see `preparedStore` */
  constructor(
    recipe: Recipe<Config>,
    context: Context<Config>,
    cases: readonly Case[],
    read: ReadCase,
    cacheBytes: number,
    disk?: PreparedStore,
  ) {
    this.disk = disk;
    this.recipe = recipe;
    this.context = context;
    this.sources = cases;
    this.read = read;
    this.left = cacheBytes;
  }

  get length(): number {
    return this.sources.length;
  }

  async get(index: number): Promise<PreparedCase> {
    const known = this.kept.get(index) ?? this.loading.get(index);
    if (known) return known;
    const loading = this.load(index);
    this.loading.set(index, loading);
    return loading.finally(() => this.loading.delete(index));
  }

  private async load(index: number): Promise<PreparedCase> {
    const source = this.sources[index];
    const make = async () => (await readyCase(this.recipe, this.context, this.read, source)).prepared;
    const item = await (this.disk ? this.disk(source, make) : make());
    expectLabeled(source.id, item.label, this.context);
    const bytes = bytesOf(item);
    if (bytes <= this.left) {
      this.left -= bytes;
      this.kept.set(index, item);
    }
    return item;
  }
}
