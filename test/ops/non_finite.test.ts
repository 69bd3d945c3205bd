/** @file Operations keep what PyTorch keeps: NaN goes through where max, min and clamp of WGSL may drop it, and infinities are elements like others. */

import { describe, expect, test } from "vitest";
import * as v from "../../src/index.ts";
import { crossEntropyLoss } from "../../src/nn/index.ts";
import { device } from "../lib/device.ts";

const gpu = await device();
const list = async (t: v.Tensor) => Array.from((await t.data()) as Float32Array);
const tensor = (data: number[], shape = [data.length]) => gpu.tensor({ data, shape });

// Nine elements take one a thread, eight four.
describe.each([8, 9])("%i elements", (count) => {
  const rest = new Array<number>(count - 4).fill(-2);
  const x = () => tensor([NaN, Infinity, -Infinity, 0.25, ...rest]);

  test.each<[string, (t: v.Tensor) => v.Tensor, number[], number]>([
    ["relu", v.relu, [NaN, Infinity, 0, 0.25], 0],
    ["relu6", v.relu6, [NaN, 6, 0, 0.25], 0],
    ["clamp", (t) => v.clamp(t, -1, 0.5), [NaN, 0.5, -1, 0.25], -1],
    ["elu", (t) => v.elu(t), [NaN, Infinity, -1, 0.25], Math.fround(Math.expm1(-2))],
  ])("non-finite/%s", async (_, f, first, other) => {
    const y = await list(f(x()));
    expect(y.slice(0, 4)).toEqual(first);
    for (const value of y.slice(4)) expect(value).toBeCloseTo(other, 6);
  });

  test("non-finite/relu passes the gradient on where its input is NaN, as PyTorch", async () => {
    const t = x();
    t.requiresGrad = true;
    const [dx] = v.grad(v.sum(v.relu(t)), [t]);
    expect(await list(dx)).toEqual([1, 1, 0, 1, ...rest.map(() => 0)]);
  });

  test.each([
    ["maximum", v.maximum, [NaN, Infinity, 1, 1]],
    ["minimum", v.minimum, [NaN, 1, -Infinity, 0.25]],
  ])("non-finite/%s of either operand", async (_, f, first) => {
    const one = tensor(new Array<number>(count).fill(1));
    expect((await list(f(x(), one))).slice(0, 4)).toEqual(first);
    expect((await list(f(one, x()))).slice(0, 4)).toEqual(first);
  });
});

test.each([3, 5000])("non-finite/extremes over %i elements", async (count) => {
  const data = Array.from({ length: count }, (_, i) => -i);
  const hit = Math.floor(count / 2);
  const spoilt = tensor(data.with(hit, NaN));
  for (const f of [v.amax, v.amin]) expect(await f(spoilt).item()).toBeNaN();
  for (const f of [v.max, v.min]) {
    const { values, indices } = f(spoilt, 0);
    expect([await values.item(), await indices.item()]).toEqual([NaN, hit]);
  }
  expect(await v.amax(tensor(data.map(() => -Infinity))).item()).toBe(-Infinity);
  expect(await v.amin(tensor(data.map(() => Infinity))).item()).toBe(Infinity);
});

test("non-finite/max pooling of NaN: the last one of the window, of -Infinity: the first element", async () => {
  const x = tensor([1, NaN, NaN, 2, -Infinity, -Infinity, 3, NaN], [1, 1, 8]);
  const { output, indices } = v.maxPoolWithIndices(x, { kernelSize: 4, stride: 2 });
  expect(await list(output)).toEqual([NaN, NaN, NaN]);
  expect(await list(indices)).toEqual([2, 2, 7]);
  const low = v.maxPoolWithIndices(x, { kernelSize: 2 });
  expect(await list(low.output)).toEqual([NaN, NaN, -Infinity, NaN]);
  expect(await list(low.indices)).toEqual([1, 2, 4, 7]);
});

test("non-finite/a NaN stays in the convolution's own relu", async () => {
  const y = v.conv(tensor([NaN, -1, 2], [1, 1, 3]), tensor([1], [1, 1, 1]), undefined, { activation: "relu" });
  expect(await list(y)).toEqual([NaN, 0, 2]);
});

test("non-finite/cross-entropy of no positions: 0, and its mean NaN", async () => {
  const input = gpu.tensor({ data: [], shape: [0, 3, 4] });
  const target = gpu.tensor({ data: [], shape: [0, 4] }, "i32");
  expect(await crossEntropyLoss(input, target, { reduction: "sum" }).item()).toBe(0);
  expect(await crossEntropyLoss(input, target).item()).toBeNaN();
});

test('conv/padding "valid" is none, and another word is refused', async () => {
  const [x, w] = [tensor([1, 2, 3], [1, 1, 3]), tensor([1, 1], [1, 1, 2])];
  expect(await list(v.conv(x, w, undefined, { padding: "valid" }))).toEqual([3, 5]);
  expect(() => v.conv(x, w, undefined, { padding: "full" as never })).toThrow(v.ShapeError);
});

test("interpolate/recomputeScaleFactor takes the ratio of the sizes", async () => {
  const x = tensor([0, 1, 4, 9, 16], [1, 1, 5]);
  const options = { mode: "linear", scaleFactor: 1.5 } as const;
  const recomputed = await list(v.interpolate(x, { ...options, recomputeScaleFactor: true }));
  expect(recomputed).toEqual(await list(v.interpolate(x, { mode: "linear", size: 7 })));
  expect(recomputed).not.toEqual(await list(v.interpolate(x, options)));
  expect(() => v.interpolate(x, { size: 7, recomputeScaleFactor: true })).toThrow(v.ConfigError);
});
