/** @file What every engine is asked to do: shapes, deterministic host data in PyTorch's layout (channels first), operation counts. */

/** Convolution of stride 1 and "same" padding: forward, or the gradients of input and weight without the forward pass. */
export interface ConvTask {
  readonly kind: "conv";
  readonly name: string;
  readonly gradients: boolean;
  readonly samples: number;
  readonly inChannels: number;
  readonly outChannels: number;
  readonly size: readonly number[];
  readonly taps: number;
}

export interface MatmulTask {
  readonly kind: "matmul";
  readonly name: string;
  readonly size: number;
}

/**
 * A training step of a UNet: per level two convolutions (3, bias, ReLU), max pool 2 down, transposed convolution (2, stride 2) up, the skip
 * before it in the concatenation, a 1×1 head of two classes, mean cross-entropy, SGD.
 */
export interface UnetTask {
  readonly kind: "unet";
  readonly name: string;
  readonly dims: 2 | 3;
  readonly samples: number;
  readonly size: number;
  readonly channels: readonly number[];
  readonly lr: number;
  /** Before each of the first updates in float64, by unet_reference.ts, which needs a minute or two; `--reference` computes them anew. */
  readonly losses?: readonly number[];
}

/** What is timed; the rest is for correctness alone. */
export interface ProbeTask {
  readonly kind: "probe";
  readonly name: string;
  readonly op: "sum" | "mean" | "variance" | "softmax" | "relu" | "conv";
  /** Softmax is over the last axis; a convolution is 3×3 with zeros around, as many channels out as in. */
  readonly shape: readonly number[];
  readonly values: "uniform" | "threes" | "ct" | "far";
}

export type BenchTask = ConvTask | MatmulTask | UnetTask;

export type Task = BenchTask | ProbeTask;

export interface Values {
  readonly data: Float32Array;
  readonly shape: readonly number[];
}

/** The tasks; `tiny` has the same ones at sizes that only try the set-up. */
export function tasks(tiny: boolean): BenchTask[] {
  const conv2d = {
    kind: "conv",
    samples: tiny ? 2 : 4,
    inChannels: tiny ? 4 : 32,
    outChannels: tiny ? 8 : 64,
    size: tiny ? [12, 16] : [128, 128],
    taps: 3,
  } as const;
  const conv3d = {
    kind: "conv",
    samples: 1,
    inChannels: tiny ? 4 : 16,
    outChannels: tiny ? 8 : 32,
    size: tiny ? [8, 10, 12] : [48, 48, 48],
    taps: 3,
  } as const;
  return [
    { ...conv2d, name: "conv2d", gradients: false },
    { ...conv2d, name: "conv2d-grad", gradients: true },
    { ...conv3d, name: "conv3d", gradients: false },
    { ...conv3d, name: "conv3d-grad", gradients: true },
    { kind: "matmul", name: "matmul", size: tiny ? 64 : 1024 },
    tiny
      ? { kind: "unet", name: "unet2d", dims: 2, samples: 2, size: 16, channels: [4, 8, 12, 16], lr: 0.1 }
      : {
          kind: "unet",
          name: "unet2d",
          dims: 2,
          samples: 4,
          size: 128,
          channels: [16, 32, 64, 128],
          lr: 0.1,
          losses: [1.232889253821651, 0.9827215118465736, 0.6921922279380565],
        },
    tiny
      ? { kind: "unet", name: "unet3d", dims: 3, samples: 1, size: 8, channels: [4, 8, 12], lr: 0.1 }
      : {
          kind: "unet",
          name: "unet3d",
          dims: 3,
          samples: 1,
          size: 32,
          channels: [8, 16, 32],
          lr: 0.1,
          losses: [1.1189061433640357, 0.7334066523991651, 0.6946187306357511],
        },
  ];
}

/** One line for tables. */
export function describe(task: BenchTask): string {
  const square = (n: number, dims: number) => `${n}${dims === 2 ? "²" : "³"}`;
  switch (task.kind) {
    case "conv": {
      const name = `conv${task.size.length}d ${task.gradients ? "input and weight gradient" : "forward"}`;
      const size = new Set(task.size).size === 1 ? square(task.size[0], task.size.length) : task.size.join("×");
      return `${name}, ${task.samples}×${task.inChannels}→${task.outChannels}×${size} k${task.taps}`;
    }
    case "matmul":
      return `matmul ${square(task.size, 3)}`;
    case "unet":
      return `UNet${task.dims}D training step, N=${task.samples} ${square(task.size, task.dims)} (${task.channels.join("-")})`;
  }
}

