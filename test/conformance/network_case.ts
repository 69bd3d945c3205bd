/** @file What the cases of networks ask for: outputs, gradients and buffers on formula weights, or names, counts and shapes. */
import { add, grad, mean, mul, type Device, type Tensor } from "../../src/index.ts";
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

/** The figures of an array that the case file has of its own. */
export function summary({ data, shape }: HostArray, like: any): Record<string, unknown> {
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

/** PyTorch has None where a parameter is not used; here that is a gradient of zeros. */
const normLike = (value: number, like: number | null) => (like === null && value === 0 ? null : value);

/** Outputs, probe loss, gradients and buffers of a network with formula weights. */
export function numericNetwork(
  open: () => Promise<Device>,
  make: Make,
  outputs: Outputs = (net, x) => [net.forward(x)],
): Adapter {
  return async (test) => {
    const { inputs, expected } = test;
    const dev = await open();
    const net = make(dev, test);
    net.loadStateDict(new Map(inputs.weights.map((w: any) => [w.name, wave(w)])));
    net.train(inputs.mode === "train");
    const x = dev.tensor(inputs.x);
    x.requiresGrad = true;
    const outs = outputs(net, x, test);
    const probe = (t: Tensor) => mean(mul(t, dev.tensor(wave({ shape: [...t.shape], a: 1, b: 0.53, c: 1, d: 0 }))));
    const loss = outs.map(probe).reduce(add);
    const named = new Map(net.namedParameters());
    const norms: [string, number | null][] = expected.grad_norms ?? [];
    const [dx, ...rest] = grad(loss, [x, ...norms.map(([n]) => named.get(n)!)]);
    const tensors = new Map(net.namedTensors());
    const result = {
      outputs: await Promise.all(outs.map(async (t, i) => summary(await host(t), expected.outputs[i]))),
      probe_loss: await loss.item(),
      ...(expected.grad_input && { grad_input: summary(await host(dx), expected.grad_input) }),
      grad_norms: await Promise.all(rest.map(async (g, i) => [norms[i][0], normLike(norm(await host(g)), norms[i][1])])),
      ...(expected.buffers_after && {
        buffers_after: await Promise.all(
          expected.buffers_after.map(async ([name, like]: [string, any]) => [
            name,
            summary(await host(tensors.get(name)!), like),
          ]),
        ),
      }),
    };
    net.dispose();
    return result;
  };
}

/** Names, parameter count and output shape, without running anything. */
export function describedNetwork(open: () => Promise<Device>, make: Make): Adapter {
  return async (test) => {
    const dev = await open();
    const net = make(dev, test);
    net.train(test.inputs.mode === "train"); // upstream's own tests of shapes evaluate
    const plan = new Plan(dev, [dev.empty(test.inputs.input_shape)], (x) => net.forward(x));
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
