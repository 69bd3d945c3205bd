/** @file Optimizers, clipping, schedulers and initial weights against PyTorch; moving averages; no copies of gradients in a captured step. */

import { describe, expect, test } from "vitest";
import { capture, ConfigError, type Device, grad, mul, parameter, square, sum, type Tensor } from "../../../src/index.ts";
import * as nn from "../../../src/nn/index.ts";
import type { Command } from "../../../src/tensor/trace.ts";
import { Plan } from "../../../src/tensor/plan.ts";
import { expectClose } from "../../lib/compare.ts";
import { device } from "../../lib/device.ts";
import { readFixture } from "../../lib/fixture.ts";
import { camelKeys } from "../../lib/names.ts";
import { optimizers, schedulers } from "../../lib/optim.ts";

const renamed: Readonly<Record<string, string>> = { T_max: "t_max", T_0: "t0", T_mult: "t_mult" };

const options = (args: Record<string, unknown>): any =>
  camelKeys(Object.fromEntries(Object.entries(args).map(([name, value]) => [renamed[name] ?? name, value])));

const parameters = (gpu: Device, list: readonly { data: readonly number[]; shape: readonly number[] }[]): Tensor[] =>
  list.map((host) => parameter(gpu.tensor(host)));

/** Values of all parameters, one after the other. */
const values = async (params: readonly Tensor[]): Promise<number[]> => {
  const all = await Promise.all(params.map((p) => p.data()));
  return all.flatMap((v) => [...v]);
};

describe("optimizers against PyTorch", () => {
  const ops = readFixture<any>("torch_ops.json").cases.filter((c: any) => c.op.startsWith("optim."));
  test.each<[string, any]>(ops.map((c: any) => [c.id, c]))("torch/%s", async (_, c) => {
    const gpu = await device();
    const params = parameters(gpu, [c.inputs.start]);
    const optimizer = new optimizers[c.op.slice("optim.".length)](params, options(c.args));
    const [steps, size] = c.output.shape;
    for (let k = 0; k < steps; k++) {
      const gradient = gpu.tensor({ data: c.inputs.grads.data.slice(k * size, (k + 1) * size), shape: [size] });
      optimizer.step([gradient]);
      expectClose(`step ${k}`, await values(params), c.output.data.slice(k * size, (k + 1) * size), 1e-6);
      gradient.dispose();
    }
    optimizer.dispose();
    for (const p of params) p.dispose();
  });

  const file = readFixture<any>("torch_optim.json");
  test.each<[string, any]>(file.steps.map((c: any) => [`${c.id}${c.scheduler ? ` ${c.scheduler}` : ""}`, c]))(
    "torch/%s",
    async (_, c) => {
      const gpu = await device();
      const hosts = (data: number[][]) => data.map((d, i) => ({ data: d, shape: file.shapes[i] as number[] }));
      const params = parameters(gpu, hosts(file.starts));
      const [first, second] = params;
      const groups = c.second ? [{ params: [first] }, { params: [second], options: options(c.second) }] : params;
      const optimizer = new optimizers[c.optimizer](groups, options(c.options));
      const scheduler = c.scheduler && new schedulers[c.scheduler](optimizer, options(c.schedulerOptions));
      for (let k = 0; k < c.path.length; k++) {
        const gradients = hosts(file.grads[k]).map((host) => gpu.tensor(host));
        optimizer.step(gradients, { clipNorm: c.clipNorm, clipValue: c.clipValue });
        expectClose(`step ${k}`, await values(params), c.path[k], 2e-6);
        if (c.norms) expectClose(`norm of step ${k}`, [await optimizer.gradientNorm.item()], [c.norms[k]], 1e-6);
        scheduler?.step(file.metrics[k]);
        if (c.rates) expectClose(`rate after step ${k}`, [optimizer.lr], [c.rates[k]], 1e-12);
        for (const g of gradients) g.dispose();
      }
      optimizer.dispose();
      for (const p of params) p.dispose();
    },
  );

  test.each<[string, any]>(file.inits.map((c: any) => [`${c.layer}(${c.args})`, c]))("initial weights of %s", async (_, c) => {
    const gpu = await device();
    nn.manualSeed(c.seed);
    const [inChannels, outChannels, kernelSize] = c.args;
    const layer =
      c.layer === "Linear"
        ? new nn.Linear(gpu, { inFeatures: inChannels, outFeatures: outChannels, ...c.options })
        : new (c.layer === "Conv2d" ? nn.Conv : nn.ConvTranspose)(gpu, {
            spatialDims: 2,
            inChannels,
            outChannels,
            kernelSize,
            ...c.options,
          });
    const state = await layer.stateDict();
    expect([...state.keys()]).toEqual(Object.keys(c.state));
    for (const [name, { shape, data }] of Object.entries<any>(c.state)) {
      expect(state.get(name)!.shape).toEqual(shape);
      expect([...state.get(name)!.data]).toEqual(data.map(Math.fround));
    }
    layer.dispose();
  });
});

