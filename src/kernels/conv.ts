/**
 * @file Convolution and transposed convolution in one, two and three dimensions (2-D is depth 1). Both directions and both input
 * gradients are one gather kernel; both weight gradients are another, summed over slabs of rows by `reduce`.
 */

import { ShapeError } from "../tensor/errors.ts";
import { sizeOf } from "../tensor/host.ts";
import { read, write } from "../tensor/kernel.ts";
import { type Shape, showShape, type Spatial, spatial } from "../tensor/shape.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { expectTensors } from "./args.ts";
import { program } from "./program.ts";
import { reduceSum } from "./reduce.ts";

export interface ConvOptions {
  /** Default 1. */
  readonly stride?: Spatial;
  /** Zeros added at both ends of each axis; default 0. */
  readonly padding?: Spatial;
  /** Default 1. */
  readonly dilation?: Spatial;
}

export interface ConvTransposeOptions extends ConvOptions {
  /** Extra size at the end of each axis, less than stride or dilation; default 0. */
  readonly outputPadding?: Spatial;
}

type Triple = readonly [number, number, number];

/** Sizes of one convolution, seen from the plain (not transposed) side: `large` is its input, `small` its output. */
export interface ConvGeometry {
  readonly samples: number;
  /** Channels and size of the side that a plain convolution reads. */
  readonly largeChannels: number;
  readonly large: Triple;
  /** Channels and size of the side it writes. */
  readonly smallChannels: number;
  readonly small: Triple;
  readonly taps: Triple;
  readonly stride: Triple;
  readonly dilation: Triple;
  readonly padding: Triple;
  /** Shape of the result with its own rank. */
  readonly outShape: Shape;
}

const triple = (list: readonly number[], fill: number): Triple => [...new Array<number>(3 - list.length).fill(fill), ...list] as unknown as Triple;

function common(op: string, x: Shape, weight: Shape, bias: Shape | undefined, options: ConvOptions, outAxis: 0 | 1) {
  const dims = x.length - 2;
  if (dims < 1 || dims > 3) throw new ShapeError(`${op}: input must be [N, C, spatial…] with 1 to 3 spatial axes, got ${showShape(x)}`);
  if (weight.length !== x.length) {
    throw new ShapeError(`${op}: weight ${showShape(weight)} must have rank ${x.length} like the input ${showShape(x)}`);
  }
  if (weight[1 - outAxis] !== x[1]) {
    throw new ShapeError(
      `${op}: the input ${showShape(x)} has ${x[1]} channels, the weight ${showShape(weight)} expects ${weight[1 - outAxis]} on axis ${1 - outAxis}`,
    );
  }
  if (bias && (bias.length !== 1 || bias[0] !== weight[outAxis])) {
    throw new ShapeError(`${op}: bias ${showShape(bias)} must be [${weight[outAxis]}], one per output channel`);
  }
  return {
    dims,
    size: x.slice(2),
    taps: weight.slice(2),
    stride: spatial(op, "stride", options.stride ?? 1, dims, 1),
    padding: spatial(op, "padding", options.padding ?? 0, dims, 0),
    dilation: spatial(op, "dilation", options.dilation ?? 1, dims, 1),
  };
}

/** Shape rule of convolution: weight `[out, in, taps…]`. Throws `ShapeError`. */
export function convShape(x: Shape, weight: Shape, bias?: Shape, options: ConvOptions = {}): ConvGeometry {
  const c = common("conv", x, weight, bias, options, 0);
  const out = c.size.map((n, i) => Math.floor((n + 2 * c.padding[i] - c.dilation[i] * (c.taps[i] - 1) - 1) / c.stride[i]) + 1);
  if (out.some((n) => n < 1)) {
    throw new ShapeError(`conv: input size ${showShape(c.size)} with padding ${showShape(c.padding)} is smaller than the kernel ${showShape(c.taps)}`);
  }
  return {
    samples: x[0],
    largeChannels: x[1],
    large: triple(c.size, 1),
    smallChannels: weight[0],
    small: triple(out, 1),
    taps: triple(c.taps, 1),
    stride: triple(c.stride, 1),
    dilation: triple(c.dilation, 1),
    padding: triple(c.padding, 0),
    outShape: [x[0], weight[0], ...out],
  };
}

