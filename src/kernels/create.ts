/** @file Tensors from nothing. Number sequences are computed on the host in float64, so that each element is the nearest f32. */

import type { Device } from "../tensor/device.ts";
import { ConfigError, ShapeError } from "../host/errors.ts";
import type { DType } from "../host/array.ts";
import type { Shape } from "../host/shape.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { full } from "./view.ts";
import { expectDevice } from "../tensor/kind.ts";

/** A tensor of zeros. Throws `DTypeError` for f16. Of the given shape; default type f32. */
export function zeros(device: Device, shape: Shape, dtype: DType = "f32"): Tensor {
  expectDevice("zeros", device);
  return full(device, shape, 0, dtype);
}

/** A tensor of ones. Throws `DTypeError` for f16. Of the given shape; default type f32. */
export function ones(device: Device, shape: Shape, dtype: DType = "f32"): Tensor {
  expectDevice("ones", device);
  return full(device, shape, 1, dtype);
}

/**
 * `start, start + step, …` as far as it stays before `stop`. Throws `ConfigError` for a step of 0 or one away from `stop`. Shape `[⌈(stop − start) /
 * step⌉]`; default step 1, type f32.
 */
export function arange(device: Device, start: number, stop: number, step = 1, dtype: DType = "f32"): Tensor {
  expectDevice("arange", device);
  const count = Math.ceil((stop - start) / step);
  if (!(count >= 0 && Number.isFinite(count) && step !== 0)) {
    throw new ConfigError(`arange: steps of ${step} do not lead from ${start} to ${stop}`);
  }
  device.pool.expectFits(4 * count); // before the host tries
  return device.tensor({ shape: [count], data: Float64Array.from({ length: count }, (_, i) => start + i * step) }, dtype);
}

/** `steps` numbers evenly from `start` to `stop`, both included. Throws `ShapeError` unless `steps` is an integer of at least 0. Shape `[steps]`, f32. */
export function linspace(device: Device, start: number, stop: number, steps: number): Tensor {
  expectDevice("linspace", device);
  if (!Number.isInteger(steps) || steps < 0)
    throw new ShapeError(`linspace: steps must be an integer of at least 0, got ${steps}`);
  device.pool.expectFits(4 * steps);
  const by = steps > 1 ? (stop - start) / (steps - 1) : 0;
  // From the nearer end, so that both ends are exact.
  const data = Float64Array.from({ length: steps }, (_, i) => (2 * i < steps ? start + i * by : stop - (steps - 1 - i) * by));
  return device.tensor({ shape: [steps], data });
}

/**
 * Ones on the diagonal of a matrix, zeros beside it. Throws `ShapeError` for sizes that are not integers of at least 0. Shape `[rows, columns]`; by default
 * as many columns as rows.
 */
export function eye(device: Device, rows: number, columns = rows, dtype: DType = "f32"): Tensor {
  expectDevice("eye", device);
  if (![rows, columns].every((d) => Number.isInteger(d) && d >= 0)) {
    throw new ShapeError(`eye: sizes must be integers of at least 0, got ${rows} and ${columns}`);
  }
  device.pool.expectFits(4 * rows * columns);
  const data = new Float64Array(rows * columns);
  for (let i = 0; i < Math.min(rows, columns); i++) data[i * columns + i] = 1;
  return device.tensor({ shape: [rows, columns], data }, dtype);
}
