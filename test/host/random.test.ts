/** @file Random sources against numpy and torch (values by test/fixtures/data/make_cases.py), their state, and replay. */
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { RandomState } from "../../src/host/random/numpy.ts";
import { ReplaySource } from "../lib/replay.ts";
import { TorchGenerator } from "../../src/host/random/torch.ts";

const fixture = JSON.parse(readFileSync(new URL("../fixtures/data/generators.json", import.meta.url), "utf8"));
const closeTo = (actual: ArrayLike<number>, expected: number[], digits: number) =>
  expected.forEach((e, i) => expect(Math.abs(actual[i] - e)).toBeLessThanOrEqual(10 ** -digits * Math.max(1, Math.abs(e))));

describe("RandomState", () => {
  test("equals numpy's sequence", () => {
    const e = fixture.numpy;
    const r = new RandomState(5);
    expect([...r.rand(3)]).toEqual(e.rand);
    expect([...r.randint(0, 2 ** 40, 3)]).toEqual(e.randint_big);
    expect([...r.randint(0, 2 ** 32, 3)]).toEqual(e.randint_2_32);
    expect([...r.randint(4, 5, 2)]).toEqual(e.randint_one);
    expect([...r.randint(-7, 9, 6)]).toEqual(e.randint_negative);
    expect([...r.uniform(-2, 5, 3)]).toEqual(e.uniform);
    closeTo(r.normal(3, 2, 5), e.normal, 15);
    expect(r.choice(9, 5)).toEqual(e.choice);
    expect(r.choice(4, 6, { p: [0.1, 0.2, 0.3, 0.4] })).toEqual(e.choice_p);
    expect(r.choice(9, 4, { replace: false })).toEqual(e.choice_once);
    expect(r.choice(5, 4, { replace: false, p: [0.1, 0.5, 0.2, 0.15, 0.05] })).toEqual(e.choice_once_p);
    expect(r.permutation(12)).toEqual(e.permutation);
    expect(r.rand()).toBe(e.after);
  });

  test.each([1, 2, 3, 1000, 2 ** 16 + 1, 2 ** 31, 2 ** 31 + 1, 2 ** 32])(
    "many integers below %i at once are those drawn one by one, and what comes next is the same",
    (n) => {
      const [many, single] = [new RandomState(3), new RandomState(3)];
      expect(Array.from(many.randint(-5, n - 5, 1300))).toEqual(Array.from({ length: 1300 }, () => single.randint(-5, n - 5)));
      expect(many.rand()).toBe(single.rand());
    },
  );

  test("a list of integers seeds as numpy's init_by_array", () => {
    expect([...new RandomState([1, 2 ** 31, 7]).rand(2)]).toEqual(fixture.numpyArraySeed);
  });

  test("continues from a state that went through JSON, the second normal of a pair included", () => {
    const r = new RandomState(1);
    r.normal();
    const state = JSON.parse(JSON.stringify(r.getState()));
    const expected = [r.normal(), r.rand(), r.randint(100)];
    const other = new RandomState(99);
    other.setState(state);
    expect([other.normal(), other.rand(), other.randint(100)]).toEqual(expected);
  });

  test("unseeded sources differ", () => {
    expect(new RandomState().rand()).not.toBe(new RandomState().rand());
  });

  test.each([
    ["seed", () => new RandomState(-1), /seed must be an integer from 0/],
    ["empty range", () => new RandomState(0).randint(3, 3), /low < high, got low 3, high 3/],
    ["probabilities", () => new RandomState(0).choice(2, 1, { p: [0.5, 0.4] }), /sum 1/],
    ["too many", () => new RandomState(0).choice(2, 3, { replace: false }), /cannot take 3 of 2/],
    [
      "state of another kind",
      () => new RandomState(0).setState({ ...new RandomState(1).getState(), kind: "other" as "numpy" }),
      /kind "numpy", got "other"/,
    ],
    ["broken state", () => new RandomState(0).setState({ kind: "numpy", key: [1], pos: 0, gauss: null }), /624 words/],
  ])("refuses: %s", (_name, call, message) => expect(call).toThrow(message));
});

describe("ReplaySource", () => {
  test("gives the logged results in order", () => {
    const r = new ReplaySource([
      ["rand", [], 0.25],
      ["randint", [], 3],
      ["shuffle", [[1, 2]], [2, 1]],
    ]);
    const list = [1, 2];
    expect(r.rand()).toBe(0.25);
    expect(r.randint(7)).toBe(3); // keyword arguments are not in the log
    r.shuffle(list);
    expect(list).toEqual([2, 1]);
    expect(r.remaining).toBe(0);
  });

  test("refuses another method, other arguments, a call too many, and a log without values", () => {
    const log = [["randint", [4], 1]] as const;
    expect(() => new ReplaySource(log).rand()).toThrow(/draw 0 of the log is randint\(4\), asked for rand\(\)/);
    expect(() => new ReplaySource(log).randint(5)).toThrow(/asked for randint\(5\)/);
    expect(() => new ReplaySource([]).rand()).toThrow(/after the end of the log of 0 draws/);
    expect(() => new ReplaySource([["normal", [], "array[2]"]]).normal(0, 1, 2)).toThrow(/logged without its values/);
  });
});

describe("TorchGenerator", () => {
  test("equals torch's CPU generator", () => {
    const e = fixture.torch;
    const g = new TorchGenerator(7);
    expect([...g.uniform(-0.0833333, 0.0833333, 19)]).toEqual(e.uniform); // every bit
    closeTo(g.randn(5), e.randn5, 6);
    closeTo(g.randn(3), e.randn3, 6);
    closeTo(g.normal(0.5, 2, 40), e.normal40, 6);
    expect([...g.randperm(12)]).toEqual(e.randperm);
    expect([...g.randint(-3, 100, 6)]).toEqual(e.randint);
    expect([...g.rand(3)]).toEqual(e.rand);
  });

  test("continues from a state that went through JSON", () => {
    const g = new TorchGenerator(3);
    g.randn(3);
    const other = new TorchGenerator();
    other.setState(JSON.parse(JSON.stringify(g.getState())));
    expect(other.randn(5)).toEqual(g.randn(5));
  });
});

test("random/drawing more than a call may have arguments, without replacement and with weights", () => {
  const [count, size] = [600_000, 300_000];
  const drawn = new RandomState(3).choice(count, size, { replace: false, p: new Array<number>(count).fill(1 / count) });
  expect(new Set(drawn).size).toBe(size);
});
