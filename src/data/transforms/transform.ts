/**
 * @file What a transform is. A transform takes one value and gives one, or a list of them when it takes several samples. Values
 * are host arrays (channel-first) or dictionary items; `onKeys` lifts the first kind to the second, `Compose` chains either.
 * A random transform first draws (`randomize`), then applies what it drew (`applyDrawn`), so that one draw serves many arrays.
 */
import { expectArguments } from "../../host/kinds.ts";
import { ConfigError } from "../../host/errors.ts";
import type { HostArray } from "../../host/array.ts";
import { RandomState, type RandomSource, type RandomStateSnapshot } from "../../host/random/numpy.ts";
import { sourceOf } from "./source_of.ts";

/** One record of a dataset: arrays, paths, names under their keys. */
export type Item = Readonly<Record<string, unknown>>;

/**
 * Takes a value and gives one, or several. The docs of each transform say `Shapes:`, and `Geometry:`, whether a volume's affine is kept; "dropped" means
 * that a plain array comes back, because voxels have moved or a transform does not look after the affine; random ones say which draws they make.
 */
export interface Transform<X = HostArray> {
  /**
   * Never changes `x`; may return `x` itself when there is nothing to do. Arrays are `[C, …spatial]` unless the transform says otherwise. @throws
   * ConfigError if it only works asynchronously
   */
  apply(x: X): X | X[];
  /** The same, for transforms that wait for something, such as a file. `x` as there. */
  applyAsync?(x: X): Promise<X | X[]>;
}

/** A transform of entries of an item that are arrays before and behind it, as `onKeys` makes it: whatever type the item has, it keeps. */
export interface KeyTransform {
  /** The item, or several, with the same keys. @throws ConfigError if it only works asynchronously */
  apply<T extends Item>(item: T): T | T[];
}

/** What makes an array of something else, such as a path, and waits for it: `LoadImage`. */
export interface ArraySource {
  /** Always throws. */
  apply(): never;
  /** The array `[C, …spatial]` that `source` names or holds. */
  applyAsync(source: never): Promise<HostArray>;
}

/** Base of transforms that have to wait: `apply` refuses. Values may be anything, e.g. paths that become volumes. */
export abstract class AsyncTransform<X = HostArray> implements Transform<X> {
  abstract applyAsync(x: X): Promise<X | X[]>;

  /** Always throws: use `applyAsync`. @throws ConfigError */
  apply(): never {
    throw new ConfigError(`${this.constructor.name}: works asynchronously; use applyAsync, of Compose too, or a dataset`);
  }
}

/** A transform that has a variant for label maps, which must not be interpolated. */
export interface LabelSafe {
  /** The same transform with nearest-neighbor interpolation. */
  forLabels(): Transform;
}

/** A transform that looks at the voxels to choose a place: one choice must serve all arrays of an item, or image and label part ways. */
export interface ItemWide {
  /** Entry of the item that the choice is made for; default the first of the keys. */
  readonly sourceKey?: string | undefined;
  /** The transform with the choice that it makes for `source`. It refuses arrays of another spatial shape. */
  forItem(source: HostArray): Transform;
}

/** State of a random transform, or of each one in a chain (null for those without); plain JSON. */
export type TransformState = RandomStateSnapshot | null | readonly TransformState[];

/** A transform, or chain of them, that draws random numbers. */
export interface Randomizable {
  /** From now on draws from `RandomState(seed)`, or from the given source. */
  setRandomState(seed: number | RandomSource): void;
  /** State of all its draws as plain JSON, for checkpoints. */
  getState(): TransformState;
  /** Goes on from a state that `getState` gave. */
  setState(state: TransformState): void;
}

/** Whether a transform draws random numbers; caches keep what comes before the first that does. `t` is a transform. */
export function isRandomizable(t: object): t is Randomizable {
  if (typeof t !== "function") expectArguments("isRandomizable", "object", { t });
  return "setRandomState" in t;
}

/** Base of what draws. */
export abstract class Drawing implements Randomizable {
  /** Where draws come from; fresh entropy until `setRandomState`. */
  protected random: RandomSource = new RandomState();

  setRandomState(seed: number | RandomSource): this {
    this.random = sourceOf(seed);
    return this;
  }
  getState(): TransformState {
    return this.random.getState();
  }
  setState(state: TransformState): void {
    this.random.setState(state as RandomStateSnapshot);
  }
}

/** Base of random transforms of arrays. */
export abstract class RandomTransform<Y extends HostArray | HostArray[] = HostArray> extends Drawing implements Transform {
  /** Draws what the next `applyDrawn` does; `x` gives the shape. Arrays are `[C, …spatial]`. */
  abstract randomize(x: HostArray): void;
  /** Applies the last draw. Takes `[C, …spatial]`, gives what `apply` gives. */
  abstract applyDrawn(x: HostArray): Y;

  /** Applies the last draw to a label map, whose values are never interpolated unless a mode was chosen; by default like any array. Shapes as there. */
  applyDrawnToLabel(x: HostArray): Y {
    return this.applyDrawn(x);
  }

  /**
   * Draws for a dictionary item: by default from the first of the arrays that will be transformed. `_item` is the whole item, `first` that array, `[C,
   * …spatial]`.
   */
  randomizeItem(_item: Item, first: HostArray): void {
    this.randomize(first);
  }

  apply(x: HostArray): Y {
    expectArguments(this.constructor.name, "array", { x });
    this.randomize(x);
    return this.applyDrawn(x);
  }
}

/** Base of transforms that act with a probability. The draw against `prob` is made first and always. */
export abstract class MaybeTransform extends RandomTransform {
  /** Probability of acting, 0 to 1. */
  protected readonly prob: number;
  /** Whether the last draw said to act. */
  protected active = false;

  /**
   * @param op name for error messages
   * @param prob probability of acting, 0 to 1
   */
  constructor(op: string, prob: number) {
    super();
    if (!(prob >= 0 && prob <= 1)) throw new ConfigError(`${op}: prob must be from 0 to 1, got ${prob}`);
    this.prob = prob;
  }

  randomize(x: HostArray): void {
    this.active = this.random.rand() < this.prob;
    if (this.active) this.draw(x);
  }

  applyDrawn(x: HostArray): HostArray {
    return this.active ? this.act(x) : x;
  }

  override applyDrawnToLabel(x: HostArray): HostArray {
    return this.active ? this.actOnLabel(x) : x;
  }

  /** Draws the rest, once it is known that the transform acts. `x` is `[C, …spatial]`. */
  protected abstract draw(x: HostArray): void;
  /** Acts, by the last draw, on an array `[C, …spatial]`. */
  protected abstract act(x: HostArray): HostArray;
  /** Acts on a label map `[C, …spatial]`; by default as on any array. */
  protected actOnLabel(x: HostArray): HostArray {
    return this.act(x);
  }
}
