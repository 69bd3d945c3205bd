/** @file Networks to ONNX and back. That onnxruntime agrees is checked by export_networks.ts and test/fixtures/check_onnx.py. */

import { describe, expect, test } from "vitest";
import * as v from "../../../src/index.ts";
import { ConfigError, type Device, noGrad, sizeOf, type Tensor } from "../../../src/index.ts";
import { argmax } from "../../../src/kernels/indexing.ts";
import { Conv, Dropout, type Module, Sequential } from "../../../src/nn/index.ts";
import { exportOnnx, importOnnx, inspectOnnx } from "../../../src/onnx/index.ts";
import { UNet } from "../../../src/seg/index.ts";
import { device } from "../../lib/device.ts";
import { functions, Lambda } from "../functions.ts";
import { fill, networks } from "../networks.ts";

const wave = (dev: Device, shape: readonly number[]): Tensor =>
  dev.tensor({ data: Float32Array.from({ length: sizeOf(shape) }, (_, i) => Math.cos(0.37 * i)), shape });

async function expectSame(net: Module, again: Module, x: Tensor, tolerance = 3e-6): Promise<void> {
  const [want, got] = noGrad(() => [net.forward(x), again.forward(x)]);
  expect(got.shape).toEqual(want.shape);
  const [a, b] = [await want.data(), await got.data()];
  const largest = Math.max(1, ...Array.from(a, Math.abs));
  for (let i = 0; i < a.length; i++)
    if (!(Math.abs(a[i] - b[i]) <= tolerance * largest)) expect.fail(`${i}: ${b[i]} instead of ${a[i]}`);
}

for (const { name, shape, dynamicAxes = [], make } of networks.filter((n) => !n.heavy)) {
  test(`${name}: there and back`, async () => {
    const dev = await device();
    const net = make(dev);
    fill(net);
    const bytes = await exportOnnx(net, shape, { dynamicAxes });
    const again = importOnnx(dev, bytes);
    net.eval();
    // Sizes of dynamic axes that the export did not see.
    await expectSame(
      net,
      again,
      wave(
        dev,
        shape.map((d, i) => (i === 0 && dynamicAxes.includes(0) ? 3 * d : d)),
      ),
    );
    const names = new Set([...net.namedTensors()].map(([key]) => key));
    for (const [key] of again.namedTensors()) expect(names.has(key) || key.startsWith("const_"), key).toBe(true);
    for (const m of [net, again]) m.dispose();
  });
}

describe("operations", () => {
  for (const [name, fn] of Object.entries(functions)) {
    test(name, async () => {
      const dev = await device();
      const net = new Lambda(fn);
      const shape = [2, 4, 6, 8];
      const again = importOnnx(dev, await exportOnnx(net, shape, { device: dev }));
      await expectSame(net, again, wave(dev, shape));
      again.dispose();
    });
  }
});

describe("what cannot be exported", () => {
  test("operations without ONNX nodes are named, all of them", async () => {
    const dev = await device();
    const net = new Lambda((x) => v.roll(v.tril(x), 1));
    await expect(exportOnnx(net, [4, 4], { device: dev })).rejects.toThrow(/no ONNX for roll, tril/);
  });

  test("values that depend on the input without an operation saying so", async () => {
    const dev = await device();
    // Read by a kernel of which the tape knows nothing.
    const hidden = new Lambda((x) => v.add(x, v.cast(argmax(x, 1, true), "f32")));
    await expect(exportOnnx(hidden, [2, 8], { device: dev })).rejects.toThrow(/depends on the input/);
  });

  test("graphs that depend on the size of a dynamic axis", async () => {
    const dev = await device();
    const sized = new Lambda((x) => v.interpolate(x, { size: 7 }));
    await expect(exportOnnx(sized, [1, 1, 4], { device: dev })).resolves.toBeInstanceOf(Uint8Array);
    await expect(exportOnnx(new Lambda((x) => v.mul(x, x.shape[0])), [2, 3], { device: dev, dynamicAxes: [0] })).rejects.toThrow(
      /leave out dynamicAxes/,
    );
    await expect(exportOnnx(sized, [1, 1, 4])).rejects.toThrow(ConfigError);
  });

  test("dropout is left out, and the module keeps its mode", async () => {
    const dev = await device();
    const conv = new Conv(dev, { spatialDims: 2, inChannels: 1, outChannels: 2, kernelSize: 3, padding: "same" });
    const net = new Sequential([conv, new Dropout(dev, 0.5)]);
    conv.eval();
    const summary = inspectOnnx(
      await exportOnnx(net, [1, 1, 4, 4], { inputName: "image", outputName: "logits", dynamicAxes: [0, -1] }),
    );
    expect([net.training, conv.training]).toEqual([true, false]);
    expect([...summary.operators.keys()].sort()).toEqual(["Conv", "Identity"]);
    expect(summary.inputs).toEqual([{ name: "image", type: "float32", shape: ["image_0", 1, 4, "image_3"] }]);
    expect(summary.outputs).toEqual([{ name: "logits", type: "float32", shape: ["logits_0", 2, 4, "logits_3"] }]);
    expect(summary.tensors.map((t) => t.name)).toEqual(["0.weight", "0.bias"]);
  });

  test("an exported model trains on from its weights under the same names", async () => {
    const dev = await device();
    const net = new UNet(dev, { spatialDims: 2, inChannels: 1, outChannels: 2, channels: [2, 4], strides: [2] });
    const again = importOnnx(dev, await exportOnnx(net, [1, 1, 8, 8]));
    const [a, b] = [await net.stateDict(), await again.stateDict()];
    for (const [name, { data }] of a) expect(b.get(name)!.data).toEqual(data);
    expect(again.namedParameters().map(([name]) => name)).toEqual(
      expect.arrayContaining(net.namedParameters().map(([name]) => name)),
    );
  });
});
