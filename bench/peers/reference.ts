/** @file What results should be: single elements computed in float64 from the definition. */

import { type ConvTask, convData, type MatmulTask, matmulData, product, uniform } from "./tasks.ts";

/** Elements of one result tensor, and their values. */
export interface Samples {
  readonly indices: readonly number[];
  readonly values: readonly number[];
}

const perTensor = 24;

/** Spread over the tensor, with both of its corners. */
function positions(seed: number, size: number): number[] {
  const inner = uniform(seed, [perTensor - 2]).data;
  return [0, ...Array.from(inner, (u) => Math.floor((u + 0.5) * size)), size - 1];
}

const sample = (seed: number, size: number, value: (index: number) => number): Samples => {
  const indices = positions(seed, size);
  return { indices, values: indices.map(value) };
};

/** Samples of each result of a task, by its name. */
export function reference(task: ConvTask | MatmulTask): Record<string, Samples> {
  if (task.kind === "matmul") {
    const n = task.size;
    const { a, b } = matmulData(task);
    const element = (index: number) => {
      let sum = 0;
      for (let k = 0; k < n; k++) sum += a.data[Math.floor(index / n) * n + k] * b.data[k * n + (index % n)];
      return sum;
    };
    return { y: sample(5, n * n, element) };
  }
  return convReference(task);
}

/** Sum over the pairs (output position, input position) that one tap connects; 2-D is depth 1. */
export function convReference(task: ConvTask, { x, weight, dy } = convData(task)): Record<string, Samples> {
  const { samples, inChannels: C, outChannels: K, gradients } = task;
  const pad = (list: readonly number[]) => [...new Array<number>(3 - list.length).fill(1), ...list];
  const size = pad(task.size);
  const taps = pad(task.size.map(() => task.taps));
  const area = product(size);
  const T = product(taps);
  const coordinates = (index: number, shape: readonly number[]) => [
    Math.floor(index / (shape[1] * shape[2])),
    Math.floor(index / shape[2]) % shape[1],
    index % shape[2],
  ];
  /** The position at `sign` times tap `t` from `p`, or −1 outside the image. */
  const shifted = (p: number, t: number, sign: number) => {
    const at = coordinates(p, size);
    const tap = coordinates(t, taps);
    let q = 0;
    for (let i = 0; i < 3; i++) {
      const v = at[i] + sign * (tap[i] - (taps[i] - 1) / 2);
      if (v < 0 || v >= size[i]) return -1;
      q = q * size[i] + v;
    }
    return q;
  };
  if (!gradients) {
    const element = (index: number) => {
      const n = Math.floor(index / (K * area));
      const k = Math.floor(index / area) % K;
      let sum = 0;
      for (let t = 0; t < T; t++) {
        const q = shifted(index % area, t, 1);
        if (q >= 0) for (let c = 0; c < C; c++) sum += x.data[(n * C + c) * area + q] * weight.data[(k * C + c) * T + t];
      }
      return sum;
    };
    return { y: sample(5, samples * K * area, element) };
  }
  const inputGradient = (index: number) => {
    const n = Math.floor(index / (C * area));
    const c = Math.floor(index / area) % C;
    let sum = 0;
    for (let t = 0; t < T; t++) {
      const p = shifted(index % area, t, -1);
      if (p >= 0) for (let k = 0; k < K; k++) sum += dy.data[(n * K + k) * area + p] * weight.data[(k * C + c) * T + t];
    }
    return sum;
  };
  const weightGradient = (index: number) => {
    const k = Math.floor(index / (C * T));
    const c = Math.floor(index / T) % C;
    let sum = 0;
    for (let p = 0; p < area; p++) {
      const q = shifted(p, index % T, 1);
      if (q >= 0) for (let n = 0; n < samples; n++) sum += x.data[(n * C + c) * area + q] * dy.data[(n * K + k) * area + p];
    }
    return sum;
  };
  return { dx: sample(5, samples * C * area, inputGradient), dw: sample(6, K * C * T, weightGradient) };
}
