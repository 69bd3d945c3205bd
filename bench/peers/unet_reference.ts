/** @file The training step of a UNet in float64, written from the definition: what the losses should be. 2-D is depth 1. */

import { type Layer, type Unet, unet, unetData, type UnetTask } from "./tasks.ts";

interface Image {
  readonly channels: number;
  readonly size: readonly number[];
  readonly data: Float64Array;
}

interface Parameter {
  readonly shape: readonly number[];
  readonly data: Float64Array;
  readonly gradient: Float64Array;
}

/** How to propagate back: from the gradient of a result to that of what it came from. */
interface Result {
  readonly y: Image;
  readonly back: (dy: Float64Array) => Float64Array;
}

const volume = (size: readonly number[]) => size[0] * size[1] * size[2];
const like = (x: Image, channels: number, size = x.size): Image => ({
  channels,
  size,
  data: new Float64Array(samples * channels * volume(size)),
});
let samples = 1;

/** Calls `row(from, to, count)` for the rows of voxels that a tap connects, `from` shifted against `to`. */
function rows(size: readonly number[], shift: readonly number[], row: (from: number, to: number, count: number) => void): void {
  const [D, H, W] = size;
  const x0 = Math.max(0, -shift[2]);
  const count = W - Math.abs(shift[2]);
  for (let z = Math.max(0, -shift[0]); z < Math.min(D, D - shift[0]); z++) {
    for (let y = Math.max(0, -shift[1]); y < Math.min(H, H - shift[1]); y++) {
      row(((z + shift[0]) * H + y + shift[1]) * W + x0 + shift[2], (z * H + y) * W + x0, count);
    }
  }
}

/** A convolution of "same" size with bias. */
function conv(x: Image, { weight, bias }: Layer<Parameter>): Result {
  const [K, C, ...spatial] = weight.shape;
  const taps = [...new Array<number>(3 - spatial.length).fill(1), ...spatial];
  const T = volume(taps);
  const area = volume(x.size);
  const y = like(x, K);
  const dx = like(x, C).data;
  const each = (visit: (k: number, c: number, w: number, from: number, to: number, count: number) => void) => {
    for (let t = 0; t < T; t++) {
      const at = [Math.floor(t / (taps[1] * taps[2])), Math.floor(t / taps[2]) % taps[1], t % taps[2]];
      rows(
        x.size,
        at.map((a, i) => a - (taps[i] - 1) / 2),
        (from, to, count) => {
          for (let n = 0; n < samples; n++) {
            for (let k = 0; k < K; k++) {
              for (let c = 0; c < C; c++)
                visit(k, c, (k * C + c) * T + t, (n * C + c) * area + from, (n * K + k) * area + to, count);
            }
          }
        },
      );
    }
  };
  const planes = (visit: (k: number, at: number) => void) => {
    for (let i = 0; i < samples * K; i++) visit(i % K, i * area);
  };
  planes((k, at) => y.data.fill(bias.data[k], at, at + area));
  each((_k, _c, w, from, to, count) => {
    const value = weight.data[w];
    for (let i = 0; i < count; i++) y.data[to + i] += value * x.data[from + i];
  });
  const back = (dy: Float64Array) => {
    each((_k, _c, w, from, to, count) => {
      const value = weight.data[w];
      let sum = 0;
      for (let i = 0; i < count; i++) {
        sum += dy[to + i] * x.data[from + i];
        dx[from + i] += dy[to + i] * value;
      }
      weight.gradient[w] += sum;
    });
    planes((k, at) => {
      for (let i = at; i < at + area; i++) bias.gradient[k] += dy[i];
    });
    return dx;
  };
  return { y, back };
}

function relu(x: Image): Result {
  const y = { ...x, data: x.data.map((v) => Math.max(0, v)) };
  return { y, back: (dy) => dy.map((g, i) => (y.data[i] > 0 ? g : 0)) };
}

const doubled = (size: readonly number[], dims: number) => size.map((n, i) => (i >= 3 - dims ? 2 * n : n));

/** Calls `visit(small, large, cell)` for the voxels of a plane and of its twice as fine one. */
function cells(small: readonly number[], dims: number, visit: (small: number, large: number, cell: number) => void): void {
  const large = doubled(small, dims);
  for (let i = 0; i < volume(large); i++) {
    const at = [Math.floor(i / (large[1] * large[2])), Math.floor(i / large[2]) % large[1], i % large[2]];
    const half = at.map((a, k) => (large[k] > small[k] ? a >> 1 : a));
    const cell = at.reduce((c, a, k) => (large[k] > small[k] ? 2 * c + (a & 1) : c), 0);
    visit((half[0] * small[1] + half[1]) * small[2] + half[2], i, cell);
  }
}

function maxPool(x: Image, dims: number): Result {
  const size = x.size.map((n, i) => (i >= 3 - dims ? n / 2 : n));
  const y = like(x, x.channels, size);
  const from = new Int32Array(y.data.length).fill(-1);
  for (let plane = 0; plane < samples * x.channels; plane++) {
    cells(size, dims, (s, l) => {
      const [to, at] = [plane * volume(size) + s, plane * volume(x.size) + l];
      if (from[to] >= 0 && x.data[at] <= y.data[to]) return;
      from[to] = at;
      y.data[to] = x.data[at];
    });
  }
  const back = (dy: Float64Array) => {
    const dx = new Float64Array(x.data.length);
    dy.forEach((g, i) => (dx[from[i]] += g));
    return dx;
  };
  return { y, back };
}

