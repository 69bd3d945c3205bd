/** @file Short training runs: weights by formula, another batch at each step, loss and norm of the gradients after each. */
import { add, cast, type Device, grad, reshape, square, sum, type Tensor } from "../../../src/index.ts";
import {
  bceWithLogitsLoss,
  crossEntropyLoss,
  huberLoss,
  l1Loss,
  type Module,
  mseLoss,
  smoothL1Loss,
} from "../../../src/nn/index.ts";
import { type HostArray, sizeOf } from "../../../src/host/array.ts";
import { camelKeys } from "../../lib/names.ts";
import { type Adapter, type Adapters, type Case, expectKnown, type Families, NotCovered, wave } from "../format.ts";
import { device } from "../device.ts";
import { summary } from "../network_case.ts";
import { losses, optionsOf } from "./monai_losses.ts";
import { makers } from "./networks.ts";
import { others } from "./quicknat.ts";
import { makeOptimizer, makeScheduler } from "./optim.ts";

/** The data of step k: a noisy disc (ball) per sample, its radius changing from sample to sample. */
function disc(k: number, n: number, channels: number, spatial: number[]): { x: HostArray; y: HostArray } {
  const shape = [n, channels, ...spatial];
  const inner = sizeOf(spatial);
  const label = new Float32Array(n * inner);
  for (let j = 0; j < n; j++) {
    const radius = Math.min(...spatial) * (0.25 + 0.05 * ((j + k) % 3));
    for (let i = 0; i < inner; i++) {
      let rest = i;
      let squares = 0;
      for (let a = spatial.length - 1; a >= 0; a--) {
        squares += ((rest % spatial[a]) - (spatial[a] / 2 - 0.5)) ** 2;
        rest = Math.floor(rest / spatial[a]);
      }
      label[j * inner + i] = Math.sqrt(squares) < radius ? 1 : 0;
    }
  }
  const noise = wave({ shape, a: 1, b: 0.19, c: 0.3 + k, d: 0, dtype: "float64" });
  const data = Float32Array.from(noise.data as Float64Array, (v, i) => {
    const j = Math.floor(i / (channels * inner));
    return 0.3 * v + 0.8 * label[j * inner + (i % inner)];
  });
  return { x: { data, shape }, y: { data: label, shape: [n, 1, ...spatial] } };
}

type LossOf = (output: Tensor, label: Tensor) => Tensor;

/** Class indices as PyTorch's cross-entropy takes them: without a channel axis. */
const indices = (label: Tensor) => cast(reshape(label, label.shape.toSpliced(1, 1)), "i32");

const vector = (dev: Device, value: any): Tensor | undefined => {
  const list: any = ArrayBuffer.isView(value?.data) ? value.data : value;
  return list && dev.tensor({ data: Float32Array.from(list as number[]), shape: value.shape ?? [list.length] });
};

const elements = "reduction weight";

/** PyTorch's losses: their option names, and the loss. */
const torch: Record<string, readonly [known: string, loss: (settings: any, dev: Device) => LossOf]> = {
  CrossEntropyLoss: [
    "weight ignore_index label_smoothing reduction",
    (settings) => (output, label) => crossEntropyLoss(output, indices(label), settings),
  ],
  BCEWithLogitsLoss: [`${elements} pos_weight`, (settings) => (output, label) => bceWithLogitsLoss(output, label, settings)],
  MSELoss: [elements, (settings) => (output, label) => mseLoss(output, label, settings)],
  L1Loss: [elements, (settings) => (output, label) => l1Loss(output, label, settings)],
  SmoothL1Loss: [`${elements} beta`, (settings) => (output, label) => smoothL1Loss(output, label, settings)],
  HuberLoss: [`${elements} delta`, (settings) => (output, label) => huberLoss(output, label, settings)],
};

/** A loss of PyTorch's, its weights on the device, or undefined for another one. */
function torchLoss(name: string, args: Record<string, any>, dev: Device): LossOf | undefined {
  const [known, loss] = torch[name] ?? [];
  if (!loss || !known) return undefined;
  expectKnown(name, args, known.split(" "));
  const { weight, pos_weight: posWeight, ...rest } = args;
  const settings = camelKeys(Object.fromEntries(Object.entries(rest).filter(([, v]) => v !== null)));
  if (weight) settings.weight = vector(dev, weight);
  if (posWeight) settings.posWeight = typeof posWeight === "number" ? posWeight : vector(dev, posWeight);
  return loss(settings, dev);
}

