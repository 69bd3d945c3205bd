/** @file `OneOf`, `SomeOf` and `RandomOrder` choose from a seed what MONAI's choose. Lists are MONAI 1.5's, from seed 7. */
import { describe, expect, test } from "vitest";
import { CacheDataset } from "../../../src/data/datasets/cache_dataset.ts";
import { itemRandom } from "../../../src/data/datasets/dataset.ts";
import * as T from "../../../src/data/transforms/index.ts";
import { ConfigError } from "../../../src/host/errors.ts";
import { type RandomSource, RandomState } from "../../../src/host/random/numpy.ts";

type Value = { readonly list: readonly number[] };
const push = (x: Value, n: number): Value => ({ list: [...x.list, n] });

/** Transforms that note their place. */
const steps = (count: number): T.Transform<Value>[] => Array.from({ length: count }, (_, i) => ({ apply: (x) => push(x, i) }));

/** Notes what it draws. */
class Number1000 implements T.Transform<Value>, T.Randomizable {
  private random: RandomSource = new RandomState(0);
  apply(x: Value): Value {
    return push(x, this.random.randint(1000));
  }
  setRandomState(seed: number | RandomSource): void {
    this.random = typeof seed === "number" ? new RandomState(seed) : seed;
  }
  getState(): T.TransformState {
    return this.random.getState();
  }
  setState(state: T.TransformState): void {
    this.random.setState(state as never);
  }
}

type Made = T.Transform<Value> & T.Randomizable;
const run = (t: Made, times: number): (readonly number[])[] =>
  Array.from({ length: times }, () => (t.apply({ list: [] }) as Value).list);

const rows: [string, () => Made, number[][]][] = [
  ["OneOf", () => new T.OneOf(steps(4)), [[1], [1], [0], [3], [2], [0], [3], [0]]],
  ["OneOf w", () => new T.OneOf(steps(4), { weights: [1, 0, 5, 2] }), [[3], [3], [0], [2], [2], [2], [2], [2]]],
  ["OneOf 2", () => new T.OneOf(steps(2), { weights: [0.9, 0.1] }), [[0], [0], [0], [0], [1], [0], [0], [0]]],
  ["SomeOf", () => new T.SomeOf(steps(4), { numTransforms: [1, 3] }), [[0], [0], [3], [1, 3, 2], [1], [1, 3, 0], [2, 1], [2, 3]]],
  [
    "SomeOf w",
    () => new T.SomeOf(steps(4), { numTransforms: 2, weights: [1, 2, 0, 5] }),
    [
      [0, 3],
      [3, 1],
      [3, 0],
      [1, 3],
      [3, 1],
      [0, 1],
      [3, 1],
      [3, 0],
    ],
  ],
  [
    "SomeOf r",
    () => new T.SomeOf(steps(3), { numTransforms: [0, 3], replace: true }),
    [
      [0, 1, 2],
      [0, 1, 2],
      [0, 1, 2],
      [2, 0],
      [2, 0, 0],
      [0, 0, 2],
      [0, 0],
      [1, 0, 0],
    ],
  ],
  [
    "RandomOrder",
    () => new T.RandomOrder(steps(4)),
    [
      [2, 1, 0, 3],
      [3, 1, 0, 2],
      [3, 1, 0, 2],
      [1, 0, 3, 2],
      [1, 3, 2, 0],
      [1, 2, 3, 0],
      [1, 0, 2, 3],
      [1, 2, 0, 3],
    ],
  ],
  [
    "OneOf rand",
    () => new T.OneOf([new Number1000(), new Number1000()]),
    [[223], [805], [745], [672], [981], [569], [827], [737]],
  ],
  [
    "RandomOrder rand",
    () => new T.RandomOrder([new Number1000(), ...steps(1), new Number1000()]),
    [
      [805, 223, 0],
      [827, 0, 745],
      [672, 0, 737],
      [931, 0, 981],
      [0, 569, 872],
      [0, 946, 838],
      [0, 752, 331],
      [42, 0, 491],
    ],
  ],
];

describe.each(rows)("%s", (_, make, expected) => {
  test("chooses as MONAI's from a seed", () => {
    const t = make();
    t.setRandomState(7);
    expect(run(t, expected.length)).toEqual(expected);
  });

  test("goes on from a state", () => {
    const [first, second] = [make(), make()];
    first.setRandomState(3);
    run(first, 5);
    second.setState(JSON.parse(JSON.stringify(first.getState())) as T.TransformState);
    expect(run(second, 9)).toEqual(run(first, 9));
  });
});

test("of no transforms, a value stays", async () => {
  for (const t of [new T.OneOf<Value>([]), new T.SomeOf<Value>([]), new T.RandomOrder<Value>([])]) {
    expect(t.apply({ list: [4] })).toEqual({ list: [4] });
    expect(await t.applyAsync({ list: [4] })).toEqual({ list: [4] });
  }
});

test("caches keep nothing behind them", async () => {
  const cache = new CacheDataset([{ list: [] }], [...steps(1), new T.RandomOrder(steps(6))] as never);
  const of = async (epoch: number) => cache.get(0, itemRandom(1, epoch, 0));
  expect(await of(0)).not.toEqual(await of(1));
});

test("what cannot be chosen from is refused", () => {
  expect(() => new T.OneOf(steps(2), { weights: [1] })).toThrow(ConfigError);
  expect(() => new T.OneOf(steps(2), { weights: [0, 0] })).toThrow(ConfigError);
  expect(() => new T.OneOf(steps(2), { weights: [-1, 2] })).toThrow(ConfigError);
  expect(() => new T.SomeOf(steps(2), { numTransforms: [1, 3] })).toThrow(ConfigError);
  expect(() => new T.SomeOf(steps(2), { numTransforms: [2, 1] })).toThrow(ConfigError);
  expect(() => new T.SomeOf(steps(2), { numTransforms: 1.5 })).toThrow(ConfigError);
  expect(() => new T.RandomOrder(5 as never)).toThrow(ConfigError);
  const lazy = [steps(1), { lazy: true }] as unknown as ConstructorParameters<typeof T.Compose<Value>>;
  expect(() => new T.Compose(...lazy)).toThrow(/lazy/);
});
