/** @file Mixed precision: f16 activations, dynamic loss scaling, and a training step with both. */

import { describe, expect, test } from "vitest";
import * as vx from "../../src/index.ts";
import { capture, ConfigError, type Device, grad, mul, sum, type Tensor, withPrecision } from "../../src/index.ts";
import {
  Adagrad,
  Adam,
  AdamW,
  diceLoss,
  GradScaler,
  Linear,
  manualSeed,
  mseLoss,
  NAdam,
  type Optimizer,
  RAdam,
  RMSprop,
  SGD,
} from "../../src/nn/index.ts";
import { Trainer, UNet } from "../../src/seg/index.ts";
import { device as open } from "../lib/device.ts";

const device: Device = await open();

const values = async (o: Optimizer) => [
  ...(await Promise.all(o.weights.map((w) => w.data()))).flatMap((a) => [...a]),
  ...[...(await o.stateDict())].filter(([k]) => k !== "scaler").flatMap(([, v]) => [...v.data]),
];

describe("GradScaler", () => {
  const make = {
    Adam,
    AdamW,
    SGD: (p: Tensor[]) => new SGD(p, { momentum: 0.9 }),
    RMSprop: (p: Tensor[]) => new RMSprop(p, { momentum: 0.5, centered: true }),
    Adagrad: (p: Tensor[]) => new Adagrad(p, { lrDecay: 0.1 }),
    NAdam: (p: Tensor[]) => new NAdam(p),
    RAdam: (p: Tensor[]) => new RAdam(p),
  };
  const build = (name: keyof typeof make, p: Tensor[]): Optimizer =>
    name === "Adam" ? new Adam(p) : name === "AdamW" ? new AdamW(p) : make[name](p);

  test.each(Object.keys(make) as (keyof typeof make)[])(
    "%s: good steps are those without it, others change only the scale",
    async (name) => {
      const start = [1, -2, 3, 0.5, 4];
      const parameter = () => vx.parameter(device.tensor({ data: start, shape: [5] }));
      const [scaled, plain] = [build(name, [parameter()]), build(name, [parameter()])];
      const scaler = (scaled.scaler = new GradScaler(device, { growthInterval: 2 }));
      const g = (data: number[]) => device.tensor({ data, shape: [5] });
      const step = async (data: number[], bad?: number) => {
        const scale = await scaler.value();
        scaled.step([g(data.map((v, i) => (i === 2 && bad !== undefined ? bad : v * scale)))]);
        if (bad === undefined) plain.step([g(data)]);
      };
      await step([0.1, 0.2, -0.3, 0, 1]);
      expect([await scaler.value(), await scaler.skipped()]).toEqual([65536, false]);
      for (const bad of [NaN, Infinity, -Infinity]) {
        const before = await values(scaled);
        await step([9, 9, 9, 9, 9], bad);
        expect(await scaler.skipped()).toBe(true);
        expect(await values(scaled)).toEqual(before);
      }
      expect(await scaler.value()).toBe(8192);
      await step([1, 2, 3, 4, 5]);
      await step([-1, 2, 3, 4, 5]);
      expect(await scaler.value()).toBe(16384); // two good ones in a row
      // Scales are powers of two: not a bit differs.
      expect(await values(scaled)).toEqual(await values(plain));
      for (const o of [scaled, plain]) o.dispose();
      scaler.dispose();
    },
  );

  test("norm clipping sees the unscaled gradient, and a skipped step has norm 0", async () => {
    const o = new SGD([vx.parameter(device.tensor({ data: [1, 1], shape: [2] }))], { lr: 1 });
    const scaler = (o.scaler = new GradScaler(device));
    o.step([device.tensor({ data: [3 * 65536, 4 * 65536], shape: [2] })], { clipNorm: 1 });
    expect(await o.gradientNorm.item()).toBeCloseTo(5, 5);
    const [after] = await Promise.all(o.weights.map((w) => w.data()));
    expect(after[0]).toBeCloseTo(1 - 0.6, 5);
    o.step([device.tensor({ data: [NaN, 4], shape: [2] })], { clipNorm: 1 });
    expect(await o.gradientNorm.item()).toBe(0);
    expect((await o.weights[0].data())[0]).toBe(after[0]);
    o.dispose();
    scaler.dispose();
  });

  test("its state travels with the optimizer's, and bad options are refused", async () => {
    const o = new SGD([vx.parameter(device.tensor({ data: [1], shape: [1] }))]);
    o.scaler = new GradScaler(device);
    o.step([device.tensor({ data: [Infinity], shape: [1] })]);
    const state = await o.stateDict();
    o.scaler = new GradScaler(device);
    o.loadStateDict(state);
    expect(await o.scaler.value()).toBe(32768);
    expect(() => new GradScaler(device, { growthFactor: 0.5 })).toThrow(ConfigError);
    for (const backoffFactor of [0, 1.5]) expect(() => new GradScaler(device, { backoffFactor })).toThrow(ConfigError);
    // None, for a veto alone.
    new GradScaler(device, { initScale: 1, growthFactor: 1, backoffFactor: 1 }).dispose();
    expect(() => new GradScaler(device, { growthInterval: 0 })).toThrow(/growthInterval/);
    o.dispose();
  });
});