/** Written as a call, `DiceLoss(sigmoid=True)`, or as a name and a record of options. */
function parsedLoss(text: string): Record<string, any> {
  const [, name, inner = ""] = /^([\w.]+?)(?:\((.*)\))?$/.exec(text) ?? [];
  const values: Record<string, unknown> = { True: true, False: false, None: null };
  const pairs = [...inner.matchAll(/(\w+)\s*=\s*([^,]+)/g)].map(([, k, v]) => [
    k,
    v.trim() in values ? values[v.trim()] : Number.isNaN(Number(v)) ? v.trim().replace(/["']/g, "") : Number(v),
  ]);
  return { [(name ?? text).replace(/^.*\./, "")]: Object.fromEntries(pairs) };
}

/** `{ DiceLoss: { options } }` of MONAI, of PyTorch, nnU-Net or QuickNAT; several are added. */
function lossOf(given: string | Record<string, any>, dev: Device): LossOf {
  const named = typeof given === "string" ? parsedLoss(given) : given;
  const parts = Object.entries(named).map(([name, args]): LossOf => {
    const known = torchLoss(name, args ?? {}, dev);
    if (known) return known;
    const monai = losses[name];
    if (!monai) throw new NotCovered(`the loss ${name}`);
    const settings = optionsOf(name, args ?? {});
    return (output, label) => monai(output, label, settings, { args: args ?? {}, inputs: {} } as unknown as Case, dev);
  });
  return (output, label) => parts.map((part) => part(output, label)).reduce(add);
}

/** `train.UNet2d+…`, `train.monai.VNet(small)+…`: the network's class is in the name of the case, unless its options name it. */
function networkOf(op: string, dev: Device, { name: given, type, ...args }: Record<string, any>, weights: any): Module {
  const [, path = ""] = /^train\.([\w.]+?)(?:[123]d)?(?:\([^)]*\))?(?:\+|$)/i.exec(op) ?? [];
  const name: string = given ?? type ?? path;
  const own = name.replace(/^.*\./, "");
  const monai = /^(?:milesial|unet)\b/.test(name) ? undefined : makers[`nets.${own}`];
  if (monai) return monai(dev, args);
  const make = /^milesial\b/.test(name) ? others.MilesialUNet : name.startsWith("unet.") ? others.OriginalUNet : others[own];
  if (!make) throw new NotCovered(`the network ${name}`);
  return make(dev, { op: name, args, inputs: { weights } } as unknown as Case);
}

/** The networks' input channels, under whichever name. */
const channelsOf = (net: Record<string, any>): number =>
  net.in_channels ?? net.n_channels ?? net.num_channels ?? net.input_channels ?? 1;

const known = ["net", "loss", "optimizer", "scheduler", "batch", "spatial", "steps", "clip_grad_norm", "clip_grad_value"];

const training: Adapter = async ({ op, args, inputs, expected }) => {
  expectKnown(op, args, known);
  const dev = await device();
  const net = networkOf(op, dev, args.net, inputs.weights);
  net.loadStateDict(new Map(inputs.weights.map((w: any) => [w.name, wave(w)])));
  net.train(true);
  const parameters = net.parameters();
  const { clip_grad_norm: clipNorm, clip_grad_value: clipValue } = args;
  const { name, scheduler: inner, ...hyper } = typeof args.optimizer === "string" ? { name: args.optimizer } : args.optimizer;
  const optimizer = makeOptimizer(name, parameters, hyper);
  const given = args.scheduler ?? inner;
  const made = given && makeScheduler(optimizer, op, { scheduler: given });
  const loss = lossOf(args.loss, dev);
  const per_step = [];
  for (let k = 0; k < args.steps; k++) {
    const { x, y } = disc(k, args.batch, channelsOf(args.net), args.spatial);
    const value = loss(net.forward(dev.tensor(x)), dev.tensor(y));
    const gradients = grad(value, parameters);
    const squares = await Promise.all(gradients.map((g) => sum(square(g)).item()));
    optimizer.step(gradients, { clipNorm, clipValue });
    const step = { loss: await value.item(), grad_norm: Math.sqrt(squares.reduce((a, b) => a + b, 0)) };
    made?.scheduler.step(step.loss);
    per_step.push({ ...step, lr: optimizer.lr });
  }
  const state = await net.stateDict();
  const final_params = Object.fromEntries(
    Object.entries(expected.final_params ?? {}).map(([key, like]) => [key, summary(state.get(key)!, like)]),
  );
  optimizer.dispose();
  net.dispose();
  return { per_step, final_params };
};

export const adapters: Adapters = {};
export const families: Families = [[/^train\./, training]];
