/**
 * @file Index arithmetic shared by the spatial transforms: flips, quarter turns, transposes and crops are one copy with other
 * strides and another start.
 */
import { ConfigError, ShapeError } from "./errors.ts";
import { sizeOf, type HostArray, type TypedArray } from "./array.ts";

/** A zero-filled array of the same element type. */
export function emptyLike<A extends TypedArray>(data: A, length: number): A {
  return new (data.constructor as new (n: number) => A)(length);
}

/** Copies the view (`shape`, `strides`, first element `start`) of `data` into a new row-major array. */
export function copyView<A extends TypedArray>(
  data: A,
  shape: readonly number[],
  strides: readonly number[],
  start: number,
): HostArray<A> {
  const out = emptyLike(data, sizeOf(shape));
  if (out.length === 0) return { data: out, shape: [...shape] };
  const inner = shape.at(-1) ?? 1;
  const step = strides.at(-1) ?? 1;
  const index = new Array<number>(Math.max(shape.length - 1, 0)).fill(0);
  let from = start;
  for (let to = 0; to < out.length; to += inner) {
    if (step === 1) out.set(data.subarray(from, from + inner), to);
    else for (let i = 0, f = from; i < inner; i++, f += step) out[to + i] = data[f];
    for (let a = index.length - 1; a >= 0; a--) {
      from += strides[a];
      if (++index[a] < shape[a]) break;
      from -= strides[a] * shape[a];
      index[a] = 0;
    }
  }
  return { data: out, shape: [...shape] };
}

/** Spatial shape of a channel-first array. @throws ShapeError without a channel and at least one spatial axis */
export function spatialShape(op: string, x: HostArray): number[] {
  if (x.shape.length < 2) {
    throw new ShapeError(
      `${op}: expected a channel-first array [C, spatial...], got shape [${x.shape.join(", ")}]; add a channel with EnsureChannelFirst`,
    );
  }
  return x.shape.slice(1);
}

/** Spatial axis (negative from the end) to axis of the array. @throws ShapeError outside the range */
export function arrayAxis(op: string, spatialAxis: number, x: HostArray): number {
  const dims = x.shape.length - 1;
  const axis = spatialAxis < 0 ? spatialAxis + dims : spatialAxis;
  if (!Number.isInteger(spatialAxis) || axis < 0 || axis >= dims) {
    throw new ShapeError(
      `${op}: spatial axis ${spatialAxis} is outside the ${dims} spatial axes of shape [${x.shape.join(", ")}]`,
    );
  }
  return axis + 1;
}

/** One size for all axes, or one per axis. */
export type SpatialSize = number | readonly (number | null)[];

/** Sizes per spatial axis: one number is repeated; null, 0 and negative ones become the image's. @throws ConfigError on a wrong length */
export function resolveSize(op: string, size: SpatialSize, image: readonly number[]): number[] {
  const list = typeof size === "number" ? image.map(() => size) : size;
  const full = list.length === 1 ? image.map(() => list[0]) : list;
  if (full.length !== image.length) {
    throw new ConfigError(`${op}: expected one size per spatial axis (${image.length}), got [${list.join(", ")}]`);
  }
  return full.map((s, i) => (s !== null && s > 0 ? s : image[i]));
}
