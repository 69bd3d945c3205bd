/** @file MONAI's inferers: from a volume, a tensor or an array and a network (or what stands for one) to the scores of each voxel. */

import { expectWindowWords } from "./window_options.ts";
import { expectArguments } from "../../host/kinds.ts";
import { isVolume, makeVolume, type Volume } from "../../data/volume.ts";
import { type HostArray, sizeOf } from "../../host/array.ts";
import { ConfigError, ShapeError } from "../../host/errors.ts";
import { expectOptions } from "../../host/options.ts";
import type { AbortSignal } from "../../host/platform.ts";
import { Module } from "../../nn/module.ts";
import { Tensor } from "../../tensor/tensor.ts";
import type { KeepScores, KeptScoreMap } from "./kept_scores.ts";
import { deviceOf } from "./device_of.ts";
import { DeviceWindows, type DeviceWindowsOptions } from "./device_windows.ts";
import {
  functionOf,
  perAxis,
  slidingWindowInference,
  type SlidingWindowOptions,
  type WindowPredictor,
} from "./sliding_window.ts";

/** A network, which stays on its device with all that it makes; or a function or predictor of host arrays. */
export type Model = Module | WindowPredictor;

/** Options of an inferer; those of `DeviceWindows` count for networks. */
export interface InfererOptions extends SlidingWindowOptions, Omit<DeviceWindowsOptions, "sliceAxis"> {
  /** Aborting it ends the run after the batch in flight, with the signal's reason. */
  readonly signal?: AbortSignal | undefined;
}

const infererNames =
  "roiSize:spread! swBatchSize:number overlap:spread mode:text sigmaScale:spread paddingMode:text cval:number roiWeightMap scan mirrorAxes rot90Axes activation precision:text sums maxBytes:number processFn withCoord bufferSteps bufferDim onProgress signal";

/** What only networks have windows on the device for, and what only functions of host arrays are asked. */
const ofNetworks = "scan mirrorAxes rot90Axes activation precision sums maxBytes".split(" ");
const ofFunctions = "processFn withCoord bufferSteps bufferDim".split(" ");

/** Throws `ConfigError` for options that mean nothing to this kind of model. */
function expectFitting(model: Model, options: InfererOptions): void {
  const network = model instanceof Module;
  const other = (network ? ofFunctions : ofNetworks).filter((name) => options[name as keyof InfererOptions] !== undefined);
  if (other.length === 0) return;
  throw new ConfigError(
    `inferer: ${other.join(", ")} ${other.length === 1 ? "is" : "are"} for ` +
      (network
        ? "functions of host arrays, and the model is a network: give new Predictor(device, network), or leave them out"
        : "networks, which stay on their device, and the model is a function or a predictor: give the network itself, or leave them out"),
  );
}

/** Images `[N, C, ...spatial]` as host arrays or tensors. */
export type Images = HostArray | Tensor;

/** Sliding-window inference with fixed options (MONAI `SlidingWindowInferer`). */
export class SlidingWindowInferer {
  /** The options it was made with. */
  readonly options: InfererOptions;

  constructor(options: InfererOptions) {
    expectOptions("SlidingWindowInferer", options, infererNames);
    expectWindowWords("SlidingWindowInferer", options);
    this.options = options;
  }

  /**
   * Weighted means of the outputs, float32: for a volume `[C, x, y, z]` a volume `[K, x, y, z]` in its place, for images `[N, C, ...spatial]` an array
   * `[N, K, ...spatial]`.
   * @throws ConfigError for options outside their range, ShapeError when the network changes batch or window size
   */
  run(image: Volume, model: Model): Promise<Volume<Float32Array>>;
  run(images: Images, model: Model): Promise<HostArray<Float32Array>>;
  run(images: Volume | Images, model: Model): Promise<HostArray<Float32Array>> {
    return onImages(images, (x) => infer(x, model, this.options));
  }

  /** The same of a network for a volume `[C, x, y, z]`, kept where `keep` says, to be read a channel at a time and disposed. @throws as `run` */
  scores(image: Volume, network: Module, keep: KeepScores): Promise<KeptScoreMap> {
    return keptScores(image, network, this.options, keep);
  }
}

/** Options of `SliceInferer`. */
export interface SliceInfererOptions extends InfererOptions {
  /** Window size within a slice, two numbers (or one for both). In pixels. */
  readonly roiSize: number | readonly number[];
  /** The spatial axis that slices are taken along: 0, 1 or 2. Default 0. */
  readonly spatialDim?: number;
}

/** Runs a 2-D network over a volume slice by slice (MONAI `SliceInferer`); the network sees [B, C, a, b]. */
export class SliceInferer {
  /** The options it was made with. */
  readonly options: SliceInfererOptions;

  constructor(options: SliceInfererOptions) {
    expectOptions("SliceInferer", options, `${infererNames} spatialDim`);
    expectWindowWords("SliceInferer", options);
    const { roiSize, spatialDim = 0 } = options;
    if (![0, 1, 2].includes(spatialDim)) throw new ConfigError(`SliceInferer: spatialDim must be 0, 1 or 2, got ${spatialDim}`);
    if (typeof roiSize !== "number" && roiSize.length !== 2)
      throw new ConfigError(`SliceInferer: roiSize must be the two sizes within a slice, got [${roiSize}]`);
    this.options = options;
  }

  /** As `SlidingWindowInferer`'s, for volumes `[N, C, D, H, W]`. @throws ShapeError when the input is no volume */
  run(image: Volume, model: Model): Promise<Volume<Float32Array>>;
  run(images: Images, model: Model): Promise<HostArray<Float32Array>>;
  run(images: Volume | Images, model: Model): Promise<HostArray<Float32Array>> {
    return onImages(images, (x) => this.slices(x, model));
  }