/** Transposed convolution, 2 taps and stride 2 per axis, weight `[in, out, taps…]`. */
function convTranspose(x: Image, { weight, bias }: Layer<Parameter>): Result {
  const [C, K, ...taps] = weight.shape;
  const dims = taps.length;
  const T = 2 ** dims;
  const y = like(x, K, doubled(x.size, dims));
  const [small, large] = [volume(x.size), volume(y.size)];
  const each = (visit: (k: number, w: number, from: number, to: number) => void) =>
    cells(x.size, dims, (s, l, cell) => {
      for (let n = 0; n < samples; n++) {
        for (let c = 0; c < C; c++) {
          for (let k = 0; k < K; k++) visit(k, (c * K + k) * T + cell, (n * C + c) * small + s, (n * K + k) * large + l);
        }
      }
    });
  for (let i = 0; i < y.data.length; i++) y.data[i] = bias.data[Math.floor(i / large) % K];
  each((_k, w, from, to) => (y.data[to] += weight.data[w] * x.data[from]));
  const back = (dy: Float64Array) => {
    const dx = new Float64Array(x.data.length);
    each((_k, w, from, to) => {
      dx[from] += weight.data[w] * dy[to];
      weight.gradient[w] += x.data[from] * dy[to];
    });
    dy.forEach((g, i) => (bias.gradient[Math.floor(i / large) % K] += g));
    return dx;
  };
  return { y, back };
}

function concat(a: Image, b: Image): Image {
  const y = like(a, a.channels + b.channels);
  const [na, nb] = [a.data.length / samples, b.data.length / samples];
  for (let n = 0; n < samples; n++) {
    y.data.set(a.data.subarray(n * na, (n + 1) * na), n * (na + nb));
    y.data.set(b.data.subarray(n * nb, (n + 1) * nb), n * (na + nb) + na);
  }
  return y;
}

/** The gradients of the two parts of a concatenation. */
function parts(dy: Float64Array, share: number): [Float64Array, Float64Array] {
  const each = dy.length / samples;
  const a = new Float64Array(dy.length * share);
  const b = new Float64Array(dy.length - a.length);
  for (let n = 0; n < samples; n++) {
    a.set(dy.subarray(n * each, n * each + a.length / samples), (n * a.length) / samples);
    b.set(dy.subarray(n * each + a.length / samples, (n + 1) * each), (n * b.length) / samples);
  }
  return [a, b];
}

/** Mean cross-entropy of two classes and the gradient of the logits. */
function crossEntropy(logits: Image, label: Float32Array): { loss: number; gradient: Float64Array } {
  const area = volume(logits.size);
  const voxels = samples * area;
  const gradient = new Float64Array(logits.data.length);
  let loss = 0;
  for (let n = 0; n < samples; n++) {
    for (let i = 0; i < area; i++) {
      const at = [2 * n * area + i, (2 * n + 1) * area + i];
      const [a, b] = at.map((j) => logits.data[j]);
      const log = Math.max(a, b) + Math.log1p(Math.exp(-Math.abs(a - b)));
      for (const j of at) {
        loss -= (label[j] * (logits.data[j] - log)) / voxels;
        gradient[j] = (Math.exp(logits.data[j] - log) - label[j]) / voxels;
      }
    }
  }
  return { loss, gradient };
}

function block(x: Image, layers: readonly Layer<Parameter>[]): Result {
  const backs: Result["back"][] = [];
  for (const layer of layers) {
    for (const op of [(v: Image) => conv(v, layer), relu]) {
      const { y, back } = op(x);
      x = y;
      backs.push(back);
    }
  }
  return { y: x, back: (dy) => backs.reduceRight((g, back) => back(g), dy) };
}

/** The losses before each of the first `count` updates. */
export function unetLosses(task: UnetTask, count: number): number[] {
  samples = task.samples;
  const parameters: Parameter[] = [];
  const net: Unet<Parameter> = unet(task, ({ data, shape }) => {
    const p = { shape, data: Float64Array.from(data), gradient: new Float64Array(data.length) };
    parameters.push(p);
    return p;
  });
  const { image, label } = unetData(task);
  const size = [...new Array<number>(3 - task.dims).fill(1), ...image.shape.slice(2)];
  return Array.from({ length: count }, () => step());

  function step(): number {
    const encoder: { block: Result; pool?: Result }[] = [];
    let x: Image = { channels: 1, size, data: Float64Array.from(image.data) };
    net.encoder.forEach((layers, i) => {
      const pool = i > 0 ? maxPool(x, task.dims) : undefined;
      const result = block(pool?.y ?? x, layers);
      encoder.push({ block: result, pool });
      x = result.y;
    });
    const decoder = net.decoder.map(({ up, convs }, j) => {
      const raised = convTranspose(x, up);
      const level = encoder.length - 2 - j;
      const result = block(concat(encoder[level].block.y, raised.y), convs);
      x = result.y;
      return { raised, result, level };
    });
    const head = conv(x, net.head);
    const { loss, gradient } = crossEntropy(head.y, label.data);

    const skips: Float64Array[] = [];
    let dy = head.back(gradient);
    for (const { raised, result, level } of decoder.toReversed()) {
      const [skip, below] = parts(result.back(dy), 1 / 2);
      skips[level] = skip;
      dy = raised.back(below);
    }
    for (let i = encoder.length - 1; i >= 0; i--) {
      const skip = skips[i];
      if (skip) dy = dy.map((g, k) => g + skip[k]);
      const dx = encoder[i].block.back(dy);
      dy = encoder[i].pool?.back(dx) ?? dx;
    }
    for (const p of parameters) p.gradient.forEach((g, i) => (p.data[i] -= task.lr * g));
    for (const p of parameters) p.gradient.fill(0);
    return loss;
  }
}
