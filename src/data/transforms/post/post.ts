/** @file From network outputs to masks: `Activations`, `AsDiscrete`. Arrays are one sample, channel-first. */
import { expectArguments } from "../../../host/kinds.ts";
import { ConfigError, DataError, ShapeError } from "../../../host/errors.ts";
import { argmaxPlanes } from "../../../host/argmax.ts";
import { sizeOf, type HostArray, type TypedArray } from "../../../host/array.ts";
import { inBlocks } from "../../../host/blocks.ts";
import { normalizeAxis, showShape } from "../../../host/shape.ts";
import { castTo, type DTypeName, workingCopy } from "../shape/cast.ts";
import { roundHalfEven } from "../../../host/rounding.ts";
import { withGeometryOf } from "../../volume.ts";
import { isVolume } from "../moved.ts";
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
 * Geometry: kept.
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
    return { ...x, data };
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
 * Geometry: kept where the spatial shape is; a volume of classes or masks says of itself that it is a label map (`meta.kind`), so `invert` mixes none of them.
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
    // Small integers are what they would be as float32.
    const small = x.data.BYTES_PER_ELEMENT < 4 && typeof toOnehot === "number" && !argmax;
    let out: HostArray = { data: small ? x.data : new Float32Array(x.data as ArrayLike<number>), shape: x.shape };
    if (argmax) out = argmaxAlong(x, dim, keepdim);
    if (typeof toOnehot === "number") out = onehot(out, toOnehot, dim);
    if (typeof threshold === "number") out = { data: out.data.map((v) => (v >= threshold ? 1 : 0)), shape: out.shape };
    if (rounding) out = { data: out.data.map(roundHalfEven), shape: out.shape };
    const decided = argmax || typeof toOnehot === "number" || typeof threshold === "number" || rounding !== null;
    return inPlaceOf(x, castTo("AsDiscrete", out, dtype), decided);
  }
}

/** The array as a volume where `x` is one of its spatial shape. */
function inPlaceOf(x: HostArray, out: HostArray, label: boolean): HostArray {
  if (!isVolume(x) || out.shape.length !== 4 || out.shape.slice(1).join() !== x.shape.slice(1).join())
    return { data: out.data, shape: out.shape };
  return withGeometryOf(label ? { ...x, meta: { ...x.meta, kind: "label" } } : x, out);
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
  // Zeros from the system: most of its pages are written in one place only.
  const out = new Float32Array(classes * data.length);
  let known = true;
  for (let start = 0; start < data.length; start += size) known &&= markClasses(data, start, size, classes, out);
  if (!known) throw unknownClass(data, classes);
  return { data: out, shape: shape.map((d, a) => (a === axis ? classes : d)) };
}

/** Marks the classes of a block of voxels; whether all of them are from 0 to below `classes`. */
function markClasses(data: TypedArray, start: number, size: number, classes: number, out: Float32Array): boolean {
  let unknown = 0;
  // In pieces, as the engine compiles a loop between its runs.
  inBlocks(size, (from, to) => (unknown += markBlock(data, start, size, from, to, classes, out)));
  return unknown === 0;
}

function markBlock(
  data: TypedArray,
  start: number,
  size: number,
  from: number,
  to: number,
  classes: number,
  out: Float32Array,
): number {
  let unknown = 0;
  for (let i = from; i < to; i++) {
    const c = data[start + i];
    if (c > -1 && c < classes) out[start * classes + Math.trunc(c) * size + i] = 1;
    else unknown++;
  }
  return unknown;
}

function unknownClass(data: TypedArray, classes: number): DataError {
  const odd = data.findIndex((v) => !(v > -1 && v < classes));
  return new DataError(`AsDiscrete: class ${data[odd]} is outside 0 … ${classes - 1}; raise toOnehot or map the label's values`);
}
