/** @file Chains of transforms (`Compose`) and array transforms applied to dictionary items (`onKeys`). */
import { ConfigError, DataError } from "../../host/errors.ts";
import type { HostArray } from "../../host/array.ts";
import { RandomState, type RandomSource } from "../../host/random/numpy.ts";
import {
  isRandomizable,
  RandomTransform,
  type Item,
  type ItemWide,
  type LabelSafe,
  type Randomizable,
  type Transform,
  type TransformState,
} from "./transform.ts";

/**
 * Applies transforms in order; what follows a multi-sample transform is applied to each sample. MONAI's `Compose`.
 *
 * Shapes: those of its transforms.
 * Geometry: that of its transforms.
 * Draws: `setRandomState` draws one seed below 2³² for each random transform, in order.
 * @throws what its transforms throw
 */
export class Compose<X = HostArray> implements Transform<X>, Randomizable {
  readonly transforms: readonly Transform<X>[];

  constructor(transforms: readonly Transform<X>[]) {
    this.transforms = transforms;
  }

  apply(x: X): X | X[] {
    let value: X | X[] = x;
    for (const t of this.transforms) value = Array.isArray(value) ? value.flatMap((v: X) => t.apply(v)) : t.apply(value);
    return value;
  }

  /** Each random transform gets its own seed, drawn below 2^32 in order from `RandomState(seed)` or the given source. */
  setRandomState(seed: number | RandomSource): this {
    const random = typeof seed === "number" ? new RandomState(seed) : seed;
    for (const t of this.transforms) if (isRandomizable(t)) t.setRandomState(random.randint(2 ** 32));
    return this;
  }

  getState(): TransformState {
    return this.transforms.map((t) => (isRandomizable(t) ? t.getState() : null));
  }

  setState(state: TransformState): void {
    if (!Array.isArray(state) || state.length !== this.transforms.length) {
      throw new ConfigError(
        `Compose.setState: expected a list of ${this.transforms.length} states, one per transform; the pipeline differs from the saved one`,
      );
    }
    this.transforms.forEach((t, i) => {
      if (isRandomizable(t)) t.setState(state[i] as TransformState);
    });
  }
}

/** How `onKeys` treats label keys and missing ones. */
export interface OnKeysOptions {
  /** "monai" treats label keys like image keys, as MONAI does. Default: label-safe variants for label keys. */
  readonly compat?: "monai";
  /** Leave items without a key as they are instead of refusing them. Default false. */
  readonly allowMissingKeys?: boolean;
}

/**
 * The dictionary form of an array transform: it is applied to the arrays under `keys`, all with the same random draw; other
 * entries are passed on. A multi-sample transform gives a list of items. Keys that contain "label" or "seg" get the transform's
 * label-safe variant, where it has one (`Resize` without an explicit mode: nearest-exact in place of area). A transform that looks at the voxels to
 * choose a place (`CropForeground`) looks at the first of `keys`, and does the same to all.
 *
 * Draws are those of the array transform; MONAI's dictionary classes draw in another order in some cases (RandRotate90d).
 */
export function onKeys(keys: string | readonly string[], transform: Transform, options: OnKeysOptions = {}): Transform<Item> {
  const list = typeof keys === "string" ? [keys] : keys;
  if (list.length === 0) throw new ConfigError("onKeys: keys is empty; name at least one entry of the items");
  return transform instanceof RandomTransform ? new RandomOnKeys(list, transform, options) : new OnKeys(list, transform, options);
}

class OnKeys implements Transform<Item> {
  protected readonly keys: readonly string[];
  private readonly transform: Transform;
  private readonly labelTransform: Transform;
  private readonly allowMissingKeys: boolean;

  constructor(keys: readonly string[], transform: Transform, { compat, allowMissingKeys = false }: OnKeysOptions) {
    this.keys = keys;
    this.transform = transform;
    this.labelTransform =
      compat !== "monai" && "forLabels" in transform ? (transform as Transform & LabelSafe).forLabels() : transform;
    this.allowMissingKeys = allowMissingKeys;
  }

  apply(item: Item): Item | Item[] {
    const arrays = this.arrays(item);
    const [first] = arrays.values();
    if (first && isItemWide(this.transform)) {
      const chosen = this.transform.forItem(first);
      return this.applyToArrays(item, arrays, (_key, x) => chosen.apply(x));
    }
    return this.applyToArrays(item, arrays, (key, x) => (isLabelKey(key) ? this.labelTransform : this.transform).apply(x));
  }

  protected arrays(item: Item): Map<string, HostArray> {
    const out = new Map<string, HostArray>();
    for (const key of this.keys) {
      const value = item[key] as Partial<HostArray> | undefined;
      if (value === undefined && this.allowMissingKeys) continue;
      if (!value?.data || !value.shape) {
        throw new DataError(
          `${this.transform.constructor.name}: the item has no array under "${key}" (its keys: ${Object.keys(item).join(", ")}); load it first or set allowMissingKeys`,
        );
      }
      out.set(key, value as HostArray);
    }
    return out;
  }

  protected applyToArrays(
    item: Item,
    arrays: Map<string, HostArray>,
    run: (key: string, x: HostArray) => HostArray | HostArray[],
  ): Item | Item[] {
    const results = Array.from(arrays, ([key, x]) => [key, run(key, x)] as const);
    const samples = results.length > 0 && Array.isArray(results[0][1]) ? results[0][1].length : undefined;
    if (samples === undefined) return { ...item, ...Object.fromEntries(results) };
    return Array.from({ length: samples }, (_, i) => ({
      ...item,
      ...Object.fromEntries(results.map(([key, list]) => [key, (list as HostArray[])[i]])),
    }));
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
    return this.applyToArrays(item, arrays, (_key, x) => this.inner.applyDrawn(x));
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
  return "forItem" in transform;
}

function isLabelKey(key: string): boolean {
  return /label|seg/i.test(key);
}
