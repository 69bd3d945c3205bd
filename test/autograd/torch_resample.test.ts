/** @file Pooling, interpolation and sampling against PyTorch: the cases that test/fixtures/make_torch_resample.py stored. */

import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import {
  adaptiveAvgPool,
  adaptiveMaxPoolWithIndices,
  affineGrid,
  avgPool,
  grad,
  gridSample,
  interpolate,
  maxPoolWithIndices,
  maxUnpool,
  mul,
  pixelShuffle,
  pixelUnshuffle,
  scope,
  sum,
  type Tensor,
} from "../../src/index.ts";
import { expectClose, readAll } from "../lib/compare.ts";
import { device } from "../lib/device.ts";

interface Packed {
  readonly shape: readonly number[];
  readonly data: readonly number[];
}

interface Case {
  readonly id: string;
  readonly op: string;
  readonly args: any;
  readonly inputs: Readonly<Record<string, Packed>>;
  readonly gradOutput: Packed;
  readonly output: Packed;
  readonly indices?: Packed;
  readonly grads: Readonly<Record<string, Packed>>;
}

type Run = (inputs: Record<string, Tensor>, args: any) => { output: Tensor; indices?: Tensor };

const ops: Readonly<Record<string, Run>> = {
  maxPool: ({ x }, args) => maxPoolWithIndices(x, args),
  adaptiveMaxPool: ({ x }, { outputSize }) => adaptiveMaxPoolWithIndices(x, outputSize),
  maxUnpool: ({ x, indices }, args) => ({ output: maxUnpool(x, indices, args) }),
  avgPool: ({ x }, args) => ({ output: avgPool(x, args) }),
  adaptiveAvgPool: ({ x }, { outputSize }) => ({ output: adaptiveAvgPool(x, outputSize) }),
  interpolate: ({ x }, args) => ({ output: interpolate(x, args) }),
  gridSample: ({ x, grid }, args) => ({ output: gridSample(x, grid, args) }),
  affineGrid: ({ theta }, { size, alignCorners }) => ({ output: affineGrid(theta, size, { alignCorners }) }),
  pixelShuffle: ({ x }, { factor }) => ({ output: pixelShuffle(x, factor) }),
  pixelUnshuffle: ({ x }, { factor }) => ({ output: pixelUnshuffle(x, factor) }),
};

const file = JSON.parse(readFileSync(new URL("../fixtures/torch_resample.json", import.meta.url), "utf8")) as { cases: Case[] };

describe("PyTorch", () => {
  test.each(file.cases.map((c) => [`${c.id} ${JSON.stringify(c.args)}`, c] as const))("torch/%s", async (_, c) => {
    const gpu = await device();
    const names = Object.keys(c.grads);
    const results = scope(() => {
      const inputs = Object.fromEntries(
        Object.entries(c.inputs).map(([name, p]) => [name, gpu.tensor(p, name === "indices" ? "i32" : "f32")]),
      );
      for (const name of names) inputs[name].requiresGrad = true;
      const { output, indices } = ops[c.op](inputs, c.args);
      const gradients = grad(
        sum(mul(output, gpu.tensor(c.gradOutput))),
        names.map((name) => inputs[name]),
      );
      return {
        output,
        ...(indices ? { indices } : {}),
        ...Object.fromEntries(names.map((name, i) => [`d ${name}`, gradients[i]])),
      };
    });
    const values = await readAll(results);
    expect(results.output.shape).toEqual(c.output.shape);
    for (const t of Object.values(results)) t.dispose();
    // A position is found in f32: an error of 1e-7 there is one of the size of the image in the weights.
    const inexact = c.op === "gridSample" ? 4 : 1;
    expectClose("output", values.output, c.output.data, 1e-6 * inexact);
    if (c.indices) expectClose("indices", values.indices, c.indices.data, 0);
    for (const name of names) {
      const scale = Math.max(...c.gradOutput.data.map(Math.abs));
      expectClose(`gradient of ${name}`, values[`d ${name}`], c.grads[name].data, 2e-6 * inexact, scale);
    }
  });

  test("torch/every kind of resampling case is there", () => {
    expect([...new Set(file.cases.map((c) => c.op))].sort()).toEqual(Object.keys(ops).sort());
  });
});
