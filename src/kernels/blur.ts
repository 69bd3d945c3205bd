/** @file Gaussian smoothing on the device, each channel of each sample by its own sigma, or by one for each axis. */

import { sizeOf } from "../host/array.ts";
import { expectIntegers } from "../host/integers.ts";
import { update, write } from "../tensor/kernel.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { expectTensors } from "./lib/args.ts";
import { expectPerChannel, settle, spatialOf } from "./lib/augmented.ts";
import { perThread } from "./lib/occupancy.ts";
import { grid, lines } from "./lib/workgroups.ts";
import { blurShader } from "./shaders/augment/blur.gen.ts";
import { weightsShader } from "./shaders/augment/weights.gen.ts";

/**
 * Gaussian smoothing with a sigma (in elements) for each channel of each sample; 0 leaves it as it is. Images are reflected about their border
 * elements; weights end at `radius`.
 * @param x `[N, C, spatial…]`
 * @param sigmas `[N, C]`, or `[N, C, axes]` with one for each spatial axis
 * @param radius elements to each side, at least 1; four times the largest sigma leaves nothing out
 * @throws ShapeError, ConfigError, DTypeError
 */
export function blur(x: Tensor, sigmas: Tensor, radius: number): Tensor {
  const op = "blur";
  expectTensors(op, { input: x, sigmas });
  const spatial = spatialOf(op, x.shape);
  expectPerChannel(op, "sigmas", sigmas, [...x.shape.slice(0, 2), ...(sigmas.rank === 3 ? [spatial.length] : [])]);
  expectIntegers(op, { radius }, 1);
  let y = x;
  for (const axis of spatial.keys()) {
    const weights = blurWeights(x, sigmas, radius, axis);
    const next = x.device.empty(x.shape);
    blurAlong(y, weights, axis, next, false);
    weights.dispose();
    if (y !== x) y.dispose();
    y = next;
  }
  return y;
}

/** `blur` in the memory of `x`, of which channels whose sigmas are 0 are not even read. */
export function blurInPlace(x: Tensor, sigmas: Tensor, radius: number): void {
  const axes = x.shape.length - 2;
  let from = x;
  for (let axis = 0; axis < axes; axis++) {
    const weights = blurWeights(x, sigmas, radius, axis);
    const to = axis > 0 && axis === axes - 1 ? x : x.device.empty(x.shape);
    blurAlong(from, weights, axis, to, true);
    if (from !== x) from.dispose();
    from = to;
    // The weight in the middle is 1 where nothing was done.
    if (axes === 1) settle(x, weights, from);
    weights.dispose();
  }
  if (from !== x) from.dispose();
}

function blurWeights(x: Tensor, sigmas: Tensor, radius: number, axis: number): Tensor {
  const { device } = x;
  const channels = x.shape[0] * x.shape[1];
  const weights = device.empty([channels, radius + 1]);
  const apart = sigmas.rank === 3 ? sigmas.shape[2] : 1;
  if (channels > 0) {
    device.run(
      weightsShader({
        params: { channels, radius, apart, axis: axis % apart },
        bind: { sigmas, weights: write(weights) },
        workgroups: grid(device, "blur", channels, 64),
      }),
    );
  }
  return weights;
}

function blurAlong(x: Tensor, weights: Tensor, axis: number, y: Tensor, skip: boolean): void {
  if (x.size === 0) return;
  const spatial = x.shape.slice(2);
  const size = spatial[axis];
  const [outer, inner] = [sizeOf(spatial.slice(0, axis)), sizeOf(spatial.slice(axis + 1))];
  const [channels, taps] = weights.shape;
  const rows = perThread(x.device);
  const all = inner === 1 ? ([size, outer, channels] as const) : ([inner, size, channels * outer] as const);
  const { threads, workgroups } = lines(x.device, [all[0], Math.ceil(all[1] / rows), all[2]], 64);
  x.device.run(
    blurShader({
      params: { threads, size, inner, outer, radius: taps - 1, rows, skip: skip ? 1 : 0 },
      bind: { weights, x, y: skip ? update(y) : write(y) },
      workgroups,
    }),
  );
}
