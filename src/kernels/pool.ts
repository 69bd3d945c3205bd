/**
 * @file Max pooling with indices, and the windows of average pooling, in one, two and three dimensions (2-D is depth 1). The reverse: pool_unpool.ts.
 * Average pools are linear maps and run in `resample`.
 */

import { ConfigError, ShapeError } from "../host/errors.ts";
import { sizeOf } from "../host/array.ts";
import { read, write } from "../tensor/kernel.ts";
import { type Shape, showShape, type Spatial, spatial } from "../host/shape.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { expectFloats, half } from "./lib/args.ts";
import { eachPiece } from "./lib/pieces.ts";
import { eachReach, firstAxis, type Rows, rowsBetween } from "./lib/reach.ts";
import { fold } from "./lib/workgroups.ts";
import { areaMap, type AxisMap, type AxisMaps, expectMapped, padAxes, planesTogether } from "./resample.ts";
import { BLOCK } from "./shaders/lib/levels.gen.ts";
import { maxShader } from "./shaders/pool/max.gen.ts";
import { maxGradientShader } from "./shaders/pool/max_gradient.gen.ts";

/** What windows of every kind of pooling have. */
export interface PoolWindowOptions {
  /** Elements of a window along each spatial axis, or one number for all. */
  readonly kernelSize: Spatial;
  /** Default: `kernelSize`. */
  readonly stride?: Spatial;
  /** At both ends of each axis, at most half of the window; default 0. */
  readonly padding?: Spatial;
  /** Whether a last window that reaches beyond the end counts; default false. */
  readonly ceilMode?: boolean;
}

/** Options of `maxPool`, `maxPoolWithIndices`, `MaxPool`. */
export interface MaxPoolOptions extends PoolWindowOptions {
  /** Default 1. */
  readonly dilation?: Spatial;
}

/** The names of these options. @internal */
export const maxPoolNames = "dilation:spread kernelSize:spread! stride:spread padding:spread ceilMode:boolean";

/** Options of `avgPool`, `AvgPool`. */
export interface AvgPoolOptions extends PoolWindowOptions {
  /** Whether padding counts in the average; default true. */
  readonly countIncludePad?: boolean;
  /** What sums are divided by, instead of the size of the window. */
  readonly divisorOverride?: number;
}

/** The names of these options. @internal */
export const avgPoolNames =
  "countIncludePad:boolean divisorOverride:number kernelSize:spread! stride:spread padding:spread ceilMode:boolean";

/** Sizes of one max pool as D, H, W. */
export interface PoolGeometry {
  readonly adaptive: boolean;
  readonly size: Shape;
  readonly outSize: Shape;
  readonly taps: Shape;
  readonly stride: Shape;
  readonly padding: Shape;
  readonly dilation: Shape;
  readonly outShape: Shape;
}

/** How many spatial axes an input has. Throws `ShapeError`. */
export function poolAxes(op: string, x: Shape): number {
  const dims = x.length - 2;
  if (dims < 1 || dims > 3)
    throw new ShapeError(`${op}: input must be [N, C, spatial…] with 1 to 3 spatial axes, got ${showShape(x)}`);
  if (x.slice(2).some((n) => n < 1)) throw new ShapeError(`${op}: the input ${showShape(x)} has an empty spatial axis`);
  return dims;
}

function windows(op: string, x: Shape, options: MaxPoolOptions) {
  const dims = poolAxes(op, x);
  const size = x.slice(2);
  const taps = spatial(op, "kernelSize", options.kernelSize, dims, 1);
  const stride = spatial(op, "stride", options.stride ?? taps, dims, 1);
  const padding = spatial(op, "padding", options.padding ?? 0, dims, 0);
  const dilation = spatial(op, "dilation", options.dilation ?? 1, dims, 1);
  const reach = taps.map((k, i) => dilation[i] * (k - 1) + 1);
  if (padding.some((p, i) => p > Math.floor(reach[i] / 2))) {
    throw new ShapeError(`${op}: padding ${showShape(padding)} must be at most half of the window ${showShape(reach)}`);
  }
  const round = options.ceilMode ? Math.ceil : Math.floor;
  const outSize = size.map((n, i) => {
    const out = round((n + 2 * padding[i] - reach[i]) / stride[i]) + 1;
    // A window must start inside the input or the padding before it.
    return options.ceilMode && (out - 1) * stride[i] >= n + padding[i] ? out - 1 : out;
  });
  if (outSize.some((n) => n < 1)) {
    throw new ShapeError(
      `${op}: input size ${showShape(size)} with padding ${showShape(padding)} is smaller than the window ${showShape(reach)}`,
    );
  }
  return { size, taps, stride, padding, dilation, outSize };
}

