/** @file MONAI's networks and blocks, and short training runs, on the GPU. */
import { grad, openDevice, square, sum, type Device } from "../../../src/index.ts";
import { Adam, Convolution, diceLoss, type Module, ResidualUnit, SubpixelUpsample, UpSample } from "../../../src/nn/index.ts";
import {
  AttentionUnet,
  BasicUNet,
  DynUNet,
  SegResNet,
  UNet,
  UnetBasicBlock,
  UnetOutBlock,
  UnetResBlock,
  VNet,
} from "../../../src/seg/index.ts";
import { type HostArray, sizeOf } from "../../../src/tensor/host.ts";
import { NotCovered, wave, type Adapter, type Adapters } from "../format.ts";
import { describedNetwork, numericNetwork, summary, type Make } from "../network_case.ts";

let opened: Promise<Device> | undefined;
const device = () => (opened ??= openDevice());
export const close = async () => (await opened)?.close();

const camel = (name: string) => name.replace(/_(\w)/g, (_, c: string) => c.toUpperCase());

/** Where upstream's None means something else than its default. */
const nullable = new Set(["act", "norm", "dropoutProbDown", "preConv"]);

/** Upstream options to voxgrad's: camelCase names, also inside `[name, options]`; a class stands for its name. */
function options(args: Record<string, any>): Record<string, any> {
  const inner = (v: any): any => {
    if (Array.isArray(v)) return v.map(inner);
    if (ArrayBuffer.isView(v?.data)) return v.shape.length === 0 ? v.data[0] : Array.from(v.data as Float32Array);
    if (typeof v === "string") return /(?:^<class '|^)torch\.nn\.(?:\w+\.)*(\w+)/.exec(v)?.[1] ?? v;
    return typeof v === "object" && v !== null ? options(v) : v;
  };
  const entries = Object.entries(args).map(([k, v]) => [camel(k), inner(v)] as const);
  return Object.fromEntries(entries.filter(([k, v]) => v !== null || nullable.has(k)));
}

/** SegResNet has its group norm under two deprecated names too. */
function segResNetOptions({ norm_name: name, num_groups: numGroups = 8, ...args }: Record<string, any>): Record<string, any> {
  return options(name ? { ...args, norm: [name, name.toLowerCase() === "group" ? { num_groups: numGroups } : {}] } : args);
}

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

const makers: Record<string, (dev: Device, args: Record<string, any>) => Module> = {
  "nets.AttentionUnet": (dev, args) => new AttentionUnet(dev, options(args) as any),
  "nets.BasicUNet": (dev, args) => new BasicUNet(dev, options(args)),
  "nets.DynUNet": (dev, args) => new DynUNet(dev, options(args) as any),
  "nets.SegResNet": (dev, args) => new SegResNet(dev, segResNetOptions(args)),
  "nets.UNet": (dev, args) => new UNet(dev, options(args) as any),
  "nets.VNet": (dev, args) => new VNet(dev, options(args)),
  "blocks.Convolution": (dev, args) => new Convolution(dev, options(args) as any),
  "blocks.ResidualUnit": (dev, args) => new ResidualUnit(dev, options(args) as any),
  "blocks.SubpixelUpsample": (dev, args) => new SubpixelUpsample(dev, options(args) as any),
  "blocks.UpSample": (dev, args) => new UpSample(dev, options(args) as any),
  "blocks.UnetBasicBlock": (dev, args) => new UnetBasicBlock(dev, options(args) as any),
  "blocks.UnetOutBlock": (dev, args) => new UnetOutBlock(dev, options(args) as any),
  "blocks.UnetResBlock": (dev, args) => new UnetResBlock(dev, options(args) as any),
};

const networks = Object.entries(makers).flatMap(([name, maker]) => {
  const make: Make = (dev, { args }) => maker(dev, args);
  const op = `monai.networks.${name}`;
  return [
    [op, describedNetwork(device, make)],
    [`${op}.numeric`, numericNetwork(device, make)],
  ] as const;
});

export const adapters: Adapters = {
  ...Object.fromEntries(networks),
  "train.UNet2d+DiceLoss(sigmoid)+Adam": training,
};
