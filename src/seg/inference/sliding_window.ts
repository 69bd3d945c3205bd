/**
 * @file Inference on images larger than the network's window: windows are cut on a regular grid, predicted in batches and blended by
 * an importance map. Window order, padding, shifting of the last window and weights are those of MONAI's `sliding_window_inference`,
 * so results agree value for value.
 */
import { expectWord } from "../../host/words.ts";
import { torchEdges } from "../../host/edges.ts";
import { described, expectArguments, isClass } from "../../host/kinds.ts";
import type { PadMode } from "../../autograd/pad.ts";
import { ConfigError, ShapeError } from "../../host/errors.ts";
import { expectIntegers } from "../../host/integers.ts";
import { sizeOf, type HostArray } from "../../host/array.ts";
import { expectOptions } from "../../host/options.ts";
import { forEachRow, padTo } from "./padding.ts";
import {
  expectOutputs,
  flattened,
  type ImageOutputs,
  OutputSums,
  type WindowCoord,
  type WindowOutputs,
} from "./window_outputs.ts";

/**
 * Predicts a batch of windows [B, C, ...roi] → [B, K, ...roi], or several outputs as a list or record, each of which may have another size: a function, or what
 * has one named `predict`, such as a `Predictor`. With `withCoord` it is told where the windows are.
 */
export type WindowPredictor<O extends WindowOutputs = HostArray> =
  | ((windows: HostArray<Float32Array>, coords: readonly WindowCoord[]) => Promise<O> | O)
  | { predict(windows: HostArray<Float32Array>, coords: readonly WindowCoord[]): Promise<O> | O };

/** What becomes of a batch's outputs and weights before they are added up. Windows are `[B, C, …roi]`, outputs `[B, K, …]`, weights `[…roi]`. */
export type ProcessFn = (
  outputs: readonly HostArray[],
  windows: HostArray<Float32Array>,
  weights: HostArray,
) => { readonly outputs: readonly HostArray[]; readonly weights: HostArray };

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
  /** Changes the outputs of each batch and the weights of its windows; the sums are divided by the weights of the first batch, as upstream. */
  readonly processFn?: ProcessFn;
  /** Tell the predictor where its windows are, as a second argument. Default false. */
  readonly withCoord?: boolean;
  /**
   * Windows go along `bufferDim`, so many starts of it at a time, and only a first output is kept, of a record the first by name: upstream's order. Here it
   * saves no memory. Default none, as 0 and less.
   */
  readonly bufferSteps?: number;
  /** Spatial axis of `bufferSteps`, from the end if negative. Default −1. */
  readonly bufferDim?: number;
  /** Called after every batch with the windows done and their total. */
  readonly onProgress?: (done: number, total: number) => void;
}

const slidingWindowNames =
  "roiSize swBatchSize overlap mode sigmaScale paddingMode cval roiWeightMap processFn withCoord bufferSteps bufferDim onProgress";

/**
 * Predicts images window by window (MONAI `sliding_window_inference`).
 * @param inputs images [N, C, ...spatial]
 * @returns Σ w·prediction / Σ w, float32 [N, K, ...spatial], K being the predictor's channels; of several outputs the same list or record, each at its scale
 * @throws ConfigError for options outside their range, ShapeError when the predictor's outputs do not go with the windows
 */