/** A loss with a gradient for each parameter, and its clipped step. */
function trainingStep(params: readonly Tensor[], optimizer: nn.Optimizer, step: nn.StepOptions, after?: () => void) {
  return (x: Tensor) => {
    const loss = params.map((p) => sum(square(mul(p, x)))).reduce((a, b) => mul(a, b));
    optimizer.step(grad(loss, params), step);
    after?.();
    return loss;
  };
}

test("an option that is given as undefined is left out, in a group too", async () => {
  const gpu = await device();
  const step = async (Optimizer: typeof nn.Adam, group: nn.AdamOptions, given: nn.AdamOptions) => {
    const params = parameters(gpu, [{ data: [1, -2], shape: [2] }]);
    const optimizer = new Optimizer([{ params, options: group }], given);
    optimizer.step([gpu.tensor({ data: [0.5, 0.25], shape: [2] })]);
    const moved = await values(params);
    optimizer.dispose();
    return moved;
  };
  const decayed = await step(nn.AdamW, {}, { lr: 0.5 });
  expect(decayed).not.toEqual(await step(nn.AdamW, {}, { lr: 0.5, weightDecay: 0 }));
  expect(await step(nn.AdamW, {}, { lr: 0.5, weightDecay: undefined } as nn.AdamOptions)).toEqual(decayed);
  expect(await step(nn.AdamW, { lr: undefined, weightDecay: undefined } as nn.AdamOptions, { lr: 0.5 })).toEqual(decayed);
});

test("Adam's bias corrections are those of its moments, after thousands of steps too", async () => {
  const gpu = await device();
  const weight = parameter(gpu.tensor({ data: [0], shape: [1] }));
  const optimizer = new nn.Adam([weight], { lr: 1, eps: 0 });
  const one = gpu.tensor({ data: [1], shape: [1] });
  for (let k = 0; k < 3000; k++) optimizer.step([one]);
  gpu.write(weight, { data: [0], shape: [1] });
  // Gradients that stay the same move a weight by the rate in each step.
  optimizer.step([one]);
  expect(Math.abs(-(await weight.item()) - 1)).toBeLessThan(1e-6);
  optimizer.dispose();
});

test("an optimizer without momentum refuses schedules that cycle it", async () => {
  const gpu = await device();
  const adagrad = new nn.Adagrad(parameters(gpu, [{ data: [1], shape: [1] }]));
  expect(() => new nn.CyclicLR(adagrad, { baseLr: 0.1, maxLr: 1 })).toThrow(/cycleMomentum: false/);
  expect(() => new nn.CyclicLR(adagrad, { baseLr: 0.1, maxLr: 1, mode: "square" as "triangular" })).toThrow(ConfigError);
  adagrad.dispose();
});