  private slices(volume: HostArray, model: Model): Promise<HostArray<Float32Array>> {
    if (volume.shape.length !== 5)
      throw new ShapeError(
        `SliceInferer.run: the volume is [${volume.shape}]; expected [N, C, D, H, W]; for 2-D images use SlidingWindowInferer`,
      );
    const { sliceAxis, ...options } = this.inVolume();
    expectFitting(model, options);
    if (model instanceof Module) return inferOnDevice(volume, model, { ...options, sliceAxis });
    const predict = functionOf(model);
    const axis = sliceAxis + 2;
    return infer(
      volume,
      async ({ data, shape }, coords) => {
        const out = await predict({ data, shape: shape.toSpliced(axis, 1) }, coords);
        expectArguments("SliceInferer", "array", { "what the predictor gives": out });
        return { data: out.data, shape: out.shape.toSpliced(axis, 0, 1) };
      },
      options,
    );
  }

  /** As `SlidingWindowInferer`'s: of a volume `[C, x, y, z]`. */
  scores(image: Volume, network: Module, keep: KeepScores): Promise<KeptScoreMap> {
    return keptScores(image, network, this.inVolume(), keep);
  }

  /** The options of windows that are one voxel thick. */
  private inVolume(): InfererOptions & { readonly sliceAxis: number } {
    const { spatialDim = 0, overlap, sigmaScale, roiSize, ...rest } = this.options;
    return {
      ...rest,
      sliceAxis: spatialDim,
      roiSize: perAxis("roiSize", roiSize, 2).toSpliced(spatialDim, 0, 1),
      ...(overlap !== undefined && { overlap: inSlice("overlap", overlap, spatialDim, 0) }),
      ...(sigmaScale !== undefined && { sigmaScale: inSlice("sigmaScale", sigmaScale, spatialDim, 0.125) }),
    };
  }
}

/** Networks see the whole image at once (MONAI `SimpleInferer`). */
export class SimpleInferer {
  /** As `SlidingWindowInferer`'s. Images are `[N, C, …]`, a volume `[C, …]`. */
  run(image: Volume, model: Model): Promise<Volume<Float32Array>>;
  run(images: Images, model: Model): Promise<HostArray<Float32Array>>;
  run(images: Volume | Images, model: Model): Promise<HostArray<Float32Array>> {
    return onImages(images, (x) => infer(x, model, { roiSize: 0 }));
  }

  /** As `SlidingWindowInferer`'s: of a volume `[C, x, y, z]`. */
  scores(image: Volume, network: Module, keep: KeepScores): Promise<KeptScoreMap> {
    return keptScores(image, network, { roiSize: 0 }, keep);
  }
}

async function onImages(
  images: Volume | Images,
  run: (x: HostArray) => Promise<HostArray<Float32Array>>,
): Promise<HostArray<Float32Array>> {
  if (!(images instanceof Tensor)) expectArguments("inferer", "array", { image: images });
  if (images instanceof Tensor) return run({ data: await images.data(), shape: images.shape });
  if (!isVolume(images)) return run(images);
  const { data, shape } = await run({ data: images.data, shape: [1, ...images.shape] });
  return makeVolume({ data, shape: shape.slice(1) }, images.affine, images.meta);
}

function infer(x: HostArray, model: Model, options: InfererOptions): Promise<HostArray<Float32Array>> {
  expectFitting(model, options);
  if (model instanceof Module) return inferOnDevice(x, model, options);
  const { signal, ...rest } = options;
  const predict = functionOf(model);
  return slidingWindowInference(x, rest, (windows, coords) => {
    signal?.throwIfAborted();
    return predict(windows, coords);
  });
}

async function inferOnDevice(x: HostArray, model: Module, options: InfererOptions & { sliceAxis?: number }) {
  const { signal, onProgress, ...rest } = options;
  const [n, ...shape] = x.shape;
  const windows = new DeviceWindows(deviceOf(model), model, rest);
  const size = sizeOf(shape);
  let out: HostArray<Float32Array> | undefined;
  try {
    for (let i = 0; i < n; i++) {
      const scores = await windows.run(
        { data: x.data.subarray(i * size, (i + 1) * size), shape },
        { scores: true, signal, onProgress: (done, total) => onProgress?.(i * total + done, n * total) },
      );
      const { data, shape: found } = scores.scores!;
      out ??= { data: new Float32Array(n * data.length), shape: [n, ...found] };
      out.data.set(data, i * data.length);
    }
  } finally {
    windows.dispose();
  }
  if (!out) throw new ShapeError(`inferer: the images are [${x.shape}]; expected at least one`);
  return out;
}

async function keptScores(
  image: Volume,
  network: Module,
  options: InfererOptions & { readonly sliceAxis?: number },
  keep: KeepScores,
): Promise<KeptScoreMap> {
  expectFitting(network, options);
  const { signal, onProgress, ...rest } = options;
  const windows = new DeviceWindows(deviceOf(network), network, rest);
  try {
    return (await windows.run(image, { scores: true, keepScores: keep, signal, onProgress })).scoreMap!;
  } finally {
    windows.dispose();
  }
}

/** A per-axis option of a slice inferer may name the two axes of the slice or all three of the volume. */
function inSlice(name: string, value: number | readonly number[], spatialDim: number, depth: number): number | number[] {
  if (typeof value === "number") return value;
  return value.length === 2 ? value.toSpliced(spatialDim, 0, depth) : perAxis(name, value, 3);
}
