/** @file A norm and the activation behind it as one pass: the same values, gradients, running statistics and names as one after the other. */

import { describe, expect, test } from "vitest";
import { add, capture, type Device, grad, mul, sum, type Tensor } from "../../../src/index.ts";
import {
  type AdnOptions,
  Convolution,
  Dropout,
  InstanceNorm,
  manualSeed,
  type Module,
  PReLU,
  ResidualUnit,
  seedDropout,
  Sequential,
  summary,
} from "../../../src/nn/index.ts";
import { ResidualEncoderUNet, UNet } from "../../../src/seg/index.ts";
import { UnetResBlock } from "../../../src/seg/networks/dynunet_blocks.ts";
import { observing } from "../../../src/autograd/tape.ts";
import { expectClose } from "../../lib/compare.ts";
import { inSequence, inSequencePlus } from "../../../src/nn/module.ts";
import { device as open } from "../../lib/device.ts";

const device: Device = await open();

/** Every layer by itself, as those see it who watch layers. */
function apart(net: Module): void {
  for (const m of net.modules()) m.forward = m.forward.bind(m);
}

interface Outcome {
  readonly values: Record<string, ArrayLike<number>>;
  readonly dispatches: number;
  readonly peakBytes: number;
}

async function outcome(make: () => Module, shape: readonly number[], separate: boolean, training: boolean): Promise<Outcome> {
  manualSeed(7);
  seedDropout(device, 11);
  const net = make().train(training);
  if (separate) apart(net);
  const wave = (seed: number) => (n: number) => Float32Array.from({ length: n }, (_, i) => Math.sin(0.37 * i * seed + seed));
  const x = device.tensor({ data: wave(1)(shape.reduce((a, b) => a * b)), shape });
  const parameters = net.parameters();
  const step = capture(device, (input: Tensor) => {
    const y = net.forward(input);
    const weights = device.tensor({ data: wave(1.7)(y.size), shape: y.shape });
    return [y, ...grad(sum(mul(y, weights)), parameters)];
  });
  const results = step(x);
  const { dispatches, peakBytes } = step.plan!;
  const values: Record<string, ArrayLike<number>> = {};
  const names = ["y", ...net.namedParameters().map(([name]) => `d ${name}`)];
  for (const [i, t] of results.entries()) values[names[i]] = await t.data();
  for (const [name, { data }] of await net.stateDict()) values[name] = data;
  step.dispose();
  x.dispose();
  net.dispose();
  return { values, dispatches, peakBytes };
}

async function expectSame(make: () => Module, shape: readonly number[], training: boolean) {
  const [together, separate] = [await outcome(make, shape, false, training), await outcome(make, shape, true, training)];
  expect(Object.keys(together.values)).toEqual(Object.keys(separate.values));
  for (const [name, values] of Object.entries(separate.values)) expectClose(name, together.values[name], values, 2e-5, 1e-2);
  return { together, separate };
}

const styles: Record<string, AdnOptions> = {
  "INSTANCE + PRELU": {},
  "INSTANCE affine + LEAKYRELU": { norm: ["INSTANCE", { affine: true }], act: ["LEAKYRELU", { negativeSlope: 0.05 }] },
  "BATCH + RELU": { norm: "BATCH", act: "RELU" },
  "BATCH + PRELU per channel": { norm: "BATCH", act: ["PRELU", { numParameters: 4, init: 0.1 }] },
  "GROUP + PRELU": { norm: ["GROUP", { numGroups: 2 }], act: "PRELU" },
};

describe.each(Object.entries(styles))("%s", (_, style) => {
  const make = (dropout?: number) => () =>
    new Convolution(device, { spatialDims: 2, inChannels: 2, outChannels: 4, dropout, ...style });

  test("in training, with fewer passes", async () => {
    const { together, separate } = await expectSame(make(), [2, 2, 6, 6], true);
    expect(together.dispatches).toBeLessThan(separate.dispatches);
  });

  test("in evaluation, past dropout that does nothing", async () => {
    const { together, separate } = await expectSame(make(0.5), [2, 2, 6, 6], false);
    // Batch norm then has its statistics given, and is no pass of its own.
    if (style.norm?.[0] === "B") expect(together.dispatches).toBe(separate.dispatches);
    else expect(together.dispatches).toBeLessThan(separate.dispatches);
  });

  test("not across dropout at work", async () => {
    const { together, separate } = await expectSame(make(0.5), [2, 2, 6, 6], true);
    expect(together.dispatches).toBe(separate.dispatches);
  });
});

test("other activations and orders stay as they are", async () => {
  for (const style of [{ act: "ELU" }, { adnOrdering: "ADN" }, { norm: null }] as const) {
    const make = () => new Convolution(device, { spatialDims: 2, inChannels: 2, outChannels: 4, ...style });
    const { together, separate } = await expectSame(make, [2, 2, 6, 6], true);
    expect(together.dispatches).toBe(separate.dispatches);
  }
});

test("a UNet in training, in less memory", async () => {
  const options = { spatialDims: 2, inChannels: 1, outChannels: 2, channels: [4, 8], strides: [2], numResUnits: 1 } as const;
  const { together, separate } = await expectSame(() => new UNet(device, options), [2, 1, 16, 16], true);
  expect(together.dispatches).toBeLessThan(separate.dispatches);
  expect(together.peakBytes).toBeLessThan(separate.peakBytes);
});