/** Shape rule of transposed convolution: weight `[in, out, taps…]`. Throws `ShapeError`. */
export function convTransposeShape(x: Shape, weight: Shape, bias?: Shape, options: ConvTransposeOptions = {}): ConvGeometry {
  const op = "convTranspose";
  const c = common(op, x, weight, bias, options, 1);
  const extra = spatial(op, "outputPadding", options.outputPadding ?? 0, c.dims, 0);
  extra.forEach((e, i) => {
    if (e >= Math.max(c.stride[i], c.dilation[i])) {
      throw new ShapeError(`${op}: outputPadding ${showShape(extra)} must be smaller than stride ${showShape(c.stride)} or dilation`);
    }
  });
  const out = c.size.map((n, i) => (n - 1) * c.stride[i] - 2 * c.padding[i] + c.dilation[i] * (c.taps[i] - 1) + extra[i] + 1);
  if (out.some((n) => n < 1)) {
    throw new ShapeError(`${op}: input size ${showShape(c.size)} with padding ${showShape(c.padding)} gives the empty size ${showShape(out)}`);
  }
  return {
    samples: x[0],
    largeChannels: weight[1],
    large: triple(out, 1),
    smallChannels: x[1],
    small: triple(c.size, 1),
    taps: triple(c.taps, 1),
    stride: triple(c.stride, 1),
    dilation: triple(c.dilation, 1),
    padding: triple(c.padding, 0),
    outShape: [x[0], weight[1], ...out],
  };
}

/** Multiply-adds times two. */
export const convFlops = (g: ConvGeometry): number =>
  2 * g.samples * g.smallChannels * g.largeChannels * sizeOf(g.small) * sizeOf(g.taps);

// Tiles measured on lavapipe, conv2d 4x32->64x128², k3, GFLOP per CPU-second: 8x16 12.3, 16x8 12.0, 16x16 10.4, 4x32 7.1, 8x8 6.5, 4x16 5.4.
function tile(channels: number): { TP: number; TC: number } {
  if (channels > 8) return { TP: 8, TC: 16 };
  return channels > 4 ? { TP: 16, TC: 8 } : { TP: 16, TC: 4 };
}

function gather(g: ConvGeometry, transposed: boolean, x: Tensor, weight: Tensor, bias: Tensor | undefined, outShape: Shape): Tensor {
  const y = x.device.empty(outShape);
  const [inSize, outSize] = transposed ? [g.small, g.large] : [g.large, g.small];
  const [inChannels, outChannels] = transposed ? [g.smallChannels, g.largeChannels] : [g.largeChannels, g.smallChannels];
  const taps = sizeOf(g.taps);
  // The weight is [small, large, taps] for both kinds.
  const [weightOut, weightIn] = transposed ? [taps, g.largeChannels * taps] : [g.largeChannels * taps, taps];
  const { TP, TC } = tile(outChannels);
  const phases = transposed ? sizeOf(g.stride) : 1;
  const pixels = transposed ? g.large.reduce((n, size, i) => n * Math.ceil(size / g.stride[i]), 1) : sizeOf(outSize);
  const tiles = Math.ceil((g.samples * pixels) / (64 * TP));
  if (y.size === 0) return y;
  x.device.run({
    program: program("conv/gather", { consts: { TP, TC } }),
    bindings: [read(x), read(weight), read(bias ?? weight), write(y)],
    params: [
      ...[inSize, outSize, g.taps, g.stride, g.dilation, g.padding].flatMap((t) => [...t, 0]),
      ...[inChannels, outChannels, weightOut, weightIn, transposed ? 1 : 0, bias ? 1 : 0, g.samples, 0],
    ],
    workgroups: [tiles, Math.ceil(outChannels / TC), phases],
  });
  return y;
}