export async function slidingWindowInference<O extends WindowOutputs = HostArray>(
  inputs: HostArray,
  options: SlidingWindowOptions,
  predictor: WindowPredictor<O>,
): Promise<ImageOutputs<O>> {
  expectOptions("slidingWindowInference", options, slidingWindowNames);
  expectArguments("slidingWindowInference", "array", { inputs });
  const predict = functionOf(predictor);
  const { swBatchSize = 1, overlap = 0.25, mode = "constant", sigmaScale = 0.125, onProgress } = options;
  expectWord("slidingWindowInference", "mode", mode, ["constant", "gaussian"]);
  expectWord("slidingWindowInference", "paddingMode", options.paddingMode ?? "constant", torchEdges);
  const [n, c, ...size] = inputs.shape;
  if (size.length < 1) throw new ShapeError(`slidingWindowInference: inputs are [${inputs.shape}]; expected [N, C, ...spatial]`);
  expectIntegers("slidingWindowInference", { swBatchSize }, 1);
  const roi = perAxis("roiSize", options.roiSize, size.length).map((r, i) => (r > 0 ? r : size[i]));
  if (roi.some((r) => !Number.isInteger(r)))
    throw new ConfigError(`slidingWindowInference: roiSize must be integers, got [${roi}]`);
  const { image, before } = padTo(inputs, roi, options.paddingMode ?? "constant", options.cval ?? 0);
  const padded = image.shape.slice(2);
  const { starts } = slidingWindowStarts(padded, roi, overlap);
  const importance = { data: weightMap(roi, mode, sigmaScale, options.roiWeightMap), shape: roi };
  const sums = new OutputSums({ images: n, size: padded, roi, starts });
  let pack: ReturnType<typeof flattened>["pack"] | undefined;
  const first = (options.bufferSteps ?? 0) > 0;
  let done = 0;
  for (const windows of batchesOf(starts, n, roi, swBatchSize, options)) {
    const data = { data: gather(image, windows, roi), shape: [windows.length, c, ...roi] };
    const given = flattened(await predict(data, options.withCoord ? windows : []));
    pack ??= given.pack;
    const own = options.processFn?.(given.list, data, importance);
    if (own) expectOutputs("what processFn gives", [...own.outputs, own.weights]);
    const { outputs, weights } = own ?? { outputs: given.list, weights: importance };
    sums.add(first ? outputs.slice(0, 1) : outputs, windows, weights);
    onProgress?.((done += windows.length), starts.length * n);
  }
  const found = sums.finish(before, size);
  if (!pack) throw new ShapeError(`slidingWindowInference: inputs are [${inputs.shape}]; expected at least one image`);
  return pack(found) as ImageOutputs<O>;
}

/** The windows of all images in the order they are predicted; a batch may mix images. */
function batchesOf(
  starts: readonly (readonly number[])[],
  images: number,
  roi: readonly number[],
  size: number,
  { bufferSteps, bufferDim = -1 }: SlidingWindowOptions,
): WindowCoord[][] {
  const all = (list: readonly (readonly number[])[], image: number): WindowCoord[] =>
    list.map((start) => ({ image, start, end: start.map((s, a) => s + roi[a]) }));
  const batches = (list: readonly WindowCoord[]): WindowCoord[][] =>
    Array.from({ length: Math.ceil(list.length / size) }, (_, i) => list.slice(i * size, (i + 1) * size));
  const each = Array.from({ length: images }, (_, image) => image);
  if (!bufferSteps || bufferSteps < 0) return batches(each.flatMap((image) => all(starts, image)));
  expectIntegers("slidingWindowInference", { bufferSteps });
  if (!Number.isInteger(bufferDim) || bufferDim < -roi.length || bufferDim >= roi.length)
    throw new ConfigError(
      `slidingWindowInference: bufferDim must be a spatial axis from ${-roi.length} to ${roi.length - 1}, got ${bufferDim}`,
    );
  const axis = bufferDim < 0 ? bufferDim + roi.length : bufferDim;
  const sorted = starts.toSorted((a, b) => a[axis] - b[axis]);
  const lines = [...new Set(sorted.map((s) => s[axis]))];
  const buffers = Array.from({ length: Math.ceil(lines.length / bufferSteps) }, (_, i) =>
    sorted.filter((s) => lines.slice(i * bufferSteps, (i + 1) * bufferSteps).includes(s[axis])),
  );
  return each.flatMap((image) => buffers.flatMap((buffer) => batches(all(buffer, image))));
}

/** Windows `[B, C, ...roi]` of images `[N, C, ...size]`. */
function gather(
  { data, shape: [, c, ...size] }: HostArray,
  windows: readonly WindowCoord[],
  roi: readonly number[],
): Float32Array {
  const [voxels, inWindow] = [sizeOf(size), sizeOf(roi)];
  const out = new Float32Array(windows.length * c * inWindow);
  for (const [b, { image, start }] of windows.entries()) {
    for (let k = 0; k < c; k++) {
      const [from, to] = [(image * c + k) * voxels, (b * c + k) * inWindow];
      // A loop: a view per row would be more garbage than the volume itself.
      forEachRow(size, start, roi, (at, row, length) => {
        for (let i = 0; i < length; i++) out[to + row + i] = data[from + at + i];
      });
    }
  }
  return out;
}

/**
 * Where windows start, in C order over the axes (last fastest); the last window of an axis is shifted back to end at the border. `imageSize` and `roiSize`
 * are in voxels, and a larger window is cut to the image; `overlap` is a share of the window, 0 to below 1. Gives the step along each axis, `scanInterval`, and the `starts`.
 */
