/**
 * @file `npm run bench:networks [-- --filter TEXT] [--json FILE]`: one training step of whole networks: time, and memory as planned and as the device's
 * buffers had it at the highest. Forward, Dice and cross entropy, gradients and Adam, captured and replayed as in training.
 */

import { writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { capture, type Device, grad, openDevice, type Tensor } from "../src/index.ts";
import { Adam, diceCELoss, manualSeed, type Module, summary } from "../src/nn/index.ts";
import { QuickNat, UNet, VNet } from "../src/seg/index.ts";
import { sizeOf } from "../src/host/array.ts";

interface NetworkCase {
  readonly name: string;
  readonly input: readonly number[];
  readonly classes: number;
  readonly build: (device: Device) => Module;
}

const cases: readonly NetworkCase[] = [
  {
    name: "VNet 1×1×64³",
    input: [1, 1, 64, 64, 64],
    classes: 2,
    build: (d) => new VNet(d, { spatialDims: 3, inChannels: 1, outChannels: 2 }),
  },
  {
    name: "QuickNAT 2×1×128²",
    input: [2, 1, 128, 128],
    classes: 28,
    build: (d) => new QuickNat(d, { outChannels: 28 }),
  },
  {
    name: "UNet3D 2×1×64³ (16…256, 2 residual units)",
    input: [2, 1, 64, 64, 64],
    classes: 2,
    build: (d) =>
      new UNet(d, {
        spatialDims: 3,
        inChannels: 1,
        outChannels: 2,
        channels: [16, 32, 64, 128, 256],
        strides: [2, 2, 2, 2],
        numResUnits: 2,
      }),
  },
];

const { values } = parseArgs({ options: { filter: { type: "string" }, json: { type: "string" }, steps: { type: "string" } } });
const device = await openDevice();
const MiB = 2 ** 20;
const results: Record<string, number | string>[] = [];
console.log(device.name);
for (const { name, input, classes, build } of cases.filter((c) => c.name.includes(values.filter ?? ""))) {
  manualSeed(0);
  device.pool.trim();
  const model = build(device);
  const optimizer = new Adam(model.parameters(), { lr: 1e-3 });
  const before = device.memory.live;
  const { flops } = summary(model, input);
  const step = capture(device, (x: Tensor, label: Tensor) => {
    const loss = diceCELoss(model.forward(x), label, { softmax: true, toOnehotY: true });
    optimizer.step(grad(loss, optimizer.parameters));
    return loss;
  });
  const image = { data: Float32Array.from({ length: sizeOf(input) }, (_, i) => Math.sin(i * 0.37)), shape: input };
  const label = { data: image.data.map((v) => (v > 0.5 ? Math.min(classes - 1, 1) : 0)), shape: input.with(1, 1) };
  const cold = performance.now();
  const plan = await step.prepare([image, label]);
  const first = await step(image, label).item();
  const firstSeconds = (performance.now() - cold) / 1000;
  const times: number[] = [];
  let last = first;
  for (let i = 0; i < Number(values.steps ?? 3); i++) {
    const start = performance.now();
    last = await step(image, label).item();
    times.push((performance.now() - start) / 1000);
  }
  const row = {
    name,
    parameters: model.parameterCount,
    forwardGFLOP: flops / 1e9,
    dispatches: plan.dispatches,
    stepSeconds: Math.min(...times),
    firstStepSeconds: firstSeconds,
    plannedMiB: plan.peakBytes / MiB,
    realMiB: (device.memory.live - before) / MiB,
    stateMiB: before / MiB,
    losses: `${first.toFixed(4)} → ${last.toFixed(4)}`,
  };
  results.push(row);
  console.log(
    `${name}: ${row.parameters.toLocaleString("en")} parameters, ${row.forwardGFLOP.toFixed(1)} GFLOP forward, ${row.dispatches} dispatches\n` +
      `  step ${row.stepSeconds.toFixed(2)} s (first ${row.firstStepSeconds.toFixed(1)} s), loss ${row.losses}\n` +
      `  memory of the step: planned ${row.plannedMiB.toFixed(1)} MiB, in buffers ${row.realMiB.toFixed(1)} MiB; parameters and optimiser ${row.stateMiB.toFixed(1)} MiB`,
  );
  step.dispose();
  optimizer.dispose();
  model.dispose();
}
if (values.json) writeFileSync(values.json, `${JSON.stringify({ device: device.name, results }, null, 2)}\n`);
device.close();
