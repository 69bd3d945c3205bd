/** @file Max unpooling: the reverse of max pooling with indices. */

import { ConfigError, ShapeError } from "../host/errors.ts";
import { sizeOf } from "../host/array.ts";
import { read, update, write } from "../tensor/kernel.ts";
import { sameShape, type Shape, showShape, type Spatial, spatial } from "../host/shape.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { expectFloats, expectTensors, half } from "./lib/args.ts";
import { eachPiece } from "./lib/pieces.ts";
import { grid } from "./lib/workgroups.ts";
import { poolAxes, type PoolWindowOptions } from "./pool.ts";
import { claimShader } from "./shaders/pool/claim.gen.ts";
import { takeShader } from "./shaders/pool/take.gen.ts";
import { full } from "./view.ts";

/** Options of `maxUnpool`. */
export interface MaxUnpoolOptions extends Omit<PoolWindowOptions, "ceilMode"> {
  /** Spatial size of the result, less than one stride away from the default `(size − 1)·stride − 2·padding + kernelSize`. */
  readonly outputSize?: Spatial;
}

/** Shape rule of max unpooling. Throws `ShapeError`. */
export function maxUnpoolShape(x: Shape, indices: Shape, options: MaxUnpoolOptions): number[] {
  const op = "maxUnpool";
  const dims = poolAxes(op, x);
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
