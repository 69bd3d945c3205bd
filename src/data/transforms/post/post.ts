/** @file From network outputs to masks: `Activations`, `AsDiscrete`. Arrays are one sample, channel-first. */
import { expectArguments } from "../../../host/kinds.ts";
import { ConfigError, DataError, ShapeError } from "../../../host/errors.ts";
import { argmaxPlanes } from "../../../host/argmax.ts";
import { sizeOf, type HostArray, type TypedArray } from "../../../host/array.ts";
import { normalizeAxis, showShape } from "../../../host/shape.ts";
import { castTo, type DTypeName, workingCopy } from "../shape/cast.ts";
import { roundHalfEven } from "../../../host/rounding.ts";
import { extent } from "../../../host/stats.ts";
import { endOf, fill, type Lanes, lanesFor } from "../../../host/simd/chunks.ts";
import { chunkSize, places } from "../../../host/simd/places.ts";
import { unfilledFloats } from "../../../host/unfilled.ts";
import type { Transform } from "../transform.ts";
import { allOptions } from "../options.ts";

/** Which of its steps `Activations` takes. */
export interface ActivationsOptions {
  /** Sigmoid of each element; excludes `softmax`. Default false. */
  readonly sigmoid?: boolean;
  /** Softmax along `dim`; excludes `sigmoid`. Default false. */
  readonly softmax?: boolean;
  /** A function per element. `v` is one element; the last step. Default null. */
  readonly other?: ((v: number) => number) | null;
  /** Axis of the softmax. Default 0, the channels. */
  readonly dim?: number;
}

/**
 * Sigmoid per element, or softmax over the channels, or a function per element. Float64 stays, all else becomes float32. MONAI's `Activations`.
 *
 * Shapes: `[C, …]` → `[C, …]`.
 * Geometry: dropped.
 * @throws ConfigError for sigmoid together with softmax, ShapeError for an axis that there is not
 */
export class Activations implements Transform {
  private readonly options: Required<ActivationsOptions>;

  constructor(options: ActivationsOptions = {}) {
    this.options = allOptions("Activations", options, "sigmoid:boolean softmax:boolean other:function dim:number", {
      sigmoid: false,
      softmax: false,
      other: null,
      dim: 0,
    });
    if (options.sigmoid && options.softmax)
      throw new ConfigError("Activations: sigmoid and softmax exclude each other; set one of them");
    if (options.other && typeof options.other !== "function")
      throw new ConfigError(`Activations: other must be a function, got ${typeof options.other}`);
  }

  apply(x: HostArray): HostArray {
    expectArguments("Activations", "array", { x });
    const { sigmoid, softmax, other, dim } = this.options;
    const data = workingCopy(x.data);
    if (sigmoid) for (let i = 0; i < data.length; i++) data[i] = 1 / (1 + Math.exp(-data[i]));
    if (softmax) softmaxAlong(data, splitAt("Activations", x.shape, dim));
    if (other) for (let i = 0; i < data.length; i++) data[i] = other(data[i]);
    return { data, shape: x.shape };
  }
}

/** Which of its steps `AsDiscrete` takes. */
export interface AsDiscreteOptions {
  /** Index of the largest channel. Default false. */
  readonly argmax?: boolean;
  /** Class indices to this many one-hot channels. */
  readonly toOnehot?: number | null;
  /** 1 where the value is at least this, else 0. */
  readonly threshold?: number | null;
  /** "torchrounding": round, halves to even. */
  readonly rounding?: "torchrounding" | null;
  /** Axis of the argmax and of the one-hot channels. Default 0, the channels. */
  readonly dim?: number;
  /** Keep the axis of the argmax with size 1. Default true. */
  readonly keepdim?: boolean;
  /** Element type of the result. Default "float32". */
  readonly dtype?: DTypeName;
}

/**
 * Argmax, then one-hot, then threshold (≥), then rounding; each only when asked for. Of equal channels the first wins; one channel
 * is class 0 everywhere, so give it a threshold instead. MONAI's `AsDiscrete`.
 *
 * Shapes: `[C, …]` → `[1, …]` with `argmax`; `[1, …]` → `[toOnehot, …]`; else unchanged.
 * Geometry: dropped.
 * @throws ConfigError for an unknown rounding or `dtype`, ShapeError for several channels as one-hot or none for argmax, DataError for a class outside `toOnehot`
 */
export class AsDiscrete implements Transform {
  private readonly options: Required<AsDiscreteOptions>;

  constructor(options: AsDiscreteOptions = {}) {
    this.options = allOptions(
      "AsDiscrete",
      options,
      "argmax:boolean toOnehot:number threshold:voxel rounding:text dim:number keepdim:boolean dtype:text",
      {
        argmax: false,
        toOnehot: null,
        threshold: null,
        rounding: null,
        dim: 0,
        keepdim: true,
        dtype: "float32",
      },
    );
    const { rounding, toOnehot } = options;
    if (rounding && rounding !== "torchrounding")
      throw new ConfigError(`AsDiscrete: rounding must be "torchrounding", got "${String(rounding)}"`);
    if (toOnehot !== null && toOnehot !== undefined && !(Number.isInteger(toOnehot) && toOnehot > 0))
      throw new ConfigError(`AsDiscrete: toOnehot must be the number of classes, got ${String(toOnehot)}`);
  }

