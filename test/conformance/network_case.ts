/** @file What the cases of networks ask for: outputs, gradients and buffers on formula weights, or names, counts and shapes. */
import { add, grad, mean, mul, type Device, type Tensor } from "../../src/index.ts";
import { ConfigError } from "../../src/host/errors.ts";
import type { Module } from "../../src/nn/index.ts";
import type { HostArray } from "../../src/host/array.ts";
import { Plan } from "../../src/tensor/plan.ts";
import { wave, type Adapter, type Case } from "./format.ts";

/** Makes the network of a case. */
export type Make = (device: Device, test: Case) => Module;
/** Its outputs; by default the one of `forward`. */
export type Outputs = (net: any, x: Tensor, test: Case) => Tensor[];

const host = async (t: Tensor): Promise<HostArray> => ({ data: await t.data(), shape: t.shape });
const norm = ({ data }: HostArray) => Math.sqrt(Array.from(data as Float32Array).reduce((s, v) => s + v * v, 0));

/** The figures of an array that the case file has of its own, or the array where the case has it whole. */
export function summary({ data, shape }: HostArray, like: any): Record<string, unknown> | HostArray {
  if (ArrayBuffer.isView(like?.data)) return { data, shape };
  const values = Array.from(data as Float32Array);
  return {
    shape: [...shape],
    sum: values.reduce((a, b) => a + b, 0),
    abs_sum: values.reduce((a, b) => a + Math.abs(b), 0),
    min: values.reduce((a, b) => Math.min(a, b), Infinity),
    max: values.reduce((a, b) => Math.max(a, b), -Infinity),
    ...(like.samples && { samples: like.samples.map(([i]: [number]) => [i, values[i]]) }),
    ...(like.full ? { full: { data, shape } } : {}),
  };
}

/** Whether the loss depends on a parameter. */
function reaches(loss: Tensor, parameter: Tensor): boolean {
  try {
    grad(loss, [parameter]);
    return true;
  } catch (error) {
    if (error instanceof ConfigError) return false;
    throw error;
  }
}

/** PyTorch has None where a parameter is not used; here that may be a gradient of zeros. */
const normLike = (value: number, like: number | null) => (like === null && value === 0 ? null : value);

/** Weights by name: of formulas or arrays in a list, of arrays in a record, or among the inputs. */
function weightsOf(inputs: Case["inputs"], x: HostArray): Map<string, HostArray> {
  const { weights } = inputs;
  if (Array.isArray(weights)) return new Map(weights.map((w) => [w.name, ArrayBuffer.isView(w.data) ? w : wave(w)]));
  const arrays = Object.entries<HostArray>(weights ?? inputs).filter(([, v]) => ArrayBuffer.isView(v?.data) && v !== x);
  return new Map(arrays);
}

/** Entries of a list of pairs or of a record, each replaced; the same form is given back. */
async function eachOf(entries: any, value: (name: string, like: any) => unknown): Promise<unknown> {
  const list: [string, any][] = Array.isArray(entries) ? entries : Object.entries(entries);
  const done = await Promise.all(list.map(async ([name, like]) => [name, await value(name, like)] as const));
  return Array.isArray(entries) ? done : Object.fromEntries(done);
}

/** Outputs, probe loss, gradients and buffers of a network with formula weights. */
export function numericNetwork(
  open: () => Promise<Device>,
  make: Make,
  outputs: Outputs = (net, x) => [net.forward(x)],
): Adapter {
  return async (test) => {
    const { args, inputs, expected } = test;
    const dev = await open();
    const net = make(dev, test);
    const given: HostArray = inputs.x ?? inputs.input ?? inputs.input_tensor;
    net.loadStateDict(weightsOf(inputs, given));
    net.train((inputs.mode ?? args.mode) === "train");
    const x = dev.tensor(given);
    x.requiresGrad = true;
    const outs = outputs(net, x, test);
    const probe = (t: Tensor) => mean(mul(t, dev.tensor(wave({ shape: [...t.shape], a: 1, b: 0.53, c: 1, d: 0 }))));
    const loss = outs.map(probe).reduce(add);
    const named = new Map(net.namedParameters());
    const norms: [string, number | null][] = Array.isArray(expected.grad_norms)
      ? expected.grad_norms
      : Object.entries(expected.grad_norms ?? {});
    const used = norms.flatMap(([name, like]) => (like !== null || reaches(loss, named.get(name)!) ? [name] : []));
    const [dx, ...rest] = grad(loss, [x, ...used.map((name) => named.get(name)!)]);
    const gradients = new Map(used.map((name, i) => [name, rest[i]]));
    const tensors = new Map(net.namedTensors());
    const [out] = outs;
    const result = {
      ...(expected.outputs && {
        outputs: await Promise.all(outs.map(async (t, i) => summary(await host(t), expected.outputs[i]))),
      }),
      ...(expected.out && { out: summary(await host(out), expected.out) }),
      ...(expected.output && { output: summary(await host(out), expected.output) }),
      probe_loss: await loss.item(),
      ...(expected.grad_input && { grad_input: summary(await host(dx), expected.grad_input) }),
      ...(expected.grad_norms && {
        grad_norms: await eachOf(expected.grad_norms, async (name, like) =>
          gradients.has(name) ? normLike(norm(await host(gradients.get(name)!)), like) : null,
        ),
      }),
      ...(expected.buffers_after && {
        buffers_after: await eachOf(expected.buffers_after, async (name, like) => summary(await host(tensors.get(name)!), like)),
      }),
    };
    const bare = ArrayBuffer.isView(expected.data) ? await host(out) : undefined;
    net.dispose();
    return bare ?? result;
  };
}

/** Whichever the case asks for: numbers of a network that is run, or a description of one. */
export function anyNetwork(open: () => Promise<Device>, make: Make, outputs?: Outputs): Adapter {
  const [numeric, described] = [numericNetwork(open, make, outputs), describedNetwork(open, make)];
  return (test, context) => {
    const runs = test.inputs.weights ?? test.inputs.x ?? test.inputs.input ?? test.inputs.input_tensor;
    return (runs === undefined || test.inputs.input_shape ? described : numeric)(test, context);
  };
}

/** Names, parameter count and output shape, without running anything. */
export function describedNetwork(open: () => Promise<Device>, make: Make): Adapter {
  return async (test) => {
    const dev = await open();
    const net = make(dev, test);
    // Upstream's own tests of shapes evaluate, but for networks that stack their outputs in training.
    const stacked = test.expected.output_shape?.length > (test.inputs.input_shape ?? test.inputs.x.shape).length;
    net.train((test.inputs.mode ?? test.args.mode) === "train" || stacked);
    const plan = new Plan(dev, [dev.empty(test.inputs.input_shape ?? test.inputs.x.shape)], (x) => net.forward(x));
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