test("who watches operations or layers sees each", async () => {
  const net = new Convolution(device, { spatialDims: 2, inChannels: 1, outChannels: 2, dropout: 0.5 }).eval();
  const x = device.tensor({ data: new Float32Array(16), shape: [1, 1, 4, 4] });
  const ops: string[] = [];
  observing(
    (op) => void ops.push(op),
    () => net.forward(x),
  ).dispose();
  expect(ops).toEqual(["conv", "instanceNorm", "prelu"]);
  expect(summary(net, [1, 1, 4, 4]).layers.map((l) => l.name)).toEqual(["", "conv", "adn", "adn.N", "adn.D", "adn.A"]);
  x.dispose();
  net.dispose();
});

test("modules in sequence, some of which do nothing", async () => {
  const x = device.tensor({ data: [1, 2, 3, 6], shape: [1, 1, 4] });
  const norm = new InstanceNorm(device, 1);
  const act = new PReLU(device, { init: 0.5 });
  const y = inSequence(x, norm, new Dropout(device, 0.9).eval(), act);
  const z = act.forward(norm.forward(x));
  expect(await y.data()).toEqual(await z.data());
  expect(inSequence(x, new Dropout(device, 0))).toBe(x);
  expect(inSequence(x)).toBe(x);
});

describe("a residual is added in the norm's pass", () => {
  const unit = { spatialDims: 2, inChannels: 4, outChannels: 4 } as const;
  const units: [string, () => Module, readonly number[]][] = [
    ["MONAI's unit", () => new ResidualUnit(device, unit), [2, 4, 6, 6]],
    [
      "with a convolved residual",
      () => new ResidualUnit(device, { ...unit, outChannels: 8, strides: 2, norm: "BATCH" }),
      [2, 4, 6, 6],
    ],
    ["norm last", () => new ResidualUnit(device, { ...unit, adnOrdering: "AN" }), [2, 4, 6, 6]],
    [
      "DynUNet's block, before its leaky ReLU",
      () => new UnetResBlock(device, { ...unit, kernelSize: 3, stride: 1, normName: ["INSTANCE", { affine: true }] }),
      [2, 4, 6, 6],
    ],
    [
      "nnU-Net's residual encoder",
      () =>
        new ResidualEncoderUNet(device, {
          ...unit,
          outChannels: 2,
          nStages: 2,
          featuresPerStage: [4, 8],
          kernelSizes: [3, 3],
          strides: [1, 2],
          nBlocksPerStage: [1, 2],
          nConvPerStageDecoder: 1,
        }),
      [1, 4, 8, 8],
    ],
  ];
  test.each(units)("%s", async (_, make, shape) => {
    for (const training of [true, false]) {
      const { together, separate } = await expectSame(make, shape, training);
      // Batch norm in evaluation is several operations where gradients are noted.
      if (training) expect(together.dispatches).toBeLessThan(separate.dispatches);
    }
  });

  test("not where something is done behind the norm, or the activation cannot be a part of it", async () => {
    await expectSame(() => new ResidualUnit(device, { ...unit, lastConvOnly: true }), [1, 4, 6, 6], true);
    await expectSame(() => new ResidualUnit(device, { ...unit, act: "ELU" }), [1, 4, 6, 6], true);
    await expectSame(() => new ResidualUnit(device, { ...unit, dropout: 0.3 }), [1, 4, 6, 6], true);
  });
});

test("a subclass's own forward is what runs, as a norm, as an activation and as a sequence with a residual behind it", async () => {
  const x = device.tensor({ data: Float32Array.from({ length: 32 }, (_, i) => Math.sin(i)), shape: [1, 2, 4, 4] });
  const doubled = (t: Tensor) => mul(t, 2);
  class Norm extends InstanceNorm {
    override forward(t: Tensor): Tensor {
      return doubled(super.forward(t));
    }
  }
  class Rectifier extends PReLU {
    override forward(t: Tensor): Tensor {
      return doubled(super.forward(t));
    }
  }
  class Path extends Sequential {
    override forward(t: Tensor): Tensor {
      return doubled(super.forward(t));
    }
  }
  const [plain, act] = [new InstanceNorm(device, 2), new PReLU(device)];
  const straight = act.forward(plain.forward(x));
  for (const modules of [[new Path([plain, act])], [plain, new Rectifier(device)]]) {
    expectClose("twice", await inSequence(x, ...modules).data(), await doubled(straight).data(), 1e-6, 1e-6);
    const plus = inSequencePlus(x, modules, x);
    expectClose("twice and x", await plus.data(), await add(doubled(straight), x).data(), 1e-6, 1e-6);
  }
  const [own, first] = [new Norm(device, 2), doubled(plain.forward(x))];
  expectClose("norm", await inSequence(x, own, act).data(), await act.forward(first).data(), 1e-6, 1e-6);
  const sum = act.forward(add(first, x));
  expectClose("norm and x", await inSequencePlus(x, [own], x, act).data(), await sum.data(), 1e-6, 1e-6);
});