/** Shape rule of max pooling. Throws `ShapeError`. */
export function maxPoolShape(x: Shape, options: MaxPoolOptions): PoolGeometry {
  const { size, taps, stride, padding, dilation, outSize } = windows("maxPool", x, options);
  size.forEach((n, i) => {
    // Dilated taps can step over a short axis.
    const inside = (o: number) =>
      Array.from({ length: taps[i] }, (_, t) => o * stride[i] - padding[i] + t * dilation[i]).some((at) => at >= 0 && at < n);
    if (Array.from({ length: outSize[i] }, (_, o) => o).some((o) => !inside(o))) {
      throw new ShapeError(
        `maxPool: a window of dilation ${showShape(dilation)} has no element of the input size ${showShape(size)}`,
      );
    }
  });
  return {
    adaptive: false,
    size: padAxes(size, 1),
    outSize: padAxes(outSize, 1),
    taps: padAxes(taps, 1),
    stride: padAxes(stride, 1),
    padding: padAxes(padding, 0),
    dilation: padAxes(dilation, 1),
    outShape: [x[0], x[1], ...outSize],
  };
}

/** Shape rule of adaptive max pooling. Throws `ShapeError`, `TensorTooLargeError`. */
export function adaptiveMaxPoolShape(x: Shape, outputSize: Spatial): PoolGeometry {
  const op = "adaptiveMaxPool";
  const dims = poolAxes(op, x);
  const outSize = spatial(op, "outputSize", outputSize, dims, 1);
  expectMapped(op, outSize);
  const one = [1, 1, 1];
  return {
    adaptive: true,
    size: padAxes(x.slice(2), 1),
    outSize: padAxes(outSize, 1),
    taps: one,
    stride: one,
    padding: [0, 0, 0],
    dilation: one,
    outShape: [x[0], x[1], ...outSize],
  };
}

/** What a dispatch computes: `positions` of each plane from `first` on, from data that begins at `base`. */
interface Share {
  readonly planes: number;
  readonly first: number;
  readonly positions: number;
  readonly base: number;
}

// What both kernels share: a thread per position and group of planes.
function describe(op: string, t: Tensor, g: PoolGeometry, share: Share) {
  const { planes, positions } = share;
  const TP = planesTogether(planes);
  const four = ([d, h, w]: Shape) => [d, h, w, 0] as const;
  const large = g.size.some((n, i) => n * g.outSize[i] + n + g.outSize[i] >= 2 ** 31);
  return {
    consts: { TP },
    overrides: { ADAPTIVE: !g.adaptive ? 0 : large ? 2 : 1 },
    variant: !g.adaptive ? "windows" : large ? "adaptive large" : "adaptive",
    half: half(t),
    params: {
      in_size: four(g.size),
      out_size: four(g.outSize),
      taps: four(g.taps),
      stride: four(g.stride),
      padding: four(g.padding),
      dilation: four(g.dilation),
      ...share,
    },
    workgroups: fold(t.device, op, Math.ceil(positions / 64) * Math.ceil(planes / TP)),
  };
}

// Planes, or rows of a plane that is over the binding limit, of the outputs of the pool or, for gradients, of its inputs.
function eachShare(
  op: string,
  g: PoolGeometry,
  of: "outputs" | "inputs",
  inputs: readonly Tensor[],
  results: readonly Tensor[],
  body: (inputs: readonly Tensor[], results: readonly Tensor[], share: Share) => void,
): void {
  const [from, to] = of === "outputs" ? [g.size, g.outSize] : [g.outSize, g.size];
  const split = (all: readonly Tensor[]) => [all.slice(0, inputs.length), all.slice(inputs.length)] as const;
  const positions = sizeOf(to);
  eachPiece(
    op,
    2,
    [...inputs.map(read), ...results.map(write)],
    (all) => body(...split(all), { planes: all.at(-1)!.size / positions, first: 0, positions, base: 0 }),
    (all) => {
      const [x, y] = split(all);
      const axis = firstAxis(from, to);
      const reach = of === "outputs" ? inputsOf(g, axis) : outputsOf(g, axis);
      eachReach(op, [from[axis], to[axis]], x, y.map(write), reach, (x, y, { start, count }, near) => {
        const [row, source] = [to, from].map((size) => sizeOf(size.slice(axis + 1)));
        body(x, y, { planes: 1, first: start * row, positions: count * row, base: near.start * source });
      });
    },
  );
}

// As pool/max and pool/max_gradient have them along an axis: the inputs of outputs, and the outputs that may have seen inputs.
const inputsOf = (g: PoolGeometry, axis: number) => {
  const [size, out, step] = [g.size[axis], g.outSize[axis], g.dilation[axis]];
  const first = (o: number) => (g.adaptive ? Math.floor((o * size) / out) : Math.max(0, o * g.stride[axis] - g.padding[axis]));
  const end = (o: number) =>
    g.adaptive ? Math.ceil(((o + 1) * size) / out) : o * g.stride[axis] - g.padding[axis] + (g.taps[axis] - 1) * step + 1;
  return ({ start, count }: Rows): Rows => rowsBetween(first(start), end(start + count - 1), size);
};

