/** @file `voxgrad/testing`: what is right passes, what is wrong is found and named. */

import { beforeAll, describe, expect, test } from "vitest";
import {
  add,
  conv,
  type Device,
  MismatchError,
  mul,
  noGrad,
  oneHot,
  relu,
  reshape,
  square,
  sum,
  type Tensor,
} from "../../src/index.ts";
import { record } from "../../src/autograd/tape.ts";
import { diceLoss } from "../../src/nn/index.ts";
import { compare, compareBits, float64, gradCheck, type OpRow, rowTests } from "../../src/testing/index.ts";
import { device } from "../lib/device.ts";

let dev: Device;
beforeAll(async () => void (dev = await device()));

const wave = (...shape: number[]): Tensor => {
  const size = shape.reduce((a, b) => a * b, 1);
  return dev.tensor({ data: Float32Array.from({ length: size }, (_, i) => 2 * Math.sin(1.7 * i + 0.4)), shape });
};

/** x² with a gradient that is `factor` times what it should be. */
const wrong = (factor: number) => (x: Tensor) =>
  record(
    "wrong",
    [x],
    noGrad(() => square(x)),
    (dy) => [mul(mul(dy, x), 2 * factor)],
  );

describe("gradCheck", () => {
  test("finds nothing where nothing is wrong", async () => {
    const slopes = await gradCheck((x, w, b) => conv(x, w, b, { padding: 1 }), [wave(1, 2, 5, 5), wave(3, 2, 3, 3), wave(3)]);
    expect(slopes.map((s) => s.input)).toEqual([0, 0, 0, 1, 1, 1, 2, 2, 2]);
    const label = oneHot(dev.tensor({ data: [0, 1, 1, 0], shape: [1, 1, 2, 2] }, "i32"), 2);
    await gradCheck((x) => diceLoss(x, label, { softmax: true }), [wave(1, 2, 2, 2)]);
    await gradCheck((x) => relu(x), [wave(7)], { step: 1e-3 });
    await gradCheck((x) => sum(mul(x, 1e-8)), [wave(70)]);
  });

  test("finds one percent", async () => {
    await gradCheck(wrong(1), [wave(50)]);
    await expect(gradCheck(wrong(1.01), [wave(50)])).rejects.toThrow(MismatchError);
    await expect(gradCheck((a, b) => add(a, wrong(0.99)(b)), [wave(50), wave(50)])).rejects.toThrow(
      /^gradCheck: input 1 along direction \d: the gradient says/,
    );
  });

  test("finds a gradient that is missing", async () => {
    const cut = (x: Tensor) => noGrad(() => square(x));
    await expect(gradCheck((x) => add(cut(x), x), [wave(5)])).rejects.toThrow("the gradient says");
  });

  test("leaves what it was given alone", async () => {
    using x = wave(4);
    const before = dev.memory.live;
    await gradCheck((t) => square(t), [x]);
    expect([x.requiresGrad, x.origin]).toEqual([false, undefined]);
    // Less, where what earlier tests left was collected meanwhile.
    expect(dev.memory.live).toBeLessThanOrEqual(before);
    using whole = dev.tensor({ data: [1], shape: [1] }, "i32");
    await expect(gradCheck((t) => t, [whole])).rejects.toThrow("none of the inputs is f32");
  });
});

test("compare", () => {
  expect(compare([1, 2.00001], [1, 2])).toMatchObject({ at: 1 });
  expect(() => compare([1, 2.1], [1, 2], { what: "y" })).toThrow(/^y: element 1 of 2 is 2.1, expected 2: error 1.00e-1/);
  expect(() => compare([NaN], [1])).toThrow(MismatchError);
  expect(() => compare([NaN], [NaN])).toThrow(MismatchError);
  expect(() => compare([1], [1, 2])).toThrow("compare: 1 elements, expected 2");
  compare([1e-9], [0], { tolerance: 1e-6, floor: 1 });
  expect(() => compareBits("y", Float32Array.of(0), Float32Array.of(-0))).toThrow("y: bits differ at element 0: 0 and 0");
});

describe("rowTests", () => {
  const row: OpRow<object> = {
    name: "twice",
    samples: [{ id: "twice/vector", inputs: { x: { shape: [3] } }, args: {} }],
    run: ({ x }) => mul(x, 2),
    reference: ({ x }) =>
      float64(
        x.shape,
        x.data.map((v) => 2 * v),
      ),
    differentiable: ["x"],
    errors: [{ id: "none", call: (z) => square(z([2], "i32")), error: Error, message: /has type i32/ }],
  };
  const results = (changed: Partial<OpRow<object>>) =>
    Promise.all(
      rowTests({ ...row, ...changed }, { whole: true }).map(({ title, run }) =>
        run(dev).then(
          () => `${title}: passed`,
          (error: Error) => `${title}: ${error.message}`,
        ),
      ),
    );

  test("pass for what is right", async () => {
    const found = [];
    for (const { title, run } of rowTests(row)) found.push((await run(dev), title));
    expect(found).toEqual(["twice/vector", "twice/error-none"]);
  });

  test.each<[string, Partial<OpRow<object>>, RegExp]>([
    ["a wrong result", { run: ({ x }) => mul(x, 2.001) }, /^twice\/vector: forward: element \d of 3/],
    ["a wrong shape", { run: ({ x }) => reshape(mul(x, 2), [3, 1]) }, /the result has shape \[3, 1\], the reference \[3\]/],
    [
      "a wrong gradient",
      {
        run: ({ x }) =>
          add(
            mul(x, 1),
            noGrad(() => mul(x, 1)),
          ),
      },
      /gradient of x: element \d of 3 is/,
    ],
    ["temporaries", { run: ({ x }) => (square(x), mul(x, 2)) }, /leaves 1 buffers of temporaries/],
    ["no error", { errors: [{ id: "none", call: () => {}, error: Error, message: /a/ }] }, /expected Error \/a\/, got no error/],
  ])("%s fails", async (_, changed, message) => {
    expect((await results(changed)).join("\n")).toMatch(message);
  });
});
