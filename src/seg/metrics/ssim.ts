/** @file Structural similarity of images, at one scale (Wang et al. 2004) and at several (Wang et al. 2003), with MONAI's options. */

import { expectOptions } from "../../host/options.ts";
import { sizeOf, type HostArray, type TypedArray } from "../../host/array.ts";
import { ConfigError, ShapeError } from "../../host/errors.ts";
import { showShape } from "../../host/shape.ts";
import { CumulativeMetric, type ReductionOptions } from "./cumulative.ts";
import { expectImages } from "./regression.ts";

/** Options of `SSIMMetric`. */
export interface SSIMOptions extends ReductionOptions {
  /** 2 or 3. */
  readonly spatialDims: number;
  /** Range of the values. Default 1. */
  readonly dataRange?: number;
  /** Default "gaussian". */
  readonly kernelType?: "gaussian" | "uniform";
  /** Size of the window, one number or one per axis. Default 11. */
  readonly winSize?: number | readonly number[];
  /** Of the gaussian window, one number or one per axis. Default 1.5. In voxels. */
  readonly kernelSigma?: number | readonly number[];
  /** Keeps the quotient of the means from 0/0. Default 0.01. */
  readonly k1?: number;
  /** Keeps the quotient of the variances from 0/0. Default 0.03. */
  readonly k2?: number;
}

const names = "spatialDims:number dataRange:number kernelType:text kernelSigma:spread k1:number k2:number reduction";

const each = (value: number | readonly number[], dims: number): readonly number[] =>
  typeof value === "number" ? new Array<number>(dims).fill(value) : value;

/** One window per axis; their product is the window. */
function windows(op: string, options: SSIMOptions): Float64Array[] {
  const { spatialDims: dims, kernelType = "gaussian", winSize = 11, kernelSigma = 1.5 } = options;
  if (dims !== 2 && dims !== 3) throw new ConfigError(`${op}: spatialDims is 2 or 3, got ${String(dims)}`);
  if (kernelType !== "gaussian" && kernelType !== "uniform")
    throw new ConfigError(`${op}: kernelType is "gaussian" or "uniform", got "${String(kernelType)}"`);
  const [sizes, sigmas] = [each(winSize, dims), each(kernelSigma, dims)];
  if (sizes.length !== dims || sigmas.length !== dims)
    throw new ConfigError(`${op}: window sizes and sigmas are one number or ${dims}, got [${sizes}] and [${sigmas}]`);
  return sizes.map((size, a) => {
    const weights = Float64Array.from({ length: size }, (_, i) =>
      kernelType === "uniform" ? 1 : Math.exp(-(((i + (1 - size) / 2) / sigmas[a]) ** 2) / 2),
    );
    const sum = weights.reduce((s, w) => s + w, 0);
    return weights.map((w) => w / sum);
  });
}

/** The weighted mean in every window that lies inside, one axis after the other. */
function windowMeans(data: Float64Array, shape: readonly number[], weights: readonly Float64Array[]): Float64Array {
  let from = data;
  const size = [...shape];
  weights.forEach((w, axis) => {
    const inner = sizeOf(size.slice(axis + 1));
    const n = size[axis];
    const kept = n - w.length + 1;
    const outer = from.length / (n * inner);
    const to = new Float64Array(outer * kept * inner);
    for (let o = 0; o < outer; o++) {
      for (let k = 0; k < w.length; k++) {
        const source = (o * n + k) * inner;
        const target = o * kept * inner;
        for (let i = 0; i < kept * inner; i++) to[target + i] += w[k] * from[source + i];
      }
    }
    size[axis] = kept;
    from = to;
  });
  return from;
}

const product = (a: TypedArray, b: TypedArray): Float64Array => {
  const out = new Float64Array(a.length);
  for (let i = 0; i < out.length; i++) out[i] = a[i] * b[i];
  return out;
};

/** Mean similarity, and mean of its part that compares contrast, of one channel. */
function channelSimilarity(
  x: Float64Array,
  y: Float64Array,
  shape: readonly number[],
  w: readonly Float64Array[],
  c1: number,
  c2: number,
) {
  const [mx, my, xx, yy, xy] = [x, y, product(x, x), product(y, y), product(x, y)].map((f) => windowMeans(f, shape, w));
  let [similarity, contrast] = [0, 0];
  for (let i = 0; i < mx.length; i++) {
    const [a, b] = [mx[i], my[i]];
    const cs = (2 * (xy[i] - a * b) + c2) / (xx[i] - a * a + yy[i] - b * b + c2);
    contrast += cs;
    similarity += ((2 * a * b + c1) / (a * a + b * b + c1)) * cs;
  }
  return { similarity: similarity / mx.length, contrast: contrast / mx.length };
}

/** Means over the channels of a sample. */
function similarity(
  x: readonly Float64Array[],
  y: readonly Float64Array[],
  shape: readonly number[],
  w: readonly Float64Array[],
  o: SSIMOptions,
) {
  const { dataRange = 1, k1 = 0.01, k2 = 0.03 } = o;
  const all = x.map((plane, c) => channelSimilarity(plane, y[c], shape, w, (k1 * dataRange) ** 2, (k2 * dataRange) ** 2));
  const mean = (values: readonly number[]): number => values.reduce((s, v) => s + v, 0) / values.length;
  return { similarity: mean(all.map((c) => c.similarity)), contrast: mean(all.map((c) => c.contrast)) };
}

