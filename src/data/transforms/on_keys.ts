/** @file Array transforms applied to entries of dictionary items (`onKeys`). */
import { described, expectArguments, expectFull, expectKinds, isHostArray, refused } from "../../host/kinds.ts";
import { expectOptions } from "../../host/options.ts";
import { ConfigError, DataError, ShapeError } from "../../host/errors.ts";
import type { HostArray } from "../../host/array.ts";
import type { RandomSource } from "../../host/random/numpy.ts";
import type { Volume } from "../volume.ts";
import type { Choosing } from "./choose.ts";
import type { ChainStep, Compose } from "./compose.ts";
import { given } from "./given.ts";
import {
  type ArraySource,
  RandomTransform,
  type Item,
  type ItemWide,
  type KeyTransform,
  type LabelSafe,
  type Randomizable,
  type Transform,
  type TransformState,
} from "./transform.ts";

/** How `onKeys` treats labels and missing entries. `K` are the names of the entries. */
export interface OnKeysOptions<K extends string = string> {
  /** Which of the keys hold class numbers; volumes that say so of themselves (`meta.kind`) need not be named. */
  readonly labels?: readonly K[];
  /** "monai" treats labels like images, as MONAI does. Default: label-safe variants for labels. */
  readonly compat?: "monai";
  /** Leave items without a key as they are instead of refusing them. Default false. */
  readonly allowMissingKeys?: boolean;
}

/** The names of an item type's entries. */
export type ItemKey<T> = keyof T & string;

/**
 * The dictionary form of an array transform: it is applied to the arrays under `keys`, all with the same random draw; other
 * entries are passed on. A multi-sample transform gives a list of items. Labels, which `labels` names or who loaded the volume has marked, get the
 * transform's label-safe variant, where it has one: a mode that mixes voxels is for the images, labels are taken from the nearest voxel (`Resize`:
 * nearest-exact), and from where "nearest" says if that was chosen. A transform that looks at the
 * voxels to choose a place (`CropForeground`) looks at its `sourceKey`, or the first of `keys`, and does the same to all. Some take an array of the item
 * that is not transformed: `MaskIntensity` its `maskKey`, `ResampleToMatch` its `keyDst`, `RandShiftIntensity` its `factorKey`, label crops their `labelKey`.
 *
 * A chain (`Compose`, `OneOf` …) under keys is the chain of its steps under them: each draws once for all arrays, and labels are looked after.
 *
 * Keys can be checked: `onKeys<{ image: Volume; label: Volume }>(["image", "label"], …)`.
 *
 * Draws are those of the array transform; MONAI's dictionary classes draw in another order in some cases (RandRotate90d).
 * @throws ConfigError without keys and for a label that is none of them; DataError for items without an entry
 */
export function onKeys<T extends object = Item>(
  // Names are checked where a type was given, never taken from what they are spelled like.
  keys: NoInfer<ItemKey<T>> | readonly NoInfer<ItemKey<T>>[],
  given: ArraySource,
  options?: OnKeysOptions<NoInfer<ItemKey<T>>>,
): Transform<Item>;
export function onKeys<T extends object = Item>(
  keys: NoInfer<ItemKey<T>> | readonly NoInfer<ItemKey<T>>[],
  given: Transform,
  options?: OnKeysOptions<NoInfer<ItemKey<T>>>,
): KeyTransform;
export function onKeys<T extends object = Item>(
  keys: NoInfer<ItemKey<T>> | readonly NoInfer<ItemKey<T>>[],
  given: Transform | ArraySource,
  options?: OnKeysOptions<NoInfer<ItemKey<T>>>,
): Transform<Item>;
export function onKeys(
  keys: string | readonly string[],
  given: Transform | ArraySource,
  options: OnKeysOptions = {},
): Transform<Item> {
  const transform = given as Transform;
  expectOptions("onKeys", options, "labels:texts compat:text allowMissingKeys:boolean");
  if (options.compat !== undefined && options.compat !== "monai") refused("onKeys", "compat", '"monai"', options.compat);
  const list: readonly string[] = typeof keys === "string" ? [keys] : keys;
  expectKinds("onKeys", { texts: { keys: list }, instance: { transform } });
  if (list.length === 0) throw new ConfigError("onKeys: keys is empty; name at least one entry of the items");
  const stray = options.labels?.find((key) => !list.includes(key));
  if (stray !== undefined)
    throw new ConfigError(`onKeys: the label "${stray}" is not among the keys [${list.join(", ")}]; add it to them`);
  if (isChain(transform))
    return ofSteps(transform, (step) =>
      typeof step === "function" ? functionOnKeys(list, step, options) : onKeys(list, step, options),
    );
  if (transform instanceof RandomTransform) return new RandomOnKeys(list, transform, options);
  return transform.applyAsync ? new AsyncOnKeys(list, transform, options) : new OnKeys(list, transform, options);
}

