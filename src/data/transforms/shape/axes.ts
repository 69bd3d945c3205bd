/** @file Transforms that only move or drop axes: `EnsureChannelFirst`, `AsChannelLast`, `SqueezeDim`, `Transpose`, `SplitDim`. */
import { expectArguments } from "../../../host/kinds.ts";
import { ConfigError, ShapeError } from "../../../host/errors.ts";
import type { HostArray } from "../../../host/array.ts";
import { stridesOf } from "../../../host/shape.ts";
import { copyView } from "../../../host/strided.ts";
import { isVolume, type Volume } from "../../volume.ts";
import { movedWindow } from "../moved.ts";
import type { Transform } from "../transform.ts";
import { checkedOptions } from "../options.ts";

/**
 * Moves the channel axis to the front. `channelDim` is the axis it has now, or "no_channel" to add one of size 1. Without it the array must be
 * channel-first already, which a volume always is, as readers give it; of other arrays only `strictCheck: false` lets it pass. MONAI's `EnsureChannelFirst`.
 *
 * Shapes: `[…, C, …]` → `[C, …]`; "no_channel": `[…]` → `[1, …]`; volumes `[C, nx, ny, nz]` as they are.
 * Geometry: kept.
 * @throws ConfigError without `channelDim` for an array that is no volume, and for a volume with another one than its first axis; ShapeError for an axis
 *   outside the array
 */
export class EnsureChannelFirst implements Transform {
  /** Names and kinds of the options it takes. */
  static readonly options: string = "channelDim strictCheck:boolean";
  private readonly channelDim: number | "no_channel" | undefined;
  private readonly strictCheck: boolean;

  constructor(options: { readonly channelDim?: number | "no_channel"; readonly strictCheck?: boolean } = {}) {
    const { channelDim, strictCheck = true } = checkedOptions("EnsureChannelFirst", options, EnsureChannelFirst.options);
    this.channelDim = channelDim;
    this.strictCheck = strictCheck;
  }

  apply(x: HostArray): HostArray {
    expectArguments("EnsureChannelFirst", "array", { x });
    if (isVolume(x)) return this.ofVolume(x);
    if (this.channelDim === undefined) {
      if (this.strictCheck) {
        throw new ConfigError(
          `EnsureChannelFirst: channelDim is not known for shape [${x.shape.join(", ")}]; set channelDim to an axis or "no_channel", or strictCheck: false if it is channel-first`,
        );
      }
      return x;
    }
    if (this.channelDim === "no_channel") return { data: x.data, shape: [1, ...x.shape] };
    return moveAxis("EnsureChannelFirst", x, this.channelDim, 0);
  }

  /** Where the file had its channels was the reader's to know: chains of MONAI that say it mean the file, and would take one of the spatial axes here. */
  private ofVolume(x: Volume): Volume {
    const { channelDim = 0 } = this;
    const [channels] = x.shape;
    if (channelDim === 0 || (channelDim === "no_channel" ? channels === 1 : channelDim === -1 && channels > 1)) return x;
    throw new ConfigError(
      `EnsureChannelFirst: channelDim is ${JSON.stringify(channelDim)}, but the volume of shape [${x.shape.join(", ")}] is channel-first already, as all that readers give; leave channelDim out`,
    );
  }
}

/**
 * Moves the channel axis `channelDim` (default 0) to the end. MONAI's `AsChannelLast`.
 *
 * Shapes: `[C, …]` → `[…, C]`.
 * Geometry: dropped.
 * @throws ShapeError for an axis outside the array
 */
export class AsChannelLast implements Transform {
  /** Names and kinds of the options it takes. */
  static readonly options: string = "channelDim";
  private readonly channelDim: number;

  constructor(options: { readonly channelDim?: number } = {}) {
    const { channelDim = 0 } = checkedOptions("AsChannelLast", options, AsChannelLast.options);
    this.channelDim = channelDim;
  }

  apply(x: HostArray): HostArray {
    expectArguments("AsChannelLast", "array", { x });
    return moveAxis("AsChannelLast", x, this.channelDim, x.shape.length - 1);
  }
}

/**
 * Drops axis `dim` (default 0), which must have size 1; null drops every axis of size 1. MONAI's `SqueezeDim`.
 *
 * Shapes: `[1, …]` → `[…]`; the elements are shared.
 * Geometry: dropped.
 * @throws ConfigError for a `dim` that is no integer, ShapeError for an axis of another size or outside the array
 */
export class SqueezeDim implements Transform {
  /** Names and kinds of the options it takes. */
  static readonly options: string = "dim:number";
  private readonly dim: number | null;

