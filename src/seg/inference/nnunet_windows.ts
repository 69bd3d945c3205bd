/** @file nnU-Net's sliding window: where tiles start, how they are weighted, and the average over mirrored inputs. */

import { expectWord } from "../../host/words.ts";
import { expectArguments } from "../../host/kinds.ts";
import { expectOptions } from "../../host/options.ts";
import { type HostArray, sizeOf } from "../../host/array.ts";
import { ConfigError, ShapeError } from "../../host/errors.ts";
import { roundHalfEven } from "../../host/rounding.ts";
import { stridesOf } from "../../host/shape.ts";
import { copyView } from "../../host/strided.ts";
import { functionOf, type WindowPredictor } from "./sliding_window.ts";

/**
 * Where tiles start, per axis: evenly spread, at most `tileStepSize` of a tile apart. nnU-Net's `compute_steps_for_sliding_window`.
 * @throws ConfigError for a step outside (0, 1]; ShapeError for an image smaller than the tile: pad it first
 * @param imageSize in voxels, as `tileSize`
 */
export function computeStepsForSlidingWindow(
  imageSize: readonly number[],
  tileSize: readonly number[],
  tileStepSize: number,
): number[][] {
  expectArguments("computeStepsForSlidingWindow", "numbers", { imageSize, tileSize });
  expectArguments("computeStepsForSlidingWindow", "number", { tileStepSize });
  if (!(tileStepSize > 0 && tileStepSize <= 1))
    throw new ConfigError(`computeStepsForSlidingWindow: tileStepSize is ${tileStepSize}; expected more than 0, at most 1`);
  if (imageSize.length !== tileSize.length || imageSize.some((n, a) => n < tileSize[a]))
    throw new ShapeError(
      `computeStepsForSlidingWindow: a tile [${tileSize}] does not fit into the image [${imageSize}]; pad it first`,
    );
  return tileSize.map((tile, a) => {
    const last = imageSize[a] - tile;
    const steps = Math.ceil(last / (tile * tileStepSize)) + 1;
    const step = steps > 1 ? last / (steps - 1) : 0;
    return Array.from({ length: steps }, (_, i) => roundHalfEven(step * i));
  });
}

/** How `computeGaussian` weights. */
export interface GaussianOptions {
  /** Standard deviation as a share of the tile; default 1/8. */
  readonly sigmaScale?: number;
  /** The largest weight; default 1 (nnU-Net predicts with 10). */
  readonly valueScalingFactor?: number;
  /** What weights are rounded to before zeros are lifted; default "float16", as upstream. */
  readonly dtype?: "float16" | "float32";
}

/** The filter's weights, cut at 4 standard deviations as in scipy, of an impulse in the middle of an axis. */
function impulse(size: number, sigma: number): Float64Array {
  const radius = Math.floor(4 * sigma + 0.5);
  let sum = 0;
  for (let x = -radius; x <= radius; x++) sum += Math.exp((-0.5 / (sigma * sigma)) * x * x);
  const out = new Float64Array(size);
  for (let i = 0; i < size; i++) {
    const x = i - Math.floor(size / 2);
    if (Math.abs(x) <= radius) out[i] = Math.exp((-0.5 / (sigma * sigma)) * x * x) / sum;
  }
  return out;
}

/**
 * Weights of a tile's voxels, falling off from its middle, none of them 0. nnU-Net's `compute_gaussian`. `tileSize` is in voxels, and the shape of the
 * result.
 */
export function computeGaussian(tileSize: readonly number[], options: GaussianOptions = {}): HostArray<Float32Array> {
  expectOptions("computeGaussian", options, "sigmaScale valueScalingFactor dtype");
  expectArguments("computeGaussian", "numbers", { tileSize });
  const { sigmaScale = 1 / 8, valueScalingFactor = 1, dtype = "float16" } = options;
  expectWord("computeGaussian", "dtype", dtype, ["float16", "float32"]);
  if (!(sigmaScale > 0)) throw new ConfigError(`computeGaussian: sigmaScale is ${sigmaScale}; expected more than 0`);
  const axes = tileSize.map((n) => impulse(n, n * sigmaScale));
  let map = Float64Array.of(1);
  for (const axis of axes) {
    const next = new Float64Array(map.length * axis.length);
    for (let i = 0; i < map.length; i++) for (let j = 0; j < axis.length; j++) next[i * axis.length + j] = map[i] * axis[j];
    map = next;
  }
  let most = 0;
  for (let i = 0; i < map.length; i++) most = Math.max(most, map[i]);
  const data = new Float32Array(map.length);
  let least = Infinity;
  for (let i = 0; i < map.length; i++) {
    const value = map[i] / (most / valueScalingFactor);
    data[i] = dtype === "float16" ? Math.f16round(value) : value;
    if (data[i] > 0 && data[i] < least) least = data[i];
  }
  for (let i = 0; i < data.length; i++) if (data[i] === 0) data[i] = least;
  return { data, shape: [...tileSize] };
}

/**
 * A predictor that averages a network's outputs (logits) over all combinations of mirrored axes: nnU-Net's test time augmentation.
 * @param mirrorAxes spatial axes of a window [B, C, …]; none: what the predictor gives
 * @throws ShapeError from `predict` for an axis that windows do not have
 */
export function withMirroring(
  predictor: WindowPredictor,
  mirrorAxes: readonly number[],
): (windows: HostArray<Float32Array>) => Promise<HostArray> {
  expectArguments("withMirroring", "numbers", { mirrorAxes });
  const predict = functionOf(predictor);
  if (mirrorAxes.length === 0) return async (windows) => predict(windows, []);
  return async (windows) => {
    if (mirrorAxes.some((a) => !Number.isInteger(a) || a < 0 || a >= windows.shape.length - 2))
      throw new ShapeError(
        `withMirroring: mirrorAxes [${mirrorAxes}] do not fit windows [${windows.shape}]; axes count from 0 behind the channels`,
      );
    let sum: Float32Array | undefined;
    let shape: readonly number[] = [];
    for (const axes of combinations(mirrorAxes)) {
      const out = await predict(flipped(windows, axes) as HostArray<Float32Array>, []);
      const back = flipped(out, axes);
      shape = back.shape;
      sum ??= new Float32Array(sizeOf(shape));
      for (let i = 0; i < sum.length; i++) sum[i] += back.data[i];
    }
    const count = 2 ** mirrorAxes.length;
    for (let i = 0; i < sum!.length; i++) sum![i] /= count;
    return { data: sum!, shape };
  };
}

/** All subsets, the smaller first, as itertools.combinations has them: the order in which float32 sums are taken. */
function combinations(axes: readonly number[]): number[][] {
  const all = Array.from({ length: 2 ** axes.length }, (_, bits) => axes.filter((_a, i) => (bits >> i) & 1));
  const rank = (list: readonly number[]) => list.map((a) => axes.indexOf(a));
  return all.sort((a, b) => a.length - b.length || compare(rank(a), rank(b)));
}

function compare(a: readonly number[], b: readonly number[]): number {
  const i = a.findIndex((v, k) => v !== b[k]);
  return i < 0 ? 0 : a[i] - b[i];
}

function flipped(x: HostArray, axes: readonly number[]): HostArray {
  if (axes.length === 0) return x;
  const strides = stridesOf(x.shape);
  const turned = new Set(axes.map((a) => a + 2));
  const start = strides.reduce((at, stride, a) => at + (turned.has(a) ? stride * (x.shape[a] - 1) : 0), 0);
  return copyView(
    x.data,
    x.shape,
    strides.map((stride, a) => (turned.has(a) ? -stride : stride)),
    start,
  );
}
