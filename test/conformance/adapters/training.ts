/** @file Short training runs: weights by formula, another batch at each step, loss and norm of the gradients after each. */
import { cast, type Device, grad, reshape, square, sum, type Tensor } from "../../../src/index.ts";
import { bceWithLogitsLoss, crossEntropyLoss, type Module, mseLoss } from "../../../src/nn/index.ts";
import { type HostArray, sizeOf } from "../../../src/host/array.ts";
import { type Adapter, type Adapters, type Case, NotCovered, wave } from "../format.ts";
import { device } from "../device.ts";
import { summary } from "../network_case.ts";
import { losses, options as lossOptions } from "./monai_losses.ts";
import { makers } from "./networks.ts";
import { makeOptimizer } from "./optim.ts";

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

/** `{ DiceLoss: { options } }` of MONAI, or of PyTorch; class indices have no channel axis there. */
function lossOf(named: Record<string, any>, dev: Device): (output: Tensor, label: Tensor) => Tensor {
  const [name, args = {}] = Object.entries(named)[0];
  const settings = lossOptions(args ?? {});
  const monai = losses[name];
  if (monai) return (output, label) => monai(output, label, settings, { args, inputs: {} } as unknown as Case, dev);
  if (name === "CrossEntropyLoss") {
    const weight = settings.weight && dev.tensor({ data: settings.weight, shape: [settings.weight.length] });
    return (output, label) => {
      const indices = cast(reshape(label, label.shape.toSpliced(1, 1)), "i32");
      return crossEntropyLoss(output, indices, { ...settings, weight });
    };
  }
  if (name === "BCEWithLogitsLoss") return (output, label) => bceWithLogitsLoss(output, label, settings);
  if (name === "MSELoss") return (output, label) => mseLoss(output, label, settings);
  throw new NotCovered(`the loss ${name}`);
}

/** `train.UNet2d+…`: the network's class is in the name of the case. */
function networkOf(op: string, dev: Device, args: Record<string, any>): Module {
  const name = /^train\.(\w+?)(?:[123]d)?\+/i.exec(op)?.[1] ?? "";
  const make = makers[`nets.${name}`];
  if (!make) throw new NotCovered(`the network ${name}`);
  return make(dev, args);
}

const known = new Set(["net", "loss", "optimizer", "batch", "spatial", "steps", "clip_grad_norm", "clip_grad_value"]);

const training: Adapter = async ({ op, args, inputs, expected }) => {
  const other = Object.keys(args).find((k) => !known.has(k));
  if (other) throw new NotCovered(`option ${other}`);
  const dev = await device();
  const net = networkOf(op, dev, args.net);
  net.loadStateDict(new Map(inputs.weights.map((w: any) => [w.name, wave(w)])));
  net.train(true);
  const parameters = net.parameters();
  const { name, clip_grad_norm: clipNorm, clip_grad_value: clipValue, ...hyper } = { ...args, ...args.optimizer };
  for (const key of known) delete hyper[key];
  const optimizer = makeOptimizer(name, parameters, hyper);
  const loss = lossOf(args.loss, dev);
  const per_step = [];
  for (let k = 0; k < args.steps; k++) {
    const { x, y } = disc(k, args.batch, args.net.in_channels, args.spatial);
    const value = loss(net.forward(dev.tensor(x)), dev.tensor(y));
    const gradients = grad(value, parameters);
    const squares = await Promise.all(gradients.map((g) => sum(square(g)).item()));
    optimizer.step(gradients, { clipNorm, clipValue });
    per_step.push({ loss: await value.item(), grad_norm: Math.sqrt(squares.reduce((a, b) => a + b, 0)) });
  }
  const state = await net.stateDict();
  const final_params = Object.fromEntries(
    Object.entries(expected.final_params).map(([key, like]) => [key, summary(state.get(key)!, like)]),
  );
  optimizer.dispose();
  net.dispose();
  return { per_step, final_params };
};

export const adapters: Adapters = { "train.*": training };