/** Channels of each sample as float64. */
function channels({ data, shape }: HostArray, sample: number): Float64Array[] {
  const [samples, count] = shape;
  const voxels = data.length / (samples * count);
  return Array.from({ length: count }, (_, c) =>
    Float64Array.from(data.subarray((sample * count + c) * voxels, (sample * count + c + 1) * voxels)),
  );
}

function expectSpace(op: string, yPred: HostArray, y: HostArray, dims: number): void {
  expectImages(op, yPred, y);
  if (y.shape.length !== dims + 2)
    throw new ShapeError(`${op}: expected [N, C] and ${dims} spatial axes, got ${showShape(y.shape)}`);
}

/** Structural similarity of each sample over a data set (MONAI `SSIMMetric`). Windows lie inside the image. */
export class SSIMMetric extends CumulativeMetric<SSIMOptions> {
  private readonly windows: readonly Float64Array[];

  constructor(options: SSIMOptions) {
    expectOptions("SSIMMetric", options, `${names} winSize:spread`);
    super(options);
    this.windows = windows("SSIMMetric", options);
  }

  protected override compute(yPred: HostArray, y: HostArray): HostArray<Float64Array> {
    expectSpace("SSIMMetric", yPred, y, this.options.spatialDims);
    const [samples, , ...space] = y.shape;
    if (space.some((n, a) => n < this.windows[a].length))
      throw new ShapeError(
        `SSIMMetric: images of ${showShape(space)} are smaller than the window [${this.windows.map((w) => w.length)}]`,
      );
    const data = Float64Array.from(
      { length: samples },
      (_, s) => similarity(channels(yPred, s), channels(y, s), space, this.windows, this.options).similarity,
    );
    return { data, shape: [samples, 1] };
  }
}

/** Options of `MultiScaleSSIMMetric`. */
export interface MultiScaleSSIMOptions extends Omit<SSIMOptions, "winSize"> {
  /** Size of the window, one number or one per axis. Default 11. */
  readonly kernelSize?: number | readonly number[];
  /** Exponent of each scale, the finest first. Default 0.0448, 0.2856, 0.3001, 0.2363, 0.1333. */
  readonly weights?: readonly number[];
}

/** Halves every axis, by means of 2×2(×2) voxels; what does not fit is left out. */
function halved(data: Float64Array, shape: readonly number[]): Float64Array {
  let from = data;
  const size = [...shape];
  shape.forEach((n, axis) => {
    const inner = sizeOf(size.slice(axis + 1));
    const kept = Math.floor(n / 2);
    const outer = from.length / (n * inner);
    const to = new Float64Array(outer * kept * inner);
    for (let o = 0, t = 0; o < outer; o++)
      for (let k = 0; k < kept; k++)
        for (let i = 0, s = (o * n + 2 * k) * inner; i < inner; i++, t++) to[t] = (from[s + i] + from[s + inner + i]) / 2;
    size[axis] = kept;
    from = to;
  });
  return from;
}

/** Structural similarity at several scales of each sample over a data set (MONAI `MultiScaleSSIMMetric`): contrast at all, similarity at the coarsest. */
export class MultiScaleSSIMMetric extends CumulativeMetric<MultiScaleSSIMOptions> {
  private readonly windows: readonly Float64Array[];
  private readonly weights: readonly number[];

  constructor(options: MultiScaleSSIMOptions) {
    expectOptions("MultiScaleSSIMMetric", options, `${names} kernelSize:spread weights:numbers`);
    super(options);
    const { kernelSize, weights = [0.0448, 0.2856, 0.3001, 0.2363, 0.1333], ...rest } = options;
    if (weights.length === 0) throw new ConfigError("MultiScaleSSIMMetric: weights has no entry; give one per scale");
    this.weights = weights;
    this.windows = windows("MultiScaleSSIMMetric", kernelSize === undefined ? rest : { ...rest, winSize: kernelSize });
  }

  protected override compute(yPred: HostArray, y: HostArray): HostArray<Float64Array> {
    const op = "MultiScaleSSIMMetric";
    expectSpace(op, yPred, y, this.options.spatialDims);
    const [samples, , ...space] = y.shape;
    // MONAI's bound, which is stricter than the smallest scale needs for more than two scales.
    const parts = Math.max(1, this.weights.length - 1) ** 2;
    if (space.some((n, a) => Math.floor(n / parts) <= this.windows[a].length - 1))
      throw new ShapeError(
        `${op}: for ${this.weights.length} weights and windows of [${this.windows.map((w) => w.length)}] each axis has to be longer than ` +
          `${this.windows.map((w) => (w.length - 1) * parts).join(", ")}, got ${showShape(space)}`,
      );
    return {
      data: Float64Array.from({ length: samples }, (_, s) => this.sample(channels(yPred, s), channels(y, s), space)),
      shape: [samples, 1],
    };
  }

  private sample(x: Float64Array[], y: Float64Array[], space: readonly number[]): number {
    let score = 1;
    let [a, b, size] = [x, y, [...space]];
    this.weights.forEach((weight, scale) => {
      const found = similarity(a, b, size, this.windows, this.options);
      score *= Math.max(0, scale === this.weights.length - 1 ? found.similarity : found.contrast) ** weight;
      [a, b] = [a, b].map((list) => list.map((plane) => halved(plane, size)));
      size = size.map((n) => Math.floor(n / 2));
    });
    return score;
  }
}