/** `[N, in, …]`, weight `[out, in, taps…]` → `[N, out, …]`. */
export function conv(x: Tensor, weight: Tensor, bias: Tensor | undefined, g: ConvGeometry): Tensor {
  expectTensors("conv", bias ? { input: x, weight, bias } : { input: x, weight });
  return gather(g, false, x, weight, bias, g.outShape);
}

/** `[N, in, …]`, weight `[in, out, taps…]` → `[N, out, …]`. */
export function convTranspose(x: Tensor, weight: Tensor, bias: Tensor | undefined, g: ConvGeometry): Tensor {
  expectTensors("convTranspose", bias ? { input: x, weight, bias } : { input: x, weight });
  return gather(g, true, x, weight, bias, g.outShape);
}

/** Input gradient of `conv`. */
export function convInputGradient(dy: Tensor, weight: Tensor, g: ConvGeometry, inShape: Shape): Tensor {
  return gather(g, true, dy, weight, undefined, inShape);
}

/** Input gradient of `convTranspose`. */
export function convTransposeInputGradient(dy: Tensor, weight: Tensor, g: ConvGeometry, inShape: Shape): Tensor {
  return gather(g, false, dy, weight, undefined, inShape);
}

// At most this many products are added in sequence before partial sums are combined: bounds the f32 error and gives the device work.
const slabElements = 4096;

/** Weight gradient of either kind: `small` is the output gradient of `conv` or the input of `convTranspose`, `large` the other one. */
export function convWeightGradient(small: Tensor, large: Tensor, g: ConvGeometry, weightShape: Shape): Tensor {
  const { device } = small;
  const TA = g.smallChannels > 8 ? 16 : g.smallChannels > 4 ? 8 : 4;
  const TB = g.largeChannels > 4 ? 8 : g.largeChannels > 1 ? 4 : 1;
  const columns = sizeOf(g.taps) * Math.ceil(g.largeChannels / TB);
  const WG = columns > 32 ? 64 : columns > 8 ? 32 : 8;
  const rows = g.samples * g.small[0] * g.small[1];
  const across = Math.ceil(columns / WG) * Math.ceil(g.smallChannels / TA);
  // Enough slabs to fill the device: a software adapter wants a few per core, a GPU thousands of threads.
  const busy = Math.ceil((device.software ? 16 : 1024) / across);
  const slabs = Math.max(1, Math.min(rows, Math.max(busy, Math.ceil((rows * g.small[2]) / slabElements)), 65535));
  // At least one slab: it writes the zeros of an empty batch.
  const slab = Math.max(1, Math.ceil(rows / slabs));
  const count = Math.max(1, Math.ceil(rows / slab));
  const partial = device.empty([count, ...weightShape]);
  device.run({
    program: program("conv/weight_gradient", { consts: { TA, TB }, overrides: { WG } }),
    bindings: [read(small), read(large), write(partial)],
    params: [
      ...[g.small, g.large, g.taps, g.stride, g.dilation, g.padding].flatMap((t) => [...t, 0]),
      ...[g.smallChannels, g.largeChannels, rows, slab],
    ],
    workgroups: [Math.ceil(columns / WG), Math.ceil(g.smallChannels / TA), count],
  });
  if (count === 1) {
    const weight = partial.view(weightShape);
    partial.dispose();
    return weight;
  }
  const weight = reduceSum(partial, [0], false).view(weightShape);
  partial.dispose();
  return weight;
}

/** Bias gradient: the sum over samples and positions. */
export function convBiasGradient(dy: Tensor): Tensor {
  return reduceSum(dy, [0, ...dy.shape.map((_, i) => i).slice(2)], false);
}