describe("steps", () => {
  const start = [
    { data: [1, -2, 3, 0.5], shape: [4] },
    { data: [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8], shape: [2, 4] },
  ];

  test("optim/clipping leaves no copy of a gradient in a plan", async () => {
    const gpu = await device();
    const params = parameters(gpu, start);
    const optimizer = new nn.Adam(params);
    const x = gpu.tensor({ data: [1], shape: [1] });
    const count = (options: nn.StepOptions) => {
      const plan = new Plan(gpu, [x], trainingStep(params, optimizer, options));
      const { commands } = plan as unknown as { commands: readonly Command[] };
      const copies = commands.filter((c) => c.kind === "copy").length;
      plan.dispose();
      return copies;
    };
    expect([count({}), count({ clipNorm: 1 }), count({ clipNorm: 1, clipValue: 2 })]).toEqual([0, 0, 0]);
    optimizer.dispose();
  });

  test("optim/captured steps with clipping and averages are eager ones", async () => {
    const gpu = await device();
    const runs = [false, true].map(async (captured) => {
      const params = parameters(gpu, start);
      const optimizer = new nn.SGD(params, { lr: 0.01, momentum: 0.9 });
      const ema = new nn.EMA(optimizer, 0.5);
      const fn = trainingStep(params, optimizer, { clipNorm: 0.3 }, () => ema.update());
      const step = captured ? capture(gpu, fn) : fn;
      const x = gpu.tensor({ data: [1], shape: [1] });
      for (let k = 0; k < 4; k++) step(x).dispose();
      const weights = await values(params);
      const norm = await optimizer.gradientNorm.item();
      const [average] = [...(await ema.stateDict()).values()];
      return { weights, norm, average: [...average.data] };
    });
    const [eager, replayed] = await Promise.all(runs);
    expect(replayed).toEqual(eager);
  });

  test("optim/a gradient that is not a number stays one through clipping", async () => {
    const gpu = await device();
    const params = parameters(gpu, [{ data: [1, 2], shape: [2] }]);
    const optimizer = new nn.SGD(params, { lr: 0.1 });
    optimizer.step([gpu.tensor({ data: [NaN, 1], shape: [2] })], { clipNorm: 1, clipValue: 0.5 });
    expect(await optimizer.gradientNorm.item()).toBeNaN();
    expect(await values(params)).toEqual([NaN, NaN]);
  });

  test("optim/limits must be positive", async () => {
    const gpu = await device();
    const params = parameters(gpu, [{ data: [1], shape: [1] }]);
    const optimizer = new nn.SGD(params);
    const g = gpu.tensor({ data: [1], shape: [1] });
    expect(() => optimizer.step([g], { clipNorm: 0 })).toThrow(ConfigError);
    expect(() => optimizer.step([g], { clipValue: -1 })).toThrow(ConfigError);
  });

  test("optim/rates of parameter groups", async () => {
    const gpu = await device();
    const [a, b] = parameters(gpu, start);
    const optimizer = new nn.SGD([{ params: [a] }, { params: [b], options: { lr: 0.5 } }], { lr: 0.1 });
    const scheduler = new nn.Scheduler(optimizer, nn.warmUp(nn.exponentialDecay({ gamma: 0.5 }), { steps: 2, startFactor: 0.5 }));
    const rates = [[...optimizer.rates]];
    for (let k = 0; k < 3; k++) {
      scheduler.step();
      rates.push([...optimizer.rates]);
    }
    const expected = [0.5, 0.75, 1, 0.5].flatMap((f) => [f * 0.1, f * 0.5]);
    expectClose("rates", rates.flat(), expected, 1e-12);
    scheduler.steps = 1;
    expectClose("rates, gone back", optimizer.rates, [0.075, 0.375], 1e-12);
  });
});

describe("EMA", () => {
  test.each([["optimizer"], ["tensors"]])("ema/of %s: averages, applied and restored", async (kind) => {
    const gpu = await device();
    const params = parameters(gpu, [{ data: [1, 2], shape: [2] }]);
    const optimizer = new nn.SGD(params, { lr: 1 });
    const ema = new nn.EMA(kind === "tensors" ? params : optimizer, 0.75);
    const g = gpu.tensor({ data: [-4, 4], shape: [2] });
    let average = [1, 2];
    let weight = [1, 2];
    for (let k = 0; k < 3; k++) {
      optimizer.step([g]);
      ema.update();
      weight = [weight[0] + 4, weight[1] - 4];
      average = average.map((a, i) => 0.75 * a + 0.25 * weight[i]);
    }
    expect(await values(params)).toEqual(weight);
    ema.apply();
    expect(() => ema.update()).toThrow(ConfigError);
    expect(await values(params)).toEqual(average);
    ema.restore();
    expect(await values(params)).toEqual(weight);
    const state = await ema.stateDict();
    ema.update();
    ema.loadStateDict(state);
    ema.apply();
    expect(await values(params)).toEqual(average);
    ema.dispose();
    optimizer.dispose();
  });

  test("ema/a tensor without elements beside others", async () => {
    const gpu = await device();
    const [none, some] = parameters(gpu, [
      { data: [], shape: [0, 3] },
      { data: [1, 2, 3], shape: [3] },
    ]);
    const ema = new nn.EMA([none, some], 0.5);
    gpu.write(some, { data: Float32Array.of(3, 4, 5), shape: [3] });
    ema.update();
    ema.apply();
    expect(await values([none, some])).toEqual([2, 3, 4]);
    ema.dispose();
  });
});
