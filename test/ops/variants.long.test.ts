/** @file Every variant of the convolution kernels gives what the one in use gives, and `tune` notes what it measured. */

import { afterEach, describe, expect, test } from "vitest";
import * as vx from "../../src/index.ts";
import { ConfigError, type Device, type Tensor, tune, useChoices } from "../../src/index.ts";
import { gatherProblem, gatherVariants, weightProblem, weightVariants } from "../../src/kernels/conv/variants.ts";
import { type ConvOptions, convShape, convTransposeShape } from "../../src/kernels/conv/shape.ts";
import { expectClose, readAll } from "../lib/compare.ts";
import { device as open } from "../lib/device.ts";
import { normal, seeded } from "../lib/row.ts";

const device: Device = await open();
afterEach(() => device.choices.clear());

interface Problem {
  readonly name: string;
  readonly x: readonly number[];
  /** Of a plain convolution: `[out, in / groups, taps…]`. */
  readonly weight: readonly number[];
  readonly options: ConvOptions;
}

// Compiling takes most of the time on a software adapter: all variants on the first problem, and on the others those that differ in kind.
const kinds = /^(rows|weight rows|fourier|weight fourier|direct 4x8|tile 64x64|weights 32x32)$/;

const problems: readonly Problem[] = [
  { name: "2-D odd channels", x: [2, 5, 13, 11], weight: [7, 5, 3, 3], options: { padding: 1 } },
  { name: "stride", x: [1, 16, 20, 20], weight: [33, 16, 3, 3], options: { padding: 1, stride: 2 } },
  { name: "3-D", x: [1, 8, 6, 7, 9], weight: [20, 8, 3, 3, 3], options: { padding: 1 } },
  { name: "dilated groups", x: [1, 8, 20, 20], weight: [16, 2, 3, 3], options: { padding: 2, dilation: 2, groups: 4 } },
  { name: "1-D above a tile", x: [2, 17, 31], weight: [65, 17, 5], options: { padding: 2 } },
  { name: "many channels, one tap", x: [2, 130, 8, 9], weight: [140, 130, 1, 1], options: {} },
];

async function run({ x: shape, weight, options }: Problem, transposed: boolean, half: boolean) {
  const { groups = 1 } = options;
  const ws = transposed ? [shape[1], weight[0] / groups, ...weight.slice(2)] : weight;
  const random = seeded("variants");
  const tensor = (s: readonly number[]) =>
    device.tensor({ data: Float32Array.from({ length: vx.sizeOf(s) }, (_, i) => normal(random, i)), shape: s });
  const results = vx.scope((): Record<string, Tensor> => {
    const [x, w] = [tensor(shape), tensor(ws)];
    x.requiresGrad = w.requiresGrad = true;
    const y = vx.withPrecision(half ? "f16" : "f32", () =>
      (transposed ? vx.convTranspose : vx.conv)(x, w, undefined, options as never),
    );
    const [dx, dw] = vx.grad(vx.sum(vx.mul(vx.float32(y), tensor(y.shape))), [x, w]);
    return { y: vx.float32(y), dx, dw };
  });
  const values = await readAll(results);
  for (const t of Object.values(results)) t.dispose();
  return values;
}

const geometry = ({ x, weight, options }: Problem, transposed: boolean) => {
  const { groups = 1 } = options;
  return transposed
    ? convTransposeShape(x, [x[1], weight[0] / groups, ...weight.slice(2)], undefined, options as never)
    : convShape(x, weight, undefined, options);
};

async function compare(problem: Problem, transposed: boolean, half: boolean, names: readonly string[]): Promise<void> {
  const g = geometry(problem, transposed);
  const expected = await run(problem, transposed, half);
  for (const name of names) {
    device.choices.clear();
    if (name in gatherVariants) for (const t of [false, true]) device.choices.set(gatherProblem(g, t, half), name);
    if (name in weightVariants) device.choices.set(weightProblem(g, half), name);
    const actual = await run(problem, transposed, half);
    for (const key of ["y", "dx", "dw"]) expectClose(`${key} ${name}`, actual[key], expected[key], half ? 2e-3 : 4e-6);
  }
}

const names = [...new Set([...Object.keys(gatherVariants), ...Object.keys(weightVariants)])];

// Each compiles for up to half a minute on a software adapter.
describe.each(names)("%s", (name) => {
  test("f32", () => compare(problems[0], false, false, [name]));
  test.skipIf(!device.gpu.features.has("shader-f16"))("f16", () => compare(problems[0], false, true, [name]));
});

describe.each(problems)("$name", (problem) => {
  test.each([false, true])("transposed: %s", (transposed) =>
    compare(
      problem,
      transposed,
      false,
      names.filter((name) => kinds.test(name)),
    ),
  );
});

test("tune measures, notes only better ones, and can be stopped", async () => {
  const stop = new AbortController();
  const seen: string[] = [];
  const found = await tune(device, {
    half: false,
    signal: stop.signal,
    onProgress: (done, total, problem) => {
      seen.push(problem);
      expect(done).toBeLessThan(total);
      if (seen.length === 2) stop.abort();
    },
  });
  expect(seen).toEqual(["conv plain k9 s1 1->16 many", "conv transposed k9 s1 16->1 many"]);
  for (const gain of found.gains) {
    expect(gain.after).toBeLessThan(gain.before);
    expect(device.choices.get(gain.problem)).toBe(gain.best);
  }
  expect(found.choices).toEqual(Object.fromEntries(device.choices));
});

test("choices are kept for later, unknown names ignored, others refused", async () => {
  useChoices(device, { "conv plain k9 s1 1->4 few": "direct 4x4", "conv plain k9 s1 2->4 few": "a variant of the future" });
  const x = device.tensor({ data: new Float32Array(32).fill(1), shape: [1, 2, 4, 4] });
  const w = device.tensor({ data: new Float32Array(72).fill(1), shape: [4, 2, 3, 3] });
  expect((await vx.conv(x, w, undefined, { padding: 1 }).data())[5]).toBe(18);
  expect(() => useChoices(device, ["direct"])).toThrow(ConfigError);
  expect(() => useChoices(device, { a: 1 })).toThrow(ConfigError);
});