const outputsOf = (g: PoolGeometry, axis: number) => {
  const [size, out, stride] = [g.size[axis], g.outSize[axis], g.stride[axis]];
  const first = (i: number) =>
    g.adaptive
      ? Math.floor((i * out) / size)
      : Math.max(0, Math.ceil((i + g.padding[axis] - (g.taps[axis] - 1) * g.dilation[axis]) / stride));
  const end = (i: number) => (g.adaptive ? Math.ceil(((i + 1) * out) / size) : Math.floor((i + g.padding[axis]) / stride) + 1);
  return ({ start, count }: Rows): Rows => rowsBetween(first(start), end(start + count - 1), out);
};

/** The largest element of each window and (i32) where it lies inside its input plane. */
export function maxPool(op: string, x: Tensor, g: PoolGeometry): { y: Tensor; indices: Tensor } {
  expectFloats(op, { input: x });
  const y = x.device.empty(g.outShape, x.dtype);
  const indices = x.device.empty(g.outShape, "i32");
  if (y.size > 0) {
    eachShare(op, g, "outputs", [x], [y, indices], ([from], [to, at], share) => {
      x.device.run(maxShader({ ...describe(op, x, g, share), bind: { x: from, y: write(to), indices: write(at) } }));
    });
  }
  return { y, indices };
}

// At most so many windows have an input in them, as pool/max_gradient looks for them.
const windowsOver = (g: PoolGeometry): number =>
  [0, 1, 2].reduce((n, i) => {
    const reach = (g.taps[i] - 1) * g.dilation[i] + 1;
    return n * Math.min(g.outSize[i], g.adaptive ? Math.ceil(g.outSize[i] / g.size[i]) + 1 : Math.ceil(reach / g.stride[i]));
  }, 1);

export function maxPoolGradient(op: string, indices: Tensor, dy: Tensor, g: PoolGeometry, shape: Shape): Tensor {
  const dx = dy.device.empty(shape, dy.dtype);
  if (dx.size > 0) {
    const blocked = windowsOver(g) > BLOCK;
    eachShare(op, g, "inputs", [indices, dy], [dx], ([at, from], [to], share) => {
      const call = describe(op, dy, g, share);
      dy.device.run(
        maxGradientShader({
          ...call,
          overrides: { ...call.overrides, BLOCKED: blocked ? 1 : 0 },
          variant: blocked ? `${call.variant} blocked` : call.variant,
          bind: { indices: at, dy: from, dx: write(to) },
        }),
      );
    });
  }
  return dx;
}

/** Shape rule and weights of average pooling. Throws `ShapeError`, and `ConfigError` for a divisor of 0. */
export function avgPoolShape(x: Shape, options: AvgPoolOptions): { maps: AxisMaps; outShape: Shape } {
  const { size, taps, stride, padding, outSize } = windows("avgPool", x, options);
  const { countIncludePad = true, divisorOverride } = options;
  if (divisorOverride === 0) throw new ConfigError("avgPool: divisorOverride must not be 0");
  const maps = size.map((n, axis): AxisMap => {
    const rows = Array.from({ length: outSize[axis] }, (_, o) => {
      const first = o * stride[axis] - padding[axis];
      // Padding at the end counts as far as it was asked for, not what ceilMode adds.
      const whole = Math.min(first + taps[axis], n + padding[axis]) - first;
      const start = Math.max(0, first);
      const count = Math.max(0, Math.min(first + taps[axis], n) - start);
      // The divisor of a window is a product over the axes; another one counts once.
      const divisor =
        divisorOverride === undefined ? (countIncludePad ? whole : Math.max(1, count)) : axis === 0 ? divisorOverride : 1;
      return { start, weights: new Array<number>(count).fill(1), divisor };
    });
    return { from: n, rows };
  });
  return { maps, outShape: [x[0], x[1], ...outSize] };
}

/** Shape rule and weights of adaptive average pooling. Throws `ShapeError`, `TensorTooLargeError`. */
export function adaptiveAvgPoolShape(x: Shape, outputSize: Spatial): { maps: AxisMaps; outShape: Shape } {
  const dims = poolAxes("adaptiveAvgPool", x);
  const outSize = spatial("adaptiveAvgPool", "outputSize", outputSize, dims, 1);
  expectMapped("adaptiveAvgPool", outSize);
  const maps = outSize.map((n, i) => (n === x[i + 2] ? undefined : areaMap(x[i + 2], n)));
  return { maps, outShape: [x[0], x[1], ...outSize] };
}
