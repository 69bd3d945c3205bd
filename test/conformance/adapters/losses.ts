/** @file PyTorch's losses, convolutions, PReLU and batch norm, with gradients, on the GPU. */
import {
  batchNorm,
  conv,
  convTranspose,
  grad,
  instanceNorm,
  mul,
  openDevice,
  prelu,
  sum,
  type Device,
  type DType,
  type Tensor,
} from "../../../src/index.ts";
import { bceWithLogits, crossEntropy } from "../../../src/nn/index.ts";
import type { HostArray } from "../../../src/tensor/host.ts";
import { NotCovered, wave, type Adapter, type Adapters, type Case } from "../format.ts";

let opened: Promise<Device> | undefined;
const device = () => (opened ??= openDevice());
export const close = async () => (await opened)?.close();

const host = async (t: Tensor): Promise<HostArray> => ({ data: await t.data(), shape: t.shape });

/** A list of the case file as a tensor; lists stand for vectors. */
const upload = (dev: Device, value: HostArray | number[]): Tensor => {
  const array = Array.isArray(value) ? { data: value, shape: [value.length] } : value;
  const dtype: DType = array.data instanceof Int32Array ? "i32" : "f32";
  return dev.tensor(array, dtype);
};

type Tensors = Readonly<Record<string, Tensor>>;
type Forward = (inputs: Tensors, args: Case["args"]) => Tensor;

interface Options {
  /** Vectors among the arguments that are inputs too. */
  readonly vectors?: readonly string[];
  /** Gradients are of Σ out instead of Σ out · wave(1, 0.53, 1, 0). */
  readonly plain?: boolean;
}

/** The result and the gradients that the case asks for. */
async function run(forward: Forward, { args, inputs, expected }: Case, { vectors = [], plain = false }: Options = {}) {
  const dev = await device();
  const given = [...Object.entries(inputs), ...vectors.filter((name) => args[name]).map((name) => [name, args[name]] as const)];
  const tensors: Tensors = Object.fromEntries(given.map(([name, value]) => [name, upload(dev, value)]));
  const names = Object.keys(expected.grads ?? {});
  for (const name of names) tensors[name].requiresGrad = true;
  const out = forward(tensors, args);
  const probe = wave({ shape: [...out.shape], a: 1, b: 0.53, c: 1, d: 0 });
  const gradients = grad(
    sum(plain ? out : mul(out, dev.tensor(probe))),
    names.map((name) => tensors[name]),
  );
  const grads = Object.fromEntries(await Promise.all(names.map(async (name, i) => [name, await host(gradients[i])] as const)));
  return { tensors, result: { out: await host(out), grads } };
}

const op =
  (forward: Forward, options?: Options): Adapter =>
  async (test) =>
    (await run(forward, test, options)).result;

const convolution: Forward = ({ x, w, b }, { stride = 1, padding = 0, dilation = 1, groups = 1 }) =>
  conv(x, w, b, { stride, padding, dilation, groups });

const transposed: Forward = ({ x, w, b }, { stride, padding, output_padding, dilation = 1, groups = 1 }) =>
  convTranspose(x, w, b, { stride, padding, dilation, groups, outputPadding: output_padding });

const normalise: Adapter = async (test) => {
  const { args } = test;
  if (!args.training) throw new NotCovered("batch norm in evaluation is a layer");
  const forward: Forward = ({ x, weight, bias, running_mean, running_var }) =>
    batchNorm(x, weight, bias, { mean: running_mean, var: running_var, momentum: args.momentum }, { eps: args.eps });
  const { tensors, result } = await run(forward, test, { vectors: ["weight", "bias", "running_mean", "running_var"] });
  return { ...result, running_mean: await host(tensors.running_mean), running_var: await host(tensors.running_var) };
};

/** What PyTorch refuses, by name. */
const refused: Record<string, (dev: Device) => Tensor> = {
  instance_norm_1elem_train: (dev) => instanceNorm(dev.tensor({ data: new Float32Array(3), shape: [1, 3, 1, 1] })),
};

export const adapters: Adapters = {
  "op.cross_entropy": op(
    ({ input, target, weight }, { ignore_index, label_smoothing, reduction }) =>
      crossEntropy(input, target, { weight, ignoreIndex: ignore_index, labelSmoothing: label_smoothing, reduction }),
    { vectors: ["weight"], plain: true },
  ),
  "op.bce_with_logits": op(({ input, target, pos_weight }) => bceWithLogits(input, target, { posWeight: pos_weight }), {
    vectors: ["pos_weight"],
    plain: true,
  }),
  "op.prelu": op(({ x, w }) => prelu(x, w)),
  "op.conv2d": op(convolution),
  "op.conv3d": op(convolution),
  "op.conv_transpose2d": op(transposed),
  "op.batch_norm": normalise,
  "op.error": async ({ args }) => {
    const call = refused[args.case];
    if (!call) throw new NotCovered(`the error case ${args.case}`);
    return host(call(await device()));
  },
};