/** Floating-point operations, a multiply-add as two; a training step counts its forward pass three times. */
export function flops(task: BenchTask): number {
  switch (task.kind) {
    case "conv": {
      const { samples, inChannels, outChannels, size, taps, gradients } = task;
      return (gradients ? 2 : 1) * 2 * samples * inChannels * outChannels * product(size) * taps ** size.length;
    }
    case "matmul":
      return 2 * task.size ** 3;
    case "unet": {
      const { dims, samples, channels } = task;
      let total = 0;
      const add = (weight: readonly number[], size: number) => (total += 2 * samples * product(weight) * size ** dims);
      const { encoder, decoder, head } = unet(task, ({ shape }) => shape);
      encoder.forEach((level, i) => level.forEach((c) => add(c.weight, task.size >> i)));
      decoder.forEach(({ up, convs }, j) => {
        const level = channels.length - 2 - j;
        add(up.weight, task.size >> (level + 1));
        convs.forEach((c) => add(c.weight, task.size >> level));
      });
      add(head.weight, task.size);
      return 3 * total;
    }
  }
}

export const product = (list: readonly number[]): number => list.reduce((a, b) => a * b, 1);

/** Uniform values in ±scale/2 that differ per seed (xorshift). */
export function uniform(seed: number, shape: readonly number[], scale = 1): Values {
  const data = new Float32Array(product(shape));
  let s = Math.imul(seed + 1, 0x9e3779b1) | 1;
  for (let i = 0; i < data.length; i++) {
    s ^= s << 13;
    s ^= s >>> 17;
    s ^= s << 5;
    data[i] = scale * ((s >>> 0) / 2 ** 32 - 0.5);
  }
  return { data, shape };
}

export function convData({ samples, inChannels, outChannels, size, taps }: ConvTask): { x: Values; weight: Values; dy: Values } {
  return {
    x: uniform(1, [samples, inChannels, ...size]),
    weight: uniform(2, [outChannels, inChannels, ...size.map(() => taps)], 0.1),
    dy: uniform(3, [samples, outChannels, ...size]),
  };
}

export function matmulData({ size }: MatmulTask): { a: Values; b: Values } {
  return { a: uniform(1, [size, size]), b: uniform(2, [size, size]) };
}

export interface Layer<T> {
  readonly weight: T;
  readonly bias: T;
}

export interface Unet<T> {
  /** Two convolutions per level, weights `[out, in, taps…]`. */
  readonly encoder: readonly (readonly Layer<T>[])[];
  /** From the lowest level up; `up` is a transposed convolution, weight `[in, out, taps…]`. */
  readonly decoder: readonly { readonly up: Layer<T>; readonly convs: readonly Layer<T>[] }[];
  readonly head: Layer<T>;
}

/** The initial parameters, each handed through `make`. */
export function unet<T>({ dims, channels }: UnetTask, make: (values: Values, role: "conv" | "up" | "bias") => T): Unet<T> {
  let seed = 10;
  const taps = (k: number) => Array.from({ length: dims }, () => k);
  const layer = (input: number, output: number, k: number): Layer<T> => {
    const weight = uniform(seed++, [output, input, ...taps(k)], Math.sqrt(24 / (input * k ** dims))); // He: variance 2 / fan-in
    return { weight: make(weight, "conv"), bias: make(uniform(seed++, [output], 0.1), "bias") };
  };
  const upper = channels.slice(0, -1).toReversed();
  return {
    encoder: channels.map((c, i) => [layer(i > 0 ? channels[i - 1] : 1, c, 3), layer(c, c, 3)]),
    decoder: upper.map((c, j) => {
      const below = channels[channels.length - 1 - j];
      const weight = uniform(seed++, [below, c, ...taps(2)], Math.sqrt(24 / below));
      const up = { weight: make(weight, "up"), bias: make(uniform(seed++, [c], 0.1), "bias") };
      return { up, convs: [layer(2 * c, c, 3), layer(c, c, 3)] };
    }),
    head: layer(channels[0], 2, 1),
  };
}

/** One image per sample; the label is where it is positive, as `[N, 2, …]` of zeros and ones. */
export function unetData({ dims, samples, size }: UnetTask): { image: Values; label: Values } {
  const voxels = size ** dims;
  const spatial = Array.from({ length: dims }, () => size);
  const image = uniform(1, [samples, 1, ...spatial], 2);
  const label = new Float32Array(samples * 2 * voxels);
  image.data.forEach((v, i) => (label[(2 * Math.floor(i / voxels) + (v > 0 ? 1 : 0)) * voxels + (i % voxels)] = 1));
  return { image, label: { data: label, shape: [samples, 2, ...spatial] } };
}
