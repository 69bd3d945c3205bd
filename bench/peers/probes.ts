/** @file Small work whose result is known, where libraries have gone wrong: long sums, spreads on a large offset, extreme logits, large tensors. */

import { convReference, type Samples } from "./reference.ts";
import { type ConvTask, type ProbeTask, product, type Task, uniform, type Values } from "./tasks.ts";

export interface Probe {
  readonly title: string;
  readonly task: ConvTask | ProbeTask;
  /** Largest error that counts as right. */
  readonly bar: number;
  /** Errors are relative to the largest sample, but absolute for probabilities. */
  readonly absolute?: true;
}

// 144 MiB: more than the 128 MiB that WebGPU guarantees, and lavapipe grants, for one binding.
const large = [1, 9, 2048, 2048];

const convolution = (name: string, size: readonly number[]): ConvTask => {
  const [inChannels, outChannels] = size.length === 2 ? [8, 16] : [4, 8];
  return { kind: "conv", name, gradients: true, samples: 1, inChannels, outChannels, size, taps: 3 };
};
const probe = (op: ProbeTask["op"], shape: readonly number[], values: ProbeTask["values"], name: string = op): ProbeTask => ({
  kind: "probe",
  name,
  op,
  shape,
  values,
});

export const probes: readonly Probe[] = [
  { title: "conv2d weight gradient, 8→16×256² k3", task: convolution("dw-256", [256, 256]), bar: 1e-4 },
  { title: "conv3d weight gradient, 4→8×64³ k3", task: convolution("dw-64", [64, 64, 64]), bar: 1e-4 },
  { title: "sum of 16,777,216 uniform values in [0, 1)", task: probe("sum", [16384, 1024], "uniform"), bar: 1e-6 },
  { title: "mean of 25,165,824 threes", task: probe("mean", [24576, 1024], "threes"), bar: 1e-6 },
  {
    title: "variance of 4,194,304 CT-like values, mean 10⁴, deviation 1",
    task: probe("variance", [4096, 1024], "ct"),
    bar: 1e-4,
  },
  { title: "softmax of logits at ±10⁴", task: probe("softmax", [64, 8], "far"), bar: 1e-6, absolute: true },
  { title: "relu of 144 MiB", task: probe("relu", large, "uniform", "large-relu"), bar: 1e-6 },
  { title: "sum of 144 MiB", task: probe("sum", large, "uniform", "large-sum"), bar: 1e-6 },
  { title: "conv2d forward of 144 MiB, 9→9×2048² k3", task: probe("conv", large, "uniform", "large-conv"), bar: 1e-5 },
];

/** As small work that only tries the set-up. */
export const tinyProbes: readonly Probe[] = probes.map((p) => {
  const { task } = p;
  if (task.kind === "conv") return { ...p, task: { ...task, size: task.size.map(() => 12) } };
  if (task.op === "softmax") return p;
  return { ...p, task: { ...task, shape: task.shape.length > 2 ? [1, 3, 16, 20] : [64, 32] } };
});

export function probeData({ op, shape, values }: ProbeTask): { x: Values; weight: Values } {
  const [channels] = shape.slice(1);
  const weight = op === "conv" ? uniform(2, [channels, channels, 3, 3], 0.1) : uniform(2, [1]);
  if (values === "threes") return { x: { shape, data: new Float32Array(product(shape)).fill(3) }, weight };
  const x = uniform(1, shape);
  const { data } = x;
  if (values === "far") {
    const logits = [1e4, -1e4, 0, 9999, -9999.5, 1e4, 80, -90, 9999.5, -1e4, 1e4];
    data.forEach((_, i) => (data[i] = logits[(i * 7 + (i >> 3)) % logits.length]));
  } else if (values === "ct") {
    // Three uniform numbers have a variance of 1/4.
    const [b, c] = [uniform(5, shape).data, uniform(6, shape).data];
    for (let i = 0; i < data.length; i++) data[i] = 1e4 + 2 * (data[i] + b[i] + c[i]);
  } else if (op === "sum") for (let i = 0; i < data.length; i++) data[i] += 0.5;
  return { x, weight };
}

/** Samples of each result in float64, by its name. */
export function probeReference(task: Exclude<Task, { kind: "matmul" | "unet" }>): Record<string, Samples> {
  if (task.kind === "conv") return { dw: convReference(task).dw };
  const { op, shape } = task;
  const { x, weight } = probeData(task);
  const { data } = x;
  const all = (f: (v: number) => number) => {
    let total = 0;
    for (let i = 0; i < data.length; i++) total += f(data[i]);
    return total;
  };
  const scalar = (value: number): Record<string, Samples> => ({ y: { indices: [0], values: [value] } });
  const spread = (count: number) => Array.from({ length: count }, (_, i) => Math.floor((i * (data.length - 1)) / (count - 1)));
  switch (op) {
    case "sum":
      return scalar(all((v) => v));
    case "mean":
      return scalar(all((v) => v) / data.length);
    case "variance": {
      const mean = all((v) => v) / data.length;
      return scalar(all((v) => (v - mean) ** 2) / data.length);
    }
    case "relu": {
      const indices = spread(500);
      return { y: { indices, values: indices.map((i) => Math.max(0, data[i])) } };
    }
    case "softmax": {
      const indices = data.length > 0 ? [...data.keys()] : [];
      const classes = shape.at(-1)!;
      const values = indices.map((i) => {
        const row = data.subarray(i - (i % classes), i - (i % classes) + classes);
        const top = Math.max(...row);
        return Math.exp(data[i] - top) / row.reduce((sum, v) => sum + Math.exp(v - top), 0);
      });
      return { y: { indices, values } };
    }
    case "conv": {
      const [, channels, ...size] = shape;
      const forward: ConvTask = {
        kind: "conv",
        name: task.name,
        gradients: false,
        samples: 1,
        inChannels: channels,
        outChannels: channels,
        size,
        taps: 3,
      };
      return convReference(forward, { x, weight, dy: x });
    }
  }
}