  constructor(options: { readonly dim?: number | null } = {}) {
    const { dim = 0 } = checkedOptions("SqueezeDim", options, SqueezeDim.options);
    if (dim !== null && !Number.isInteger(dim)) throw new ConfigError(`SqueezeDim: dim must be an integer or null, got ${dim}`);
    this.dim = dim;
  }

  apply(x: HostArray): HostArray {
    expectArguments("SqueezeDim", "array", { x });
    if (this.dim === null) return { data: x.data, shape: x.shape.filter((s) => s !== 1) };
    const axis = axisOf("SqueezeDim", this.dim, x);
    if (x.shape[axis] !== 1)
      throw new ShapeError(
        `SqueezeDim: axis ${this.dim} of shape [${x.shape.join(", ")}] has size ${x.shape[axis]}, expected 1; crop it to one slice first`,
      );
    return { data: x.data, shape: x.shape.filter((_, i) => i !== axis) };
  }
}

/**
 * Reorders all axes, channel included: axis i of the result is axis `indices[i]`; reversed when null (default). MONAI's `Transpose`.
 *
 * Shapes: `[s₀, s₁, …]` → `[s_indices[0], s_indices[1], …]`.
 * Geometry: dropped.
 * @throws ConfigError unless each axis is named once, ShapeError for an axis outside the array
 */
export class Transpose implements Transform {
  /** Names and kinds of the options it takes. */
  static readonly options: string = "indices:numbers";
  private readonly indices: readonly number[] | null;

  constructor(options: { readonly indices?: readonly number[] | null } = {}) {
    const { indices = null } = checkedOptions("Transpose", options, Transpose.options);
    this.indices = indices;
  }

  apply(x: HostArray): HostArray {
    expectArguments("Transpose", "array", { x });
    const order = (this.indices ?? x.shape.map((_, i) => x.shape.length - 1 - i)).map((i) => axisOf("Transpose", i, x));
    if (new Set(order).size !== x.shape.length || order.length !== x.shape.length) {
      throw new ConfigError(`Transpose: indices must name each of the ${x.shape.length} axes once, got [${order.join(", ")}]`);
    }
    return permute(x, order);
  }
}

/**
 * Splits along `dim` (default −1, the last axis) into arrays of size 1 there; `keepdim: false` drops the axis. A multi-sample transform. MONAI's `SplitDim`.
 *
 * Shapes: `[C, …]` → C × `[1, …]`, or C × `[…]` without `keepdim`.
 * Geometry: kept with `keepdim`: a slice has its place.
 * @throws ShapeError for an axis outside the array
 */
export class SplitDim implements Transform {
  /** Names and kinds of the options it takes. */
  static readonly options: string = "dim:number keepdim:boolean";
  private readonly dim: number;
  private readonly keepdim: boolean;

  constructor(options: { readonly dim?: number; readonly keepdim?: boolean } = {}) {
    const { dim = -1, keepdim = true } = checkedOptions("SplitDim", options, SplitDim.options);
    this.dim = dim;
    this.keepdim = keepdim;
  }

  apply(x: HostArray): HostArray[] {
    expectArguments("SplitDim", "array", { x });
    const axis = axisOf("SplitDim", this.dim, x);
    const strides = stridesOf(x.shape);
    const shape = x.shape.map((s, i) => (i === axis ? 1 : s));
    return Array.from({ length: x.shape[axis] }, (_, i) => {
      const part = copyView(x.data, shape, strides, i * strides[axis]);
      if (!this.keepdim) return { data: part.data, shape: shape.filter((_s, a) => a !== axis) };
      return axis === 0
        ? { ...x, ...part }
        : movedWindow(
            "SplitDim",
            x,
            part,
            x.shape.slice(1).map((_, a) => (a + 1 === axis ? i : 0)),
          );
    });
  }
}

function moveAxis(op: string, x: HostArray, from: number, to: number): HostArray {
  const axis = axisOf(op, from, x);
  const order = x.shape.map((_, i) => i).filter((i) => i !== axis);
  order.splice(to, 0, axis);
  return permute(x, order);
}

function permute(x: HostArray, order: readonly number[]): HostArray {
  // Axes of one element go anywhere without a copy.
  const long = order.filter((i) => x.shape[i] !== 1);
  if (long.every((a, i) => i === 0 || a > long[i - 1])) return { data: x.data, shape: order.map((i) => x.shape[i]) };
  const strides = stridesOf(x.shape);
  return copyView(
    x.data,
    order.map((i) => x.shape[i]),
    order.map((i) => strides[i]),
    0,
  );
}

function axisOf(op: string, dim: number, x: HostArray): number {
  const axis = dim < 0 ? dim + x.shape.length : dim;
  if (!Number.isInteger(dim) || axis < 0 || axis >= x.shape.length)
    throw new ShapeError(`${op}: axis ${dim} is outside shape [${x.shape.join(", ")}]`);
  return axis;
}
