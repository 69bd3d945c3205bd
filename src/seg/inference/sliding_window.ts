/**
 * @file Inference on images larger than the network's window: windows are cut on a regular grid, predicted in batches and blended by
 * an importance map. Window order, padding, shifting of the last window and weights are those of MONAI's `sliding_window_inference`,
 * so results agree value for value.
 */
import type { PadMode } from "../../autograd/pad.ts";
import { ConfigError, ShapeError } from "../../host/errors.ts";
import { sizeOf, type HostArray } from "../../host/array.ts";
import { expectOptions } from "../../host/options.ts";
import { forEachRow, padTo, unpad } from "./padding.ts";

/** Predicts a batch of windows [B, C, ...roi] → [B, K, ...roi]: a function, or what has one named `predict`, such as a `Predictor`. */
export type WindowPredictor =
  | ((windows: HostArray<Float32Array>) => Promise<HostArray> | HostArray)
  | { predict(windows: HostArray<Float32Array>): Promise<HostArray> | HostArray };

/** Weight of a window's voxels where windows overlap: all equal, or falling off from the center. */
export type BlendMode = "constant" | "gaussian";

/** How images are cut into windows, and how their predictions are joined. */
export interface SlidingWindowOptions {
  /** Window size per spatial axis, one number for all; an entry ≤ 0 takes the whole axis. */
  readonly roiSize: number | readonly number[];
  /** Windows per call of the predictor; a batch may mix images. Default 1. */
  readonly swBatchSize?: number;
  /** Share of the window that neighbors overlap, in [0, 1), per axis or for all. Default 0.25. */
  readonly overlap?: number | readonly number[];
  /** Default "constant". */
  readonly mode?: BlendMode;
  /** Standard deviation of the gaussian as a share of the window, per axis or for all. Default 0.125. */
  readonly sigmaScale?: number | readonly number[];
  /** How an image smaller than the window is extended; default "constant". */
  readonly paddingMode?: PadMode;
  /** Value of constant padding. Default 0. */
  readonly cval?: number;
  /** Own non-negative weights of shape roiSize in place of `mode`'s; used where the window has its full size. */
  readonly roiWeightMap?: HostArray;
  /** Called after every batch with the windows done and their total. */
  readonly onProgress?: (done: number, total: number) => void;
}

const slidingWindowNames = "roiSize swBatchSize overlap mode sigmaScale paddingMode cval roiWeightMap onProgress";

/**
 * Predicts images window by window (MONAI `sliding_window_inference`).
 * @param inputs images [N, C, ...spatial]
 * @returns Σ w·prediction / Σ w, float32 [N, K, ...spatial], K being the predictor's channels
 * @throws ConfigError for options outside their range, ShapeError when the predictor changes batch or window size
 */
export async function slidingWindowInference(
  inputs: HostArray,
  options: SlidingWindowOptions,
  predictor: WindowPredictor,
): Promise<HostArray<Float32Array>> {
  expectOptions("slidingWindowInference", options, slidingWindowNames);
  const predict = functionOf(predictor);
  const { swBatchSize = 1, overlap = 0.25, mode = "constant", sigmaScale = 0.125, onProgress } = options;
  const [n, c, ...size] = inputs.shape;
  if (size.length < 1) throw new ShapeError(`slidingWindowInference: inputs are [${inputs.shape}]; expected [N, C, ...spatial]`);
  if (!Number.isInteger(swBatchSize) || swBatchSize < 1)
    throw new ConfigError(`slidingWindowInference: swBatchSize must be a positive integer, got ${swBatchSize}`);
  const roi = perAxis("roiSize", options.roiSize, size.length).map((r, i) => (r > 0 ? r : size[i]));
  if (roi.some((r) => !Number.isInteger(r)))
    throw new ConfigError(`slidingWindowInference: roiSize must be integers, got [${roi}]`);
  const { image, before } = padTo(inputs, roi, options.paddingMode ?? "constant", options.cval ?? 0);
  const padded = image.shape.slice(2);
  const { starts } = slidingWindowStarts(padded, roi, overlap);
  const weights = weightMap(roi, mode, sigmaScale, options.roiWeightMap);

  const total = starts.length * n;
  const [voxels, roiVoxels] = [sizeOf(padded), sizeOf(roi)];
  let channels = 0;
  let sum = new Float32Array(0);
  for (let first = 0; first < total; first += swBatchSize) {
    const batch = Math.min(swBatchSize, total - first);
    const windows = new Float32Array(batch * c * roiVoxels);
    for (let b = 0; b < batch; b++) {
      const [sample, start] = locate(first + b, starts);
      for (let k = 0; k < c; k++) {
        const [from, to] = [(sample * c + k) * voxels, (b * c + k) * roiVoxels];
        // A loop: a view per row would be more garbage than the volume itself.
        forEachRow(padded, start, roi, (at, row, length) => {
          for (let i = 0; i < length; i++) windows[to + row + i] = image.data[from + at + i];
        });
      }
    }
    const out = await predict({ data: windows, shape: [batch, c, ...roi] });
    checkPrediction(out, batch, channels, roi);
    if (first === 0) {
      channels = out.shape[1];
      sum = new Float32Array(n * channels * voxels);
    }
    for (let b = 0; b < batch; b++) {
      const [sample, start] = locate(first + b, starts);
      for (let k = 0; k < channels; k++) {
        const [from, to] = [(b * channels + k) * roiVoxels, (sample * channels + k) * voxels];
        forEachRow(padded, start, roi, (at, row, length) => {
          for (let i = 0; i < length; i++) sum[to + at + i] += out.data[from + row + i] * weights[row + i];
        });
      }
    }
    onProgress?.(first + batch, total);
  }

  const count = new Float32Array(voxels);
  for (const start of starts)
    forEachRow(padded, start, roi, (at, row, length) => {
      for (let i = 0; i < length; i++) count[at + i] += weights[row + i];
    });
  for (let i = 0; i < sum.length; i++) sum[i] /= count[i % voxels];
  return unpad({ data: sum, shape: [n, channels, ...padded] }, before, size);
}

