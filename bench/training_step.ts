/** @file A training step of a whole network, timed: forward, Dice and cross entropy, gradients and Adam, captured and replayed as in training. */

import {
  capture,
  type Device,
  grad,
  type KernelTime,
  type Precision,
  profile,
  type Tensor,
  withPrecision,
} from "../src/index.ts";
import { sizeOf } from "../src/host/array.ts";
import { Adam, diceCELoss, GradScaler, manualSeed, type Module, seedDropout, summary } from "../src/nn/index.ts";
import { QuickNat, UNet, VNet } from "../src/seg/index.ts";
import type { Network, NetworkCase, Sizes } from "./network_cases.ts";

export interface StepOptions {
  /** Default f32. */
  readonly precision?: Precision;
  /** Steps between the first one and those that are timed; default 0. */
  readonly warm?: number;
  /** Timed steps at most; at least 3 unless this is less. */
  readonly steps: number;
  /** No further step is timed after so many seconds; default none. */
  readonly seconds?: number;
  /** Also the GPU time of each kernel, where the device has timestamps; default false. */
  readonly kernels?: boolean;
}

export interface StepResult {
  readonly parameters: number;
  /** Convolutions and linear layers of one forward pass. */
  readonly forwardGFLOP: number;
  readonly dispatches: number;
  /** Of the timed steps. */
  readonly bestMs: number;
  readonly medianMs: number;
  readonly steps: number;
  /** Tracing, compiling and the first step. */
  readonly firstMs: number;
  readonly plannedBytes: number;
  /** What the step took of the device's memory. */
  readonly realBytes: number;
  /** Parameters and optimizer. */
  readonly stateBytes: number;
  /** Of the first step, of the last warm one and of the last. */
  readonly losses: readonly [number, number, number];
  readonly kernels: readonly KernelTime[];
}

export function build(device: Device, { network, options }: Network): Module {
  switch (network) {
    case "UNet":
      return new UNet(device, options);
    case "VNet":
      return new VNet(device, options);
    case "QuickNat":
      return new QuickNat(device, options);
  }
}

/** An image and its label, the same each time. */
export function batch({ input, classes }: Sizes) {
  const image = { data: Float32Array.from({ length: sizeOf(input) }, (_, i) => Math.sin(i * 0.37)), shape: input };
  const label = { data: image.data.map((v) => (v > 0.5 ? Math.min(classes - 1, 1) : 0)), shape: input.with(1, 1) };
  return { image, label };
}

const milliseconds = async (work: () => unknown): Promise<number> => {
  const start = performance.now();
  await work();
  return performance.now() - start;
};

/** Steps in a row without reading anything, as a training loop gives them: so many that waiting at their end does not count. */
async function timeSteps(device: Device, step: () => void, { steps, seconds = Infinity }: StepOptions): Promise<number[]> {
  const times: number[] = [];
  const start = performance.now();
  while (times.length < steps && (times.length < 3 || performance.now() - start < 1000 * seconds)) {
    const burst = Math.min(steps - times.length, times.length > 0 && times[0] < 50 ? 5 : 1);
    const ms = await milliseconds(async () => {
      for (let i = 0; i < burst; i++) step();
      await device.settle();
    });
    for (let i = 0; i < burst; i++) times.push(ms / burst);
  }
  return times.sort((a, b) => a - b);
}

/** Builds a network, trains a few steps and frees it. Throws what the device reports. */
export async function trainingStep(device: Device, network: NetworkCase, options: StepOptions): Promise<StepResult> {
  const { precision = "f32", warm = 0 } = options;
  manualSeed(0);
  seedDropout(device, 0);
  device.pool.trim();
  const empty = device.memory.live;
  const model = build(device, network);
  const optimizer = new Adam(model.parameters(), { lr: 1e-3 });
  const scaler = precision === "f16" ? (optimizer.scaler = new GradScaler(device)) : undefined;
  const stateBytes = device.memory.live - empty;
  const { flops } = summary(model, network.input, { training: false });
  const { image, label } = batch(network);
  const inputs = [device.tensor(image), device.tensor(label)];
  const before = device.memory.live;
  const captured = capture(device, (x: Tensor, y: Tensor) =>
    withPrecision(precision, () => {
      const loss = diceCELoss(model.forward(x), y, { softmax: true, toOnehotY: true });
      optimizer.step(grad(scaler ? scaler.scale(loss) : loss, optimizer.parameters));
      return loss;
    }),
  );
  const step = () => captured(...inputs);
  const start = performance.now();
  const plan = await captured.prepare(inputs);
  const first = await step().item();
  const firstMs = performance.now() - start;
  for (let i = 1; i < warm; i++) step();
  const warmed = warm > 0 ? await step().item() : first;
  const times = await timeSteps(device, step, options);
  const realBytes = device.memory.live - before;
  const timed = options.kernels && device.gpu.features.has("timestamp-query");
  const kernels = timed ? await profile(device, () => void step()) : [];
  const last = await step().item();
  const result: StepResult = {
    parameters: model.parameterCount,
    forwardGFLOP: flops / 1e9,
    dispatches: plan.dispatches,
    bestMs: times[0],
    medianMs: times[times.length >> 1],
    steps: times.length,
    firstMs,
    plannedBytes: plan.ownBytes,
    realBytes,
    stateBytes,
    losses: [first, warmed, last],
    kernels,
  };
  captured.dispose();
  for (const t of inputs) t.dispose();
  scaler?.dispose();
  optimizer.dispose();
  model.dispose();
  return result;
}
