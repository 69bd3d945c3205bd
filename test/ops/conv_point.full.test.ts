/** @file The kernel for one tap of a software adapter, and its weight gradient as a product, agree with the plain ones on all that they take. */

import { afterEach, describe, expect, test } from "vitest";
import { type ConvOptions, type Device, noGrad, relu, scope } from "../../src/index.ts";
import { convPlus } from "../../src/autograd/conv.ts";
import { hasLanes } from "../../src/kernels/lib/subgroups.ts";
import { hasPoint, hasPointWeight } from "../../src/kernels/conv/point.ts";
import { convShape } from "../../src/kernels/conv/shape.ts";
import { gatherRule, weightProblem, weightRule } from "../../src/kernels/conv/variants.ts";
import { expectClose } from "../lib/compare.ts";
import { type ConvCase, convResults, tensorsOf } from "../lib/conv_step.ts";
import { device as open } from "../lib/device.ts";

const device: Device = await open();
afterEach(() => device.choices.clear());

const cases: readonly ConvCase[] = [
  ["odd channels and positions of two samples", [2, 5, 13, 11], [7, 5, 1, 1], {}],
  ["one channel to many", [1, 1, 6, 5], [37, 1, 1, 1], {}],
  ["many to one", [3, 70, 9], [1, 70, 1], {}],
  ["several tiles and blocks", [2, 300, 3, 5, 7], [70, 300, 1, 1, 1], {}],
  ["a position", [4, 9, 1], [8, 9, 1], {}],
  ["groups", [2, 24, 9, 4], [40, 6, 1, 1], { groups: 4 }],
  ["with an activation", [2, 17, 40], [33, 17, 1], { activation: "relu" }],
];

async function compare(given: ConvCase, half: boolean): Promise<void> {
  const [, x, w, options] = given;
  const weight = weightProblem(convShape(x, w, undefined, options), half);
  device.choices.set("conv", "direct 4x8").set(weight, "direct");
  const plain = await convResults(device, given, half);
  device.choices.set("conv", "point").set(weight, "weight product");
  const point = await convResults(device, given, half);
  for (const key of ["y", "dx", "dw"]) expectClose(`${key} ${given[0]}`, point[key], plain[key], half ? 2e-3 : 4e-6);
}

describe.skipIf(!hasLanes(device))("conv point", () => {
  test.each(cases)("%s", (...given) => compare(given, false));

  test.skipIf(!device.gpu.features.has("shader-f16"))("f16", () => compare(cases[0], true));

  test("with a residual", async () => {
    const tensor = tensorsOf(device, "point");
    const [x, w, b, r] = [[2, 12, 31], [20, 12, 1], [20], [2, 20, 31]].map(tensor);
    const of = (choice: string) => {
      device.choices.set("conv", choice);
      return noGrad(() => scope(() => relu(convPlus(x, w, b, r, {})))).data();
    };
    expectClose("sum", await of("point"), await of("direct 4x8"), 4e-6);
  });

  test("is the rule for layers of enough work", () => {
    const g = convShape([2, 192, 128, 128], [64, 192, 1, 1], undefined, {});
    expect([gatherRule(device, g, false, false), gatherRule(device, g, true, true)]).toEqual(["point", "point"]);
    expect([weightRule(device, g, false), weightRule(device, g, true)]).toEqual(["weight product", "direct"]);
    expect(gatherRule(device, convShape([2, 192, 4, 4], [64, 192, 1, 1], undefined, {}), false, false)).toBe("direct 8x16");
  });
});

test("what it does not take", () => {
  const g = (taps: readonly number[], options: ConvOptions = {}) =>
    convShape([1, 4, 20, 20], [4, 4, ...taps], undefined, options);
  expect(hasPoint(g([1, 1]))).toBe(true);
  expect(hasPoint(g([1, 3]))).toBe(false);
  expect(hasPoint(g([1, 1], { stride: 2 }))).toBe(false);
  expect(hasPoint(g([1, 1], { padding: 1 }))).toBe(false);
  expect(hasPoint(g([1, 1], { padding: [[0, 1], [0, 0]] }))).toBe(false); // prettier-ignore
  const groups = convShape([1, 4, 20, 20], [4, 2, 1, 1], undefined, { groups: 2 });
  expect([hasPoint(groups), hasPointWeight(groups)]).toEqual([true, false]);
});
