/** @file MONAI's networks, blocks and Dice loss, and short training runs, on the GPU. */
import { grad, mean, mul, openDevice, square, sum, tanh, type Device, type Tensor } from "../../../src/index.ts";
import { Adam, Convolution, diceLoss, ResidualUnit, type DiceLossOptions, type Module } from "../../../src/nn/index.ts";
import { UNet } from "../../../src/seg/unet.ts";
import { Plan } from "../../../src/tensor/replay.ts";
import { type HostArray, sizeOf } from "../../../src/tensor/host.ts";
import { NotCovered, wave, type Adapter, type Adapters, type Case } from "../format.ts";

let opened: Promise<Device> | undefined;
const device = () => (opened ??= openDevice());
export const close = async () => (await opened)?.close();

type Make = (device: Device, options: any) => Module;

const camel = (name: string) => name.replace(/_(\w)/g, (_, c: string) => c.toUpperCase());

/** Upstream options to voxgrad's: camelCase names, also inside `[name, options]`. */
function options(args: Record<string, any>): Record<string, any> {
  const inner = (v: any): any => {
    if (Array.isArray(v)) return v.map(inner);
    if (ArrayBuffer.isView(v?.data)) return v.shape.length === 0 ? v.data[0] : Array.from(v.data as Float32Array);
    return typeof v === "object" && v !== null ? options(v) : v;
  };
  return Object.fromEntries(
    Object.entries(args).flatMap(([k, v]) => (v === null && k !== "act" && k !== "norm" ? [] : [[camel(k), inner(v)]])),
  );
}

function summary({ data, shape }: HostArray, like: any): Record<string, unknown> {
  const values = Array.from(data as Float32Array);
  return {
    shape: [...shape],
    sum: values.reduce((a, b) => a + b, 0),
    abs_sum: values.reduce((a, b) => a + Math.abs(b), 0),
    min: Math.min(...values),
    max: Math.max(...values),
    samples: like.samples.map(([i]: [number]) => [i, values[i]]),
    ...(like.full ? { full: { data, shape } } : {}),
  };
}

const host = async (t: Tensor): Promise<HostArray> => ({ data: await t.data(), shape: t.shape });
const norm = ({ data }: HostArray) => Math.sqrt(Array.from(data as Float32Array).reduce((s, v) => s + v * v, 0));

/** Output, probe loss and gradients of a network with formula weights. */
function numeric(make: Make): Adapter {
  return async ({ args, inputs, expected }: Case) => {
    const dev = await device();
    const net = make(dev, options(args));
    net.loadStateDict(new Map(inputs.weights.map((w: any) => [w.name, wave(w)])));
    net.train(inputs.mode === "train");
    const x = dev.tensor(inputs.x);
    x.requiresGrad = true;
    const out = net.forward(x);
    const probe = dev.tensor(wave({ shape: [...out.shape], a: 1, b: 0.53, c: 1, d: 0 }));
    const loss = mean(mul(out, probe));
    const named = new Map(net.namedParameters());
    const names: string[] = expected.grad_norms.map(([name]: [string]) => name);
    const [dx, ...rest] = grad(loss, [x, ...names.map((n) => named.get(n)!)]);
    const after = new Map(net.namedTensors());
    const result = {
      outputs: [summary(await host(out), expected.outputs[0])],
      probe_loss: await loss.item(),
      grad_input: summary(await host(dx), expected.grad_input),
      grad_norms: await Promise.all(rest.map(async (g, i) => [names[i], norm(await host(g))])),
      ...(expected.buffers_after && {
        buffers_after: await Promise.all(
          expected.buffers_after.map(async ([name, like]: [string, any]) => [name, summary(await host(after.get(name)!), like)]),
        ),
      }),
    };
    net.dispose();
    return result;
  };
}

/** Names, parameter count and output shape, without running anything. */
function described(make: Make): Adapter {
  return async ({ args, inputs }: Case) => {
    const dev = await device();
    const net = make(dev, options(args));
    const plan = new Plan(dev, [dev.empty(inputs.input_shape)], (x) => net.forward(x));
    const result = {
      output_shape: [...plan.result.shape],
      num_parameters: net.parameterCount,
      state_dict: [...net.namedTensors()].map(([name, t]) => [name, [...t.shape]]),
    };
    plan.dispose();
    net.dispose();
    return result;
  };
}

const functions: Record<string, (x: Tensor) => Tensor> = { tanh };

const dice: Adapter = async ({ args, inputs }) => {
  const dev = await device();
  const { otherAct: _, ...rest } = options(args);
  const chosen = args.other_act ? functions[args.other_act.name ?? "tanh"] : undefined;
  if (args.other_act && !chosen) throw new NotCovered("another activation function");
  const loss = diceLoss(dev.tensor(inputs.input), dev.tensor(inputs.target), {
    ...rest,
    ...(chosen ? { otherAct: chosen } : {}),
  } as DiceLossOptions);
  return host(loss);
};

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

const training: Adapter = async ({ args, inputs, expected }) => {
  if (args.optimizer.name !== "Adam" || !args.loss.DiceLoss) throw new NotCovered("another optimiser or loss");
  const dev = await device();
  const net = new UNet(dev, options(args.net) as never);
  net.loadStateDict(new Map(inputs.weights.map((w: any) => [w.name, wave(w)])));
  const parameters = net.parameters();
  const { name: _, ...hyper } = args.optimizer;
  const adam = new Adam(parameters, options(hyper));
  const per_step = [];
  for (let k = 0; k < args.steps; k++) {
    const { x, y } = disc(k, args.batch, args.net.in_channels, args.spatial);
    const loss = diceLoss(net.forward(dev.tensor(x)), dev.tensor(y), options(args.loss.DiceLoss));
    const gradients = grad(loss, parameters);
    const squares = await Promise.all(gradients.map((g) => sum(square(g)).item()));
    adam.step(gradients);
    per_step.push({ loss: await loss.item(), grad_norm: Math.sqrt(squares.reduce((a, b) => a + b, 0)) });
  }
  const state = await net.stateDict();
  const final_params = Object.fromEntries(
    Object.entries(expected.final_params).map(([name, like]) => [name, summary(state.get(name)!, like)]),
  );
  adam.dispose();
  net.dispose();
  return { per_step, final_params };
};

const unet: Make = (dev, o) => new UNet(dev, o);

export const adapters: Adapters = {
  "monai.networks.nets.UNet": described(unet),
  "monai.networks.nets.UNet.numeric": numeric(unet),
  "monai.networks.blocks.Convolution.numeric": numeric((dev, o) => new Convolution(dev, o)),
  "monai.networks.blocks.ResidualUnit.numeric": numeric((dev, o) => new ResidualUnit(dev, o)),
  "monai.losses.DiceLoss": dice,
  "train.UNet2d+DiceLoss(sigmoid)+Adam": training,
};
