/** @file Weights of the levels of a deeply supervised loss: MONAI's rules, and a list of one's own where it has one for each level. */
import { expect, test } from "vitest";
import { deepSupervisionLoss, type DeepSupervisionOptions } from "../../../src/nn/index.ts";
import { mul, type Tensor } from "../../../src/index.ts";
import { device } from "../../lib/device.ts";

const gpu = await device();
const one = (v: number): Tensor => gpu.tensor({ data: [v], shape: [1, 1, 1] });

/** The loss of levels whose losses are 1, 10, 100 …, whose digits are their weights then. */
const lossOf = (levels: number, options?: DeepSupervisionOptions): Promise<number> =>
  deepSupervisionLoss(
    Array.from({ length: levels }, (_, l) => one(10 ** l)),
    one(1),
    (x, y) => mul(x, y),
    options,
  ).item();

test.each([
  ["own weights, as many as levels", 3, { weights: [1, 2, 3] }, 321],
  ["more of them than levels", 2, { weights: [1, 2, 3] }, 21],
  ["too few of them: the rule", 3, { weights: [7, 7], weightMode: "same" }, 111],
  ["exp, the default", 2, {}, 1 + 5],
  ["exp ends at a sixteenth", 6, { weightMode: "exp" }, 1 + 5 + 25 + 125 + 625 + 6250],
  ["two", 3, { weightMode: "two" }, 1 + 5 + 50],
] as const)("%s", async (_, levels, options, expected) => {
  expect(await lossOf(levels, options)).toBe(expected);
});
