/**
 * @file Max pooling with indices, its reverse, and the windows of average pooling, in one, two and three dimensions (2-D is depth 1).
 * Average pools are linear maps and run in `resample`.
 */

import { ConfigError, ShapeError } from "../host/errors.ts";
import { sizeOf } from "../host/array.ts";
import { read, update, write } from "../tensor/kernel.ts";
import { sameShape, type Shape, showShape, type Spatial, spatial } from "../host/shape.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { expectFloats, expectTensors, half } from "./lib/args.ts";
import { eachPiece } from "./lib/pieces.ts";
import { fold, grid } from "./lib/workgroups.ts";
import { areaMap, type AxisMap, type AxisMaps, expectMapped, padAxes, planesTogether } from "./resample.ts";
import { claimShader } from "./shaders/pool/claim.gen.ts";
import { BLOCK } from "./shaders/lib/levels.gen.ts";
import { maxShader } from "./shaders/pool/max.gen.ts";
import { maxGradientShader } from "./shaders/pool/max_gradient.gen.ts";
import { takeShader } from "./shaders/pool/take.gen.ts";
import { full } from "./view.ts";

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

function axes(op: string, x: Shape): number {
  const dims = x.length - 2;
  if (dims < 1 || dims > 3)
    throw new ShapeError(`${op}: input must be [N, C, spatial…] with 1 to 3 spatial axes, got ${showShape(x)}`);
  if (x.slice(2).some((n) => n < 1)) throw new ShapeError(`${op}: the input ${showShape(x)} has an empty spatial axis`);
  return dims;
}

function windows(op: string, x: Shape, options: MaxPoolOptions) {
  const dims = axes(op, x);
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
  const dims = axes(op, x);
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

// What both kernels share: a thread per position (of `size`) and group of planes.
function describe(op: string, t: Tensor, g: PoolGeometry, size: Shape, planes: number) {
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
      planes,
    },
    workgroups: fold(t.device, op, Math.ceil(sizeOf(size) / 64) * Math.ceil(planes / TP)),
  };
}

/** The largest element of each window and (i32) where it lies inside its input plane. */
export function maxPool(op: string, x: Tensor, g: PoolGeometry): { y: Tensor; indices: Tensor } {
  expectFloats(op, { input: x });
  const y = x.device.empty(g.outShape, x.dtype);
  const indices = x.device.empty(g.outShape, "i32");
  if (y.size > 0) {
    eachPiece(op, 2, [read(x), write(y), write(indices)], ([from, to, at]) => {
      x.device.run(
        maxShader({
          ...describe(op, x, g, g.outSize, to.size / sizeOf(g.outSize)),
          bind: { x: from, y: write(to), indices: write(at) },
        }),
      );
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
    eachPiece(op, 2, [read(indices), read(dy), write(dx)], ([at, from, to]) => {
      const call = describe(op, dy, g, g.size, to.size / sizeOf(g.size));
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

/** Options of `maxUnpool`. */
export interface MaxUnpoolOptions extends Omit<PoolWindowOptions, "ceilMode"> {
  /** Spatial size of the result, less than one stride away from the default `(size − 1)·stride − 2·padding + kernelSize`. */
  readonly outputSize?: Spatial;
}

/** Shape rule of max unpooling. Throws `ShapeError`. */
export function maxUnpoolShape(x: Shape, indices: Shape, options: MaxUnpoolOptions): number[] {
  const op = "maxUnpool";
  const dims = axes(op, x);
  if (!sameShape(x, indices))
    throw new ShapeError(`${op}: indices ${showShape(indices)} must have the shape of the input ${showShape(x)}`);
  const taps = spatial(op, "kernelSize", options.kernelSize, dims, 1);
  const stride = spatial(op, "stride", options.stride ?? taps, dims, 1);
  const padding = spatial(op, "padding", options.padding ?? 0, dims, 0);
  const usual = taps.map((k, i) => (x[i + 2] - 1) * stride[i] - 2 * padding[i] + k);
  const size = options.outputSize === undefined ? usual : spatial(op, "outputSize", options.outputSize, dims, 1);
  if (size.some((n, i) => n < 1 || Math.abs(n - usual[i]) >= stride[i])) {
    throw new ShapeError(
      `${op}: outputSize ${showShape(size)} must be less than the stride ${showShape(stride)} away from ${showShape(usual)}`,
    );
  }
  return [x[0], x[1], ...size];
}

// y[plane, i] = x[plane, indices[plane, i]]
function take(x: Tensor, indices: Tensor, shape: Shape): Tensor {
  const y = x.device.empty(shape, x.dtype);
  if (y.size > 0 && x.size > 0) {
    eachPiece("maxUnpool", 2, [read(x), read(indices), write(y)], ([from, at, to]) => {
      x.device.run(
        takeShader({
          half: half(x),
          params: { results: sizeOf(shape.slice(2)), sources: sizeOf(x.shape.slice(2)), count: to.size },
          bind: { x: from, indices: at, y: write(to) },
          workgroups: grid(x.device, "maxUnpool", to.size, 64),
        }),
      );
    });
  }
  return y;
}

/** Zeros of `shape` with the elements of `x` at `indices`; indices outside the plane are ignored, the last of several wins. */
export function maxUnpool(x: Tensor, indices: Tensor, shape: Shape): Tensor {
  expectFloats("maxUnpool", { input: x });
  expectTensors("maxUnpool", { indices }, "i32");
  if (indices.device !== x.device) throw new ConfigError("maxUnpool: indices is on another device than the input");
  const owner = full(x.device, shape, -1, "i32");
  if (x.size > 0) {
    eachPiece("maxUnpool", 2, [read(indices), update(owner)], ([at, to]) => {
      x.device.run(
        claimShader({
          params: { inputs: sizeOf(x.shape.slice(2)), targets: sizeOf(shape.slice(2)), count: at.size },
          bind: { indices: at, owner: update(to) },
          workgroups: grid(x.device, "maxUnpool", at.size, 64),
        }),
      );
    });
  }
  const y = take(x, owner, shape);
  owner.dispose();
  return y;
}

/** As PyTorch, an input whose place another one took has that place's gradient too. */
export function maxUnpoolGradient(indices: Tensor, dy: Tensor): Tensor {
  return take(dy, indices, indices.shape);
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
  const dims = axes("adaptiveAvgPool", x);
  const outSize = spatial("adaptiveAvgPool", "outputSize", outputSize, dims, 1);
  expectMapped("adaptiveAvgPool", outSize);
  const maps = outSize.map((n, i) => (n === x[i + 2] ? undefined : areaMap(x[i + 2], n)));
  return { maps, outShape: [x[0], x[1], ...outSize] };
}
