/**
 * @file Models as PyTorch and onnx.helper write them against onnxruntime, and exported again. Fixtures: make_onnx.py, which can write the
 * models in other operator sets too; VOXGRAD_ONNX_CASES names a folder of those.
 */

import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import {
  capture,
  ConfigError,
  type Device,
  grad,
  mean,
  noGrad,
  scope,
  ShapeError,
  sizeOf,
  square,
  type Tensor,
} from "../../../src/index.ts";
import { Adam } from "../../../src/nn/index.ts";
import { exportOnnx, importOnnx, inspectOnnx, type OnnxModel, readOnnxWeights } from "../../../src/onnx/index.ts";
import { device } from "../../lib/device.ts";

interface Packed {
  readonly shape: readonly number[];
  readonly data: readonly number[];
}

interface Run {
  readonly shape: readonly number[];
  readonly outputs: Readonly<Record<string, Packed>>;
}

const folder = process.env.VOXGRAD_ONNX_CASES ?? new URL("../../fixtures/onnx", import.meta.url).pathname;
const cases: Readonly<Record<string, readonly Run[]>> = JSON.parse(readFileSync(`${folder}/cases.json`, "utf8"));
const read = (name: string): Uint8Array => readFileSync(`${folder}/${name}.onnx`);

const wave = (dev: Device, shape: readonly number[]): Tensor =>
  dev.tensor({ data: Float32Array.from({ length: sizeOf(shape) }, (_, i) => Math.cos(0.37 * i)), shape });

function expectNear(got: ArrayLike<number>, want: ArrayLike<number>): void {
  expect(got.length).toBe(want.length);
  let [worst, largest] = [0, 1];
  for (let i = 0; i < want.length; i++) {
    worst = Math.max(worst, Math.abs(got[i] - want[i]));
    largest = Math.max(largest, Math.abs(want[i]));
  }
  expect(worst / largest).toBeLessThan(5e-6);
}

async function expectRun(model: OnnxModel, dev: Device, run: Run): Promise<void> {
  const results = noGrad(() => scope(() => model.run({ [model.inputs[0].name]: wave(dev, run.shape) })));
  for (const [name, want] of Object.entries(run.outputs)) {
    expect(results[name].shape).toEqual(want.shape);
    expectNear(await results[name].data(), want.data);
  }
  for (const t of Object.values(results)) t.dispose();
}

for (const [name, runs] of Object.entries(cases)) {
  test(`${name}: equals onnxruntime, captured and exported again too`, async () => {
    const dev = await device();
    const model = importOnnx(dev, read(name));
    for (const run of runs) await expectRun(model, dev, run);
    if (model.outputs.length > 1) return;
    const [{ shape, outputs }] = runs;
    const [want] = Object.values(outputs);
    const step = capture(dev, (x) => noGrad(() => model.forward(x)));
    expectNear(await step(wave(dev, shape)).data(), want.data);
    step.dispose();
    const again = importOnnx(dev, await exportOnnx(model, shape));
    expectNear(await noGrad(() => again.forward(wave(dev, shape))).data(), want.data);
    for (const m of [model, again]) m.dispose();
  });
}

interface Operator extends Run {
  readonly name: string;
  /** Base64. */
  readonly model: string;
}

describe.skipIf(process.env.VOXGRAD_ONNX_CASES)("operators", () => {
  const list = (name: string): readonly Operator[] =>
    process.env.VOXGRAD_ONNX_CASES ? [] : JSON.parse(readFileSync(`${folder}/${name}.json`, "utf8"));
  // The second: make_onnx_operators.py; the third: make_onnx_opsets.py.
  const operators = [...list("operators"), ...list("more_operators"), ...list("opsets")];
  test.each(operators)("$name", async ({ model: text, ...run }) => {
    const dev = await device();
    const model = importOnnx(dev, Buffer.from(text, "base64"));
    await expectRun(model, dev, run);
    model.dispose();
  });
});

describe.skipIf(process.env.VOXGRAD_ONNX_CASES)("the module", () => {
  test("has the file's names, learns, and frees what a run makes", async () => {
    const dev = await device();
    const before = dev.memory.live;
    const model = importOnnx(dev, read("bilinear"));
    const names = [...(await model.stateDict()).keys()];
    // The exporter folds batch norms into convolutions.
    expect(names).toContain("out.weight");
    expect(model.parameters()).toHaveLength(names.length);
    const held = dev.memory.live;
    noGrad(() => model.forward(wave(dev, [1, 1, 12, 16]))).dispose();
    const x = wave(dev, [1, 1, 12, 16]);
    const parameters = model.parameters();
    const adam = new Adam(parameters, { lr: 1e-2 });
    const step = capture(dev, (input) => {
      const loss = mean(square(model.forward(input)));
      adam.step(grad(loss, parameters));
      return loss;
    });
    const first = await step(x).item();
    for (let i = 0; i < 5; i++) step(x);
    expect(await step(x).item()).toBeLessThan(first);
    step.dispose();
    adam.dispose();
    x.dispose();
    expect(held).toBeGreaterThan(before);
    model.dispose();
  });

  test("names what it does not take", async () => {
    const dev = await device();
    const model = importOnnx(dev, read("attention"));
    expect(() => model.forward(wave(dev, [1, 2, 16, 16]))).toThrow(ShapeError);
    expect(() => model.run({ z: wave(dev, [1, 1, 16, 16]) })).toThrow(/"x" is missing/);
    const two = importOnnx(dev, read("unpool"));
    expect(() => two.forward(wave(dev, [1, 2, 6, 8]))).toThrow(ConfigError);
    for (const m of [model, two]) m.dispose();
  });

  test("inspect and weights read any graph", () => {
    const summary = inspectOnnx(read("asymmetry"));
    expect(summary.opsets.get("")).toBe(9);
    expect(summary.inputs).toEqual([{ name: "x", type: "float32", shape: ["?", "?", "?", "?"] }]);
    expect(summary.operators.get("Conv")).toBe(1);
    expect(summary.tensors.map((t) => [t.name, t.type, t.shape])).toEqual([
      ["h", "float16", [3, 2, 3, 2]],
      ["s", "float32", [4]],
    ]);
    const weights = readOnnxWeights(read("asymmetry"));
    expect(weights.get("s")!.data).toEqual(Float32Array.of(1, 1, 2, 3));
    expect(weights.get("h")!.data[0]).toBeCloseTo(0.3, 3);
  });
});
