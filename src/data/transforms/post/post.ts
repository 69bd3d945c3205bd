/** @file From network outputs to masks: `Activations`, `AsDiscrete`. Arrays are one sample, channel-first. */
import { ConfigError, DataError, ShapeError } from "../../../host/errors.ts";
import { argmaxPlanes } from "../../../host/argmax.ts";
import { sizeOf, type HostArray } from "../../../host/array.ts";
import { workingCopy } from "../shape/cast.ts";
import { roundHalfEven } from "../../../host/rounding.ts";
import type { Transform } from "../transform.ts";

/**
 * Sigmoid per element, or softmax over the channels, or a function per element. Float64 stays, all else becomes float32. MONAI's `Activations`.
 *
 * Shapes: `[C, …]` → `[C, …]`.
 * Geometry: dropped.
 * @throws ConfigError for sigmoid together with softmax
 */
export class Activations implements Transform {
  private readonly options: { readonly sigmoid?: boolean; readonly softmax?: boolean; readonly other?: (v: number) => number };

  constructor(options: { readonly sigmoid?: boolean; readonly softmax?: boolean; readonly other?: (v: number) => number } = {}) {
    if (options.sigmoid && options.softmax)
      throw new ConfigError("Activations: sigmoid and softmax exclude each other; set one of them");
    this.options = options;
  }

  apply(x: HostArray): HostArray {
    const { sigmoid, softmax, other } = this.options;
    const data = workingCopy(x.data);
    if (sigmoid) for (let i = 0; i < data.length; i++) data[i] = 1 / (1 + Math.exp(-data[i]));
    if (softmax) softmaxChannels(data, x.shape[0]);
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
}

/**
 * Argmax, then one-hot, then threshold (≥), then rounding; each only when asked for. The result is float32. Of equal channels the first wins; one channel
 * is class 0 everywhere, so give it a threshold instead. MONAI's `AsDiscrete`.
 *
 * Shapes: `[C, …]` → `[1, …]` with `argmax`; `[1, …]` → `[toOnehot, …]`; else unchanged.
 * Geometry: dropped.
 * @throws ConfigError for an unknown rounding, ShapeError for several channels as one-hot or none for argmax, DataError for a class outside `toOnehot`
 */
export class AsDiscrete implements Transform {
  private readonly options: AsDiscreteOptions;

  constructor(options: AsDiscreteOptions = {}) {
    const { rounding, toOnehot } = options;
    if (rounding && rounding !== "torchrounding")
      throw new ConfigError(`AsDiscrete: rounding must be "torchrounding", got "${String(rounding)}"`);
    if (typeof toOnehot === "boolean") throw new ConfigError("AsDiscrete: toOnehot must be the number of classes");
    this.options = options;
  }

  apply(x: HostArray): HostArray<Float32Array> {
    const { argmax = false, toOnehot, threshold, rounding } = this.options;
    let out: HostArray<Float32Array> = { data: new Float32Array(x.data as ArrayLike<number>), shape: x.shape };
    if (argmax) out = argmaxChannels(x);
    if (typeof toOnehot === "number") out = onehot(out, toOnehot);
    if (typeof threshold === "number") out = { data: out.data.map((v) => (v >= threshold ? 1 : 0)), shape: out.shape };
    if (rounding) out = { data: out.data.map(roundHalfEven), shape: out.shape };
    return out;
  }
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

function argmaxChannels(x: HostArray): HostArray<Float32Array> {
  const [count, ...rest] = x.shape;
  if (!count) throw new ShapeError(`AsDiscrete: argmax needs a channel axis, got shape [${x.shape.join(", ")}]`);
  return { data: argmaxPlanes(x.data, count, new Float32Array(sizeOf(rest))), shape: [1, ...rest] };
}

function onehot(x: HostArray, classes: number): HostArray<Float32Array> {
  if (x.shape.length > 0 && x.shape[0] !== 1) {
    throw new ShapeError(
      `AsDiscrete: toOnehot needs one channel of class indices, got shape [${x.shape.join(", ")}]; set argmax first`,
    );
  }
  const voxels = x.data.length;
  const out = new Float32Array(classes * voxels);
  for (let v = 0; v < voxels; v++) {
    const c = Math.trunc(x.data[v]);
    if (!(c >= 0 && c < classes))
      throw new DataError(
        `AsDiscrete: class ${x.data[v]} is outside 0 … ${classes - 1}; raise toOnehot or map the label's values`,
      );
    out[c * voxels + v] = 1;
  }
  return { data: out, shape: [classes, ...x.shape.slice(1)] };
}