/** Where windows start, in C order over the axes (last fastest); the last window of an axis is shifted back to end at the border. */
export function slidingWindowStarts(
  imageSize: readonly number[],
  roiSize: readonly number[],
  overlap: number | readonly number[],
): { scanInterval: number[]; starts: number[][] } {
  const scanInterval = scanIntervals(imageSize, roiSize, overlap);
  let starts: number[][] = [[]];
  for (const here of axisStarts(imageSize, roiSize, overlap)) starts = starts.flatMap((s) => here.map((h) => [...s, h]));
  return { scanInterval, starts };
}

/** The same for each axis by itself. */
export function axisStarts(
  imageSize: readonly number[],
  roiSize: readonly number[],
  overlap: number | readonly number[],
): number[][] {
  return scanIntervals(imageSize, roiSize, overlap).map((interval, axis) => {
    const last = imageSize[axis] - roiSize[axis];
    const here: number[] = [];
    for (let s = 0; s < last; s += interval) here.push(s);
    return [...here, last];
  });
}

function scanIntervals(imageSize: readonly number[], roiSize: readonly number[], overlap: number | readonly number[]): number[] {
  const overlaps = perAxis("overlap", overlap, imageSize.length);
  if (overlaps.some((o) => !(o >= 0 && o < 1)))
    throw new ConfigError(`slidingWindowInference: overlap must be in [0, 1), got ${String(overlap)}`);
  return roiSize.map((r, i) => (r === imageSize[i] ? r : Math.max(1, Math.trunc(r * (1 - overlaps[i])))));
}

/**
 * Weights of a window's voxels (MONAI `compute_importance_map`): ones, or Π exp(−x²/2σ²) with x from the center and σ = size·sigmaScale,
 * never below max(smallest weight, 1e-3) so that no voxel divides by zero.
 */
export function computeImportanceMap(
  patchSize: readonly number[],
  mode: BlendMode = "constant",
  sigmaScale: number | readonly number[] = 0.125,
): HostArray<Float32Array> {
  const data = new Float32Array(sizeOf(patchSize)).fill(1);
  if (mode === "constant") return { data, shape: patchSize };
  if (mode !== "gaussian")
    throw new ConfigError(`computeImportanceMap: unknown mode "${String(mode)}"; use "constant" or "gaussian"`);
  const scales = perAxis("sigmaScale", sigmaScale, patchSize.length);
  let inner = 1;
  for (let axis = patchSize.length - 1; axis >= 0; axis--) {
    const size = patchSize[axis];
    const variance = (size * scales[axis]) ** 2;
    for (let i = 0; i < data.length; i++) {
      const x = (Math.floor(i / inner) % size) - (size - 1) / 2;
      data[i] *= Math.exp(-(x * x) / (2 * variance));
    }
    inner *= size;
  }
  const floor = Math.max(
    data.reduce((a, b) => Math.min(a, b), Infinity),
    1e-3,
  );
  return { data: data.map((w) => Math.max(w, floor)), shape: patchSize };
}

export function functionOf(predictor: WindowPredictor) {
  if (typeof predictor === "function") return predictor;
  if (typeof predictor?.predict === "function") return (windows: HostArray<Float32Array>) => predictor.predict(windows);
  const module = typeof (predictor as { forward?: unknown } | undefined)?.forward === "function";
  throw new ConfigError(
    `slidingWindowInference: the predictor is ${module ? "a module; give new Predictor(device, module)" : `${typeof predictor}, expected a function or an object with predict()`}`,
  );
}

/** One option value per spatial axis; a single number stands for all. */
export function perAxis(name: string, value: number | readonly number[], axes: number): number[] {
  if (typeof value === "number") return new Array<number>(axes).fill(value);
  if (value.length === axes) return [...value];
  throw new ConfigError(`${name} [${value}] has ${value.length} entries; expected ${axes}, one per spatial axis, or one number`);
}

export function weightMap(
  roi: readonly number[],
  mode: BlendMode,
  sigmaScale: number | readonly number[],
  own?: HostArray,
): HostArray["data"] {
  if (!own) return computeImportanceMap(roi, mode, sigmaScale).data;
  if (String(own.shape) !== String(roi))
    throw new ShapeError(`slidingWindowInference: roiWeightMap is [${own.shape}]; expected the window's shape [${roi}]`);
  return own.data;
}

/** Image and window start of window `index`: all windows of the first image, then of the next. */
function locate(index: number, starts: readonly number[][]): [sample: number, start: number[]] {
  return [Math.floor(index / starts.length), starts[index % starts.length]];
}

function checkPrediction(out: HostArray, batch: number, channels: number, roi: readonly number[]): void {
  const [n, c, ...size] = out.shape;
  if (n !== batch || (channels > 0 && c !== channels) || String(size) !== String(roi))
    throw new ShapeError(
      `slidingWindowInference: the predictor returned [${out.shape}] for windows [${[batch, "C", ...roi]}]; expected the same batch and window size and equal channels in every batch`,
    );
}