  apply(x: HostArray): HostArray {
    expectArguments("AsDiscrete", "array", { x });
    const { argmax, toOnehot, threshold, rounding, dim, keepdim, dtype } = this.options;
    let out: HostArray = { data: new Float32Array(x.data as ArrayLike<number>), shape: x.shape };
    if (argmax) out = argmaxAlong(x, dim, keepdim);
    if (typeof toOnehot === "number") out = onehot(out, toOnehot, dim);
    if (typeof threshold === "number") out = { data: out.data.map((v) => (v >= threshold ? 1 : 0)), shape: out.shape };
    if (rounding) out = { data: out.data.map(roundHalfEven), shape: out.shape };
    return castTo("AsDiscrete", out, dtype);
  }
}

/** A shape as blocks of `count` planes of `size` elements: what is before, at and behind an axis. */
interface Split {
  readonly axis: number;
  readonly count: number;
  readonly size: number;
}

function splitAt(op: string, shape: readonly number[], dim: number): Split {
  const axis = normalizeAxis(op, dim, shape.length);
  return { axis, count: shape[axis], size: sizeOf(shape.slice(axis + 1)) };
}

function softmaxAlong(data: Float32Array | Float64Array, { count, size }: Split): void {
  const block = count * size;
  for (let start = 0; start < data.length; start += block) softmaxChannels(data.subarray(start, start + block), count);
}

function softmaxChannels(data: Float32Array | Float64Array, count: number): void {
  const voxels = data.length / count;
  for (let v = 0; v < voxels; v++) {
    let max = -Infinity;
    for (let i = v; i < data.length; i += voxels) max = Math.max(max, data[i]);
    let sum = 0;
    for (let i = v; i < data.length; i += voxels) sum += data[i] = Math.exp(data[i] - max);
    for (let i = v; i < data.length; i += voxels) data[i] /= sum;
  }
}

function argmaxAlong(x: HostArray, dim: number, keepdim: boolean): HostArray<Float32Array> {
  if (x.shape.length === 0 || x.shape.includes(0))
    throw new ShapeError(`AsDiscrete: argmax needs an axis with elements, got shape ${showShape(x.shape)}`);
  const { axis, count, size } = splitAt("AsDiscrete", x.shape, dim);
  const data = new Float32Array(x.data.length / count);
  for (let block = 0; block * size < data.length; block++) {
    const scores = x.data.subarray(block * count * size, (block + 1) * count * size);
    argmaxPlanes(scores, count, data.subarray(block * size, (block + 1) * size));
  }
  const shape = keepdim ? x.shape.map((d, a) => (a === axis ? 1 : d)) : x.shape.filter((_, a) => a !== axis);
  return { data, shape };
}

function onehot(x: HostArray, classes: number, dim: number): HostArray<Float32Array> {
  const shape = [...x.shape];
  while (shape.length < dim + 1) shape.push(1);
  const { axis, count, size } = splitAt("AsDiscrete", shape, dim);
  if (count !== 1)
    throw new ShapeError(
      `AsDiscrete: toOnehot needs one channel of class indices, got shape ${showShape(x.shape)}; set argmax first`,
    );
  const { data } = x;
  expectClasses(data, classes);
  const out = unfilledFloats(classes * data.length);
  for (let block = 0; block * size < data.length; block++) {
    const from = data.subarray(block * size, (block + 1) * size);
    const to = out.subarray(block * classes * size, (block + 1) * classes * size);
    const lanes = from instanceof Float32Array ? lanesFor(size) : undefined;
    if (lanes) onehotInLanes(lanes, from as Float32Array, to, classes);
    else markClasses(from, classes, to);
  }
  return { data: out, shape: shape.map((d, a) => (a === axis ? classes : d)) };
}

/** @throws DataError for a class outside of 0 … classes − 1 */
function expectClasses(data: TypedArray, classes: number): void {
  const { min, max, firstNaN } = extent(data);
  if (data.length === 0 || (firstNaN < 0 && min > -1 && max < classes)) return;
  const odd = data.findIndex((v) => !(v > -1 && v < classes));
  throw new DataError(`AsDiscrete: class ${data[odd]} is outside 0 … ${classes - 1}; raise toOnehot or map the label's values`);
}

function markClasses(data: TypedArray, classes: number, out: Float32Array): void {
  out.fill(0, 0, classes * data.length);
  for (let i = 0; i < data.length; i++) out[Math.trunc(data[i]) * data.length + i] = 1;
}

function onehotInLanes({ kernels, first, second }: Lanes, data: Float32Array, out: Float32Array, classes: number): void {
  for (let at = 0; at < data.length; at += chunkSize) {
    const count = fill(first, data, at);
    for (let c = 0; c < classes; c++) {
      kernels.equal(places.first, endOf(count), c);
      out.set(count === chunkSize ? second : second.subarray(0, count), c * data.length + at);
    }
  }
}