type Chain<X = HostArray> = Compose<X> | Choosing<X>;

/** By its steps, so that a page that has no chains carries none. */
const isChain = (t: Transform): t is Chain => "transforms" in t && Array.isArray(t.transforms);

/** The same chain, of any class, with what `lift` makes of its steps. One object under all keys would draw anew for each, and caches would not see that it draws. */
function ofSteps(chain: Chain, lift: (step: ChainStep) => ChainStep<Item>): Transform<Item> {
  const like = Object.create(Object.getPrototypeOf(chain) as object) as Chain<Item>;
  return Object.assign(like, chain, { transforms: chain.transforms.map(lift) });
}

/** A function of the values under keys as one of the item. Caches take it for random, as any function. */
function functionOnKeys(keys: readonly string[], func: (x: HostArray) => unknown, options: OnKeysOptions): ChainStep<Item> {
  const shell = new OnKeys(keys, { apply: (x) => x }, options);
  return (item) => {
    const names = shell.present(item);
    const joined = (values: readonly unknown[]) =>
      shell.joined(
        item,
        names.map((key, i) => [key, given(func, values[i])]),
      );
    const values = names.map((key) => func(item[key] as HostArray));
    return values.some((v) => v instanceof Promise) ? Promise.all(values).then(joined) : joined(values);
  };
}

/** A volume marked as one of class numbers; any other value as it is. */
function asLabel(value: unknown): unknown {
  const { meta } = (value ?? {}) as Partial<Volume>;
  return typeof meta === "object" && meta.kind !== "label" ? { ...(value as Volume), meta: { ...meta, kind: "label" } } : value;
}

class OnKeys implements Transform<Item> {
  protected readonly keys: readonly string[];
  protected readonly transform: Transform;
  protected readonly labelTransform: Transform;
  protected readonly labels: readonly string[];
  protected readonly compat: boolean;
  private readonly allowMissingKeys: boolean;

  constructor(keys: readonly string[], transform: Transform, { compat, labels = [], allowMissingKeys = false }: OnKeysOptions) {
    this.keys = keys;
    this.transform = transform;
    this.labels = labels;
    this.compat = compat === "monai";
    this.labelTransform = "forLabels" in transform ? (transform as Transform & LabelSafe).forLabels() : transform;
    this.allowMissingKeys = allowMissingKeys;
  }

  apply(item: Item): Item | Item[] {
    const arrays = this.arrays(item);
    const [first] = arrays.values();
    if (first && isItemWide(this.transform)) {
      const chosen = this.transform.forItem(this.source(item, this.transform.sourceKey) ?? first);
      const ofLabels = "forLabels" in chosen ? (chosen as Transform & LabelSafe).forLabels() : chosen;
      return this.applyToArrays(item, arrays, (key, x) => (this.isLabel(key, x) ? ofLabels : chosen).apply(x));
    }
    return this.applyToArrays(item, arrays, (key, x) => (this.isLabel(key, x) ? this.labelTransform : this.transform).apply(x));
  }

  /** Whether an entry holds class numbers: it was named, or the volume says so. */
  protected isLabel(key: string, x: HostArray): boolean {
    return !this.compat && (this.labels.includes(key) || (x as Partial<Volume>).meta?.kind === "label");
  }

  /** The keys that an item has. @throws DataError for one that it lacks, unless that is allowed */
  present(item: Item): string[] {
    expectArguments(this.transform.constructor.name, "object", { item });
    return this.keys.filter((key) => {
      if (item[key] !== undefined) return true;
      if (this.allowMissingKeys) return false;
      throw this.missing(item, key);
    });
  }