export function slidingWindowStarts(
  imageSize: readonly number[],
  roiSize: readonly number[],
  overlap: number | readonly number[],
): { scanInterval: number[]; starts: number[][] } {
  expectArguments("slidingWindowStarts", "numbers", { imageSize, roiSize });
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
  return scanIntervals(imageSize, roiSize, overlap).map((interval, axis) =>
    startsEvery(interval, imageSize[axis], roiSize[axis]),
  );
}

/**
 * Starts of windows of `roi` voxels on an axis of `size`, the last shifted back: MONAI's `dense_patch_slices` of one axis, with its single start at 0 for an
 * interval of 0 or one whose steps end before the border.
 */
export function startsEvery(interval: number, size: number, roi: number): number[] {
  // A larger window is cut to the axis, as upstream.
  const last = Math.max(size - roi, 0);
  const steps = interval > 0 ? Math.ceil(last / interval) : 0;
  if (steps * interval >= size) return [0];
  return Array.from({ length: steps + 1 }, (_, i) => Math.min(i * interval, last));
}

function scanIntervals(imageSize: readonly number[], roiSize: readonly number[], overlap: number | readonly number[]): number[] {
  const overlaps = perAxis("overlap", overlap, imageSize.length);
  if (overlaps.some((o) => !(o >= 0 && o < 1)))
    throw new ConfigError(`slidingWindowInference: overlap must be in [0, 1), got ${String(overlap)}`);
  return roiSize.map((r, i) => (r === imageSize[i] ? r : Math.max(1, Math.trunc(r * (1 - overlaps[i])))));
}

/**
 * Weights of a window's voxels (MONAI `compute_importance_map`): ones, or Π exp(−x²/2σ²) with x from the center and σ = size·sigmaScale,
 * never below max(smallest weight, 1e-3) so that no voxel divides by zero. `patchSize` is in voxels, and the shape of the result.
 */
export function computeImportanceMap(
  patchSize: readonly number[],
  mode: BlendMode = "constant",
  sigmaScale: number | readonly number[] = 0.125,
): HostArray<Float32Array> {
  expectArguments("computeImportanceMap", "numbers", { patchSize });
  const data = new Float32Array(sizeOf(patchSize)).fill(1);
  if (mode === "constant") return { data, shape: patchSize };
  if (mode !== "gaussian")
    throw new ConfigError(`computeImportanceMap: unknown mode "${String(mode)}"; use "constant" or "gaussian"`);
  const scales = perAxis("sigmaScale", sigmaScale, patchSize.length);
  let inner = 1;
  for (let axis = patchSize.length - 1; axis >= 0; axis--) {
    const line = bell(patchSize[axis], scales[axis]);
    for (let i = 0; i < data.length;) {
      for (let k = 0; k < line.length; k++) for (let j = 0; j < inner; j++) data[i++] *= line[k];
    }
    inner *= line.length;
  }
  let least = Infinity;
  for (let i = 0; i < data.length; i++) least = Math.min(least, data[i]);
  const floor = Math.max(least, 1e-3);
  for (let i = 0; i < data.length; i++) data[i] = Math.max(data[i], floor);
  return { data, shape: patchSize };
}

/** A gaussian around the middle of `size` places, 1 there. */
function bell(size: number, sigmaScale: number): Float64Array {
  const variance = (size * sigmaScale) ** 2;
  const line = new Float64Array(size);
  for (let i = 0; i < size; i++) line[i] = Math.exp(-((i - (size - 1) / 2) ** 2) / (2 * variance));
  return line;
}

export function functionOf<O extends WindowOutputs>(predictor: WindowPredictor<O>) {
  if (typeof predictor === "function" && !isClass(predictor)) return predictor;
  const other = predictor as Exclude<typeof predictor, (...args: never[]) => unknown> | undefined;
  if (typeof other?.predict === "function")
    return (windows: HostArray<Float32Array>, coords: readonly WindowCoord[]) => other.predict(windows, coords);
  const module = typeof (predictor as { forward?: unknown } | undefined)?.forward === "function";
  throw new ConfigError(
    `slidingWindowInference: the predictor is ${module ? "a module; give new Predictor(device, module)" : `${described(predictor)}, expected a function or an object with predict()`}`,
  );
}

/** One option value per spatial axis; a single number stands for all. */
export function perAxis(name: string, value: number | readonly number[], axes: number): number[] {
  expectArguments("sliding windows", "spread", { [name]: value });
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
  expectArguments("slidingWindowInference", "array", { roiWeightMap: own });
  if (String(own.shape) !== String(roi))
    throw new ShapeError(`slidingWindowInference: roiWeightMap is [${own.shape}]; expected the window's shape [${roi}]`);
  return own.data;
}
