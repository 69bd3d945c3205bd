/** @file Pooling, interpolation and sampling against PyTorch: the cases that test/fixtures/make_torch_resample.py stored. */

import { describe, expect, test } from "vitest";
import {
  adaptiveAvgPool,
  adaptiveMaxPoolWithIndices,
  affineGrid,
  avgPool,
  gridSample,
  interpolate,
  maxPoolWithIndices,
  maxUnpool,
  pixelShuffle,
  pixelUnshuffle,
} from "../../src/index.ts";
import { expectClose } from "../lib/compare.ts";
import { type Packed, readFixture, runStored, type StoredCase, type StoredRun } from "../lib/fixture.ts";

const ops: Readonly<Record<string, StoredRun>> = {
  maxPool: ({ x }, args) => maxPoolWithIndices(x, args),
  adaptiveMaxPool: ({ x }, { outputSize }) => adaptiveMaxPoolWithIndices(x, outputSize),
  maxUnpool: ({ x, indices }, args) => maxUnpool(x, indices, args),
  avgPool: ({ x }, args) => avgPool(x, args),
  adaptiveAvgPool: ({ x }, { outputSize }) => adaptiveAvgPool(x, outputSize),
  interpolate: ({ x }, args) => interpolate(x, args),
  gridSample: ({ x, grid }, args) => gridSample(x, grid, args),
  affineGrid: ({ theta }, { size, alignCorners }) => affineGrid(theta, size, { alignCorners }),
  pixelShuffle: ({ x }, { factor }) => pixelShuffle(x, factor),
  pixelUnshuffle: ({ x }, { factor }) => pixelUnshuffle(x, factor),
};

interface Case extends StoredCase {
  readonly indices?: Packed;
}

const { cases } = readFixture<{ cases: Case[] }>("torch_resample.json");
/** Indices among the inputs are integers. */
const typed = (inputs: Case["inputs"]): Case["inputs"] =>
  inputs.indices ? { ...inputs, indices: { ...inputs.indices, dtype: "i32" } } : inputs;

describe("PyTorch", () => {
  test.each(cases.map((c) => [`${c.id} ${JSON.stringify(c.args)}`, c] as const))("torch/%s", async (_, c) => {
    const { shape, values, gradients } = await runStored({ ...c, inputs: typed(c.inputs) }, ops[c.op]);
    expect(shape).toEqual(c.output.shape);
    // A position is found in f32: an error of 1e-7 there is one of the size of the image in the weights.
    const inexact = c.op === "gridSample" ? 4 : 1;
    expectClose("output", values.output, c.output.data, 1e-6 * inexact);
    if (c.indices) expectClose("indices", values.indices, c.indices.data, 0);
    const scale = Math.max(...c.gradOutput!.data.map(Math.abs));
    for (const [name, { data }] of Object.entries(c.grads))
      expectClose(`gradient of ${name}`, gradients[name], data, 2e-6 * inexact, scale);
  });

  test("torch/every kind of resampling case is there", () => {
    expect([...new Set(cases.map((c) => c.op))].sort()).toEqual(Object.keys(ops).sort());
  });
});