  protected arrays(item: Item): Map<string, HostArray> {
    const out = new Map<string, HostArray>();
    for (const key of this.present(item)) {
      out.set(key, this.arrayOf(item, key));
    }
    return out;
  }

  private source(item: Item, key: string | undefined): HostArray | undefined {
    return key === undefined ? undefined : this.arrayOf(item, key);
  }

  private arrayOf(item: Item, key: string): HostArray {
    const value = item[key];
    if (!isHostArray(value)) throw this.missing(item, key);
    expectFull(this.transform.constructor.name, `item.${key}`, value);
    return value as HostArray;
  }

  private missing(item: Item, key: string): DataError {
    return new DataError(
      `${this.transform.constructor.name}: the item has no array under "${key}"${item[key] === undefined ? "" : ` but ${described(item[key])}`} ` +
        `(its keys: ${Object.keys(item).join(", ")}); load it first or set allowMissingKeys`,
    );
  }

  protected applyToArrays(
    item: Item,
    arrays: Map<string, HostArray>,
    run: (key: string, x: HostArray) => HostArray | HostArray[],
  ): Item | Item[] {
    return this.joined(
      item,
      Array.from(arrays, ([key, x]) => [key, run(key, x)] as const),
    );
  }

  /** The item with what came of its entries, or the items, where lists of samples did. Volumes under names of labels are marked. */
  joined(item: Item, found: readonly (readonly [string, unknown])[]): Item | Item[] {
    const mark = (v: unknown): unknown => (Array.isArray(v) ? v.map(asLabel) : asLabel(v));
    const results = found.map(([key, v]) => [key, this.labels.includes(key) ? mark(v) : v] as const);
    const samples = results.length > 0 && Array.isArray(results[0][1]) ? results[0][1].length : undefined;
    if (samples === undefined) return { ...item, ...Object.fromEntries(results) };
    for (const [key, list] of results) {
      if ((list as HostArray[]).length !== samples)
        throw new ShapeError(
          `${this.transform.constructor.name}: "${results[0][0]}" gives ${samples} samples, "${key}" ${(list as HostArray[]).length}; ` +
            `arrays under one transform need one spatial shape`,
        );
    }
    return Array.from({ length: samples }, (_, i) => ({
      ...item,
      ...Object.fromEntries(results.map(([key, list]) => [key, (list as HostArray[])[i]])),
    }));
  }
}

/** Values may be anything, such as paths. */
class AsyncOnKeys extends OnKeys {
  async applyAsync(item: Item): Promise<Item | Item[]> {
    const out: [string, unknown][] = [];
    for (const key of this.present(item)) {
      const transform = this.labels.includes(key) && !this.compat ? this.labelTransform : this.transform;
      out.push([key, await transform.applyAsync!(item[key] as HostArray)]);
    }
    return this.joined(item, out);
  }

  override apply(item: Item): Item | Item[] {
    // Refuses by itself if it only works asynchronously.
    return this.applyToArrays(item, this.arraysOrAny(item), (_key, x) => this.transform.apply(x));
  }

  private arraysOrAny(item: Item): Map<string, HostArray> {
    return new Map(this.present(item).map((key) => [key, item[key] as HostArray]));
  }
}

class RandomOnKeys extends OnKeys implements Randomizable {
  private readonly inner: RandomTransform<HostArray | HostArray[]>;

  constructor(keys: readonly string[], transform: RandomTransform<HostArray | HostArray[]>, options: OnKeysOptions) {
    super(keys, transform, options);
    this.inner = transform;
  }

  override apply(item: Item): Item | Item[] {
    const arrays = this.arrays(item);
    const first = arrays.values().next().value;
    if (!first) return item;
    this.inner.randomizeItem(item, first);
    return this.applyToArrays(item, arrays, (key, x) =>
      this.isLabel(key, x) ? this.inner.applyDrawnToLabel(x) : this.inner.applyDrawn(x),
    );
  }

  setRandomState(seed: number | RandomSource): this {
    this.inner.setRandomState(seed);
    return this;
  }
  getState(): TransformState {
    return this.inner.getState();
  }
  setState(state: TransformState): void {
    this.inner.setState(state);
  }
}

function isItemWide(transform: Transform): transform is Transform & ItemWide {
  return typeof (transform as Partial<ItemWide>).forItem === "function";
}
