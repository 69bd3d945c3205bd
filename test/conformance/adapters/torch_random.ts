/** @file PyTorch's generator, and the initial weights that its layers draw from it. */
import { type Device, TorchGenerator } from "../../../src/index.ts";
import { BatchNorm, Conv, ConvTranspose, Linear, manualSeed, type Module } from "../../../src/nn/index.ts";
import { type Adapter, type Adapters, type Case, expectKnown, NotCovered } from "../format.ts";
import { device } from "../device.ts";

/** Draws `rand(4)`, `randint(0,10,(6,))` and the like; sizes of several axes are drawn flat. */
function draw(g: TorchGenerator, call: string): ArrayLike<number> {
  const [, name, inner] = /^(?:torch\.)?(\w+)\((.*)\)$/.exec(call.replaceAll(" ", "")) ?? [];
  const [, sizes] = /\(([\d,]*)\)$/.exec(inner ?? "") ?? [];
  const numbers = (text: string) => text.split(",").flatMap((t) => (t === "" ? [] : [Number(t)]));
  const count = (list: number[]) => list.reduce((a, b) => a * b, 1);
  const leading = numbers((inner ?? "").replace(/\([\d,]*\)$/, ""));
  if (leading.some(Number.isNaN)) throw new NotCovered(`the draw ${call}`);
  if (name === "rand" || name === "randn") return g[name](count(sizes === undefined ? leading : numbers(sizes)));
  if (name === "randperm") return g.randperm(leading[0]);
  if (name === "randint" && sizes !== undefined)
    return g.randint(leading.length > 1 ? leading[0] : 0, leading.at(-1)!, count(numbers(sizes)));
  throw new NotCovered(`the draw ${call}`);
}

/** The results are named in the order of the calls. */
function sequence({ args, expected }: Case): unknown {
  const g = new TorchGenerator(args.seed);
  const names = Object.keys(expected);
  return Object.fromEntries(
    (args.order as string[]).map((call, i) => {
      const data = draw(g, call);
      const like = expected[names[i]];
      return [names[i], like?.shape ? { data, shape: like.shape } : data];
    }),
  );
}

const known = (
  "seed in in_channels in_features out out_channels out_features k kernel kernel_size groups bias stride padding dilation " +
  "num_features features"
).split(" ");

/** Weight and bias as the layer makes them; stride, padding and dilation say nothing about them. */
const initial =
  (make: (dev: Device, args: Record<string, any>) => Module): Adapter =>
  async ({ op, args, expected }) => {
    expectKnown(op, args, known);
    const dev = await device();
    manualSeed(args.seed);
    const layer = make(dev, args);
    const state = await layer.stateDict();
    layer.dispose();
    return Object.fromEntries(Object.keys(expected).map((name) => [name, state.get(name)]));
  };

const pick = (args: Record<string, any>, ...names: string[]) =>
  names.map((n) => args[n]).find((v) => v !== undefined && v !== null);

const channels = (args: Record<string, any>) => ({
  inChannels: pick(args, "in", "in_channels"),
  outChannels: pick(args, "out", "out_channels"),
  kernelSize: pick(args, "k", "kernel_size", "kernel"),
  groups: args.groups ?? 1,
  bias: args.bias ?? true,
});

const layers = ([1, 2, 3] as const).flatMap((spatialDims) => [
  [`torch.Conv${spatialDims}d.default_init`, initial((dev, args) => new Conv(dev, { spatialDims, ...channels(args) }))] as const,
  [
    `torch.ConvTranspose${spatialDims}d.default_init`,
    initial((dev, args) => new ConvTranspose(dev, { spatialDims, ...channels(args) })),
  ] as const,
  [
    `torch.BatchNorm${spatialDims}d.default_init`,
    initial((dev, args) => new BatchNorm(dev, pick(args, "num_features", "features", "in"))),
  ] as const,
]);

export const adapters: Adapters = {
  "torch.generator.sequence": sequence,
  ...Object.fromEntries(layers),
  "torch.Linear.default_init": initial(
    (dev, args) =>
      new Linear(dev, {
        inFeatures: pick(args, "in", "in_features"),
        outFeatures: pick(args, "out", "out_features"),
        bias: args.bias ?? true,
      }),
  ),
};