describe.runIf(device.gpu.features.has("shader-f16"))("f16 activations", () => {
  test("operands of two types are combined in f32, and so are losses of two halves", async () => {
    const full = device.tensor({ data: [1, 2 ** -12], shape: [2] });
    const half = vx.cast(device.tensor({ data: [2 ** -12, 1], shape: [2] }), "f16");
    for (const sum of [vx.add(full, half), vx.add(half, full)]) {
      expect(sum.dtype).toBe("f32");
      expect([...(await sum.data())]).toEqual([1 + 2 ** -12, 1 + 2 ** -12]);
    }
    expect(vx.add(half, half).dtype).toBe("f16");
    expect(vx.mul(half, 3).dtype).toBe("f16");
    expect(mseLoss(half, half).dtype).toBe("f32");
  });

  test("a gradient too small for f16 arrives with a scaled loss, and is lost without", async () => {
    const weight = vx.parameter(device.tensor({ data: [1], shape: [1, 1, 1, 1] }));
    const x = device.tensor({ data: [0.5, 0.25, 1, 2], shape: [1, 1, 2, 2] });
    const gradient = async (scaler?: GradScaler) => {
      const dw = withPrecision("f16", () => {
        const loss = mul(sum(vx.conv(vx.conv(x, weight), weight)), 1e-9);
        return grad(scaler ? scaler.scale(loss) : loss, [weight])[0];
      });
      return dw.item();
    };
    expect(await gradient()).toBe(0);
    expect((await gradient(new GradScaler(device))) / 65536 / (2 * 3.75e-9)).toBeCloseTo(1, 2);
  });

  const data = (seed: number, n: number) =>
    Float32Array.from({ length: n }, (_, i) => Math.sin(i * 0.37 + seed) + 0.3 * Math.cos(i * 1.7));
  const size = 32;
  const batch = (seed: number) => {
    const image = data(seed, 2 * size * size);
    return {
      image: { data: image, shape: [2, 1, size, size] },
      label: { data: image.map((v) => (v > 0.2 ? 1 : 0)), shape: [2, 1, size, size] },
    };
  };
  const train = async (precision: "f32" | "f16", steps: number) => {
    manualSeed(3);
    const model = new UNet(device, {
      spatialDims: 2,
      inChannels: 1,
      outChannels: 1,
      channels: [8, 16, 32],
      strides: [2, 2],
      numResUnits: 2,
    });
    const optimizer = new Adam(model.parameters(), { lr: 5e-3 });
    const trainer = new Trainer(device, {
      model,
      optimizer,
      precision,
      loss: (y, label) => diceLoss(y, label, { sigmoid: true }),
    });
    const losses: number[] = [];
    const batches = async function* () {
      for (let i = 0; i < steps; i++) yield batch(i % 4);
    };
    await trainer.epoch(batches(), { onStep: ({ loss }) => void losses.push(loss) });
    const plan = await trainer.prepare(batch(0));
    const result = {
      losses,
      peak: plan.ownBytes - plan.memory.uniforms,
      dtypes: new Set(model.parameters().map((p) => p.dtype)),
      scale: await optimizer.scaler?.value(),
    };
    trainer.dispose();
    optimizer.dispose();
    model.dispose();
    return result;
  };

  test("a UNet trains as in f32, with f32 weights and less memory", async () => {
    const [full, half] = [await train("f32", 30), await train("f16", 30)];
    expect([...half.dtypes]).toEqual(["f32"]);
    expect(half.scale).toBe(65536);
    half.losses.slice(0, 3).forEach((loss, i) => expect(Math.abs(loss - full.losses[i])).toBeLessThan(2e-3));
    expect(half.losses.at(-1)!).toBeLessThan(0.7 * half.losses[0]);
    expect(Math.abs(half.losses.at(-1)! - full.losses.at(-1)!)).toBeLessThan(0.05);
    expect(half.peak).toBeLessThan(0.8 * full.peak);
  });

  test("a block that is checkpointed is computed again in the same precision", async () => {
    const weight = vx.parameter(device.tensor({ data: data(1, 9), shape: [1, 1, 3, 3] }));
    const x = device.tensor({ data: data(2, 64), shape: [1, 1, 8, 8] });
    const block = (t: Tensor) => vx.relu(vx.conv(t, weight, undefined, { padding: 1 }));
    const run = (checkpointed: boolean) =>
      withPrecision("f16", () => sum(vx.square(vx.float32(checkpointed ? vx.checkpoint(block, [x], [weight]) : block(x)))));
    const [a, b] = [grad(run(true), [weight])[0], grad(run(false), [weight])[0]];
    expect(await a.data()).toEqual(await b.data());
  });

  test("an adapter without f16 says so", () => {
    const without = Object.create(device, {
      gpu: { value: Object.create(device.gpu, { features: { value: new Set() } }) },
    }) as Device;
    const model = new Linear(device, { inFeatures: 1, outFeatures: 1 });
    const optimizer = new SGD(model.parameters());
    expect(() => new Trainer(without, { model, optimizer, precision: "f16", loss: (y) => y })).toThrow(
      /no f16 in shaders.*use f32/,
    );
  });

  test("capture replays a mixed step", async () => {
    const weight = vx.parameter(device.tensor({ data: [0.5], shape: [1, 1, 1, 1] }));
    const step = capture(device, (x: Tensor) => withPrecision("f16", () => vx.float32(vx.conv(x, weight))));
    const y = step({ data: Float32Array.of(1, 2, 3, 4), shape: [1, 1, 2, 2] });
    expect([...(await y.data())]).toEqual([0.5, 1, 1.5, 2]);
    step.dispose();
  });
});
