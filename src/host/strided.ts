/**
 * @file Index arithmetic shared by the spatial transforms: flips, quarter turns, transposes and crops are one copy with other
 * strides and another start.
 */
import { ConfigError, ShapeError } from "./errors.ts";
import { sizeOf, type HostArray, type TypedArray } from "./array.ts";
import { stridesOf } from "./shape.ts";

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
  if (out.length > 0) fillFromView(out, data, merged(shape, strides), start);
  return { data: out, shape: [...shape] };
}

interface View {
  readonly shape: readonly number[];
  readonly strides: readonly number[];
}

/** The same view with axes joined that lie one behind the other, so that rows are long; axes of size 1 are left out. */
function merged(shape: readonly number[], strides: readonly number[]): View {
  const sizes: number[] = [];
  const steps: number[] = [];
  shape.forEach((size, a) => {
    if (size === 1) return;
    const last = sizes.length - 1;
    if (last >= 0 && steps[last] === strides[a] * size) {
      sizes[last] *= size;
      steps[last] = strides[a];
    } else {
      sizes.push(size);
      steps.push(strides[a]);
    }
  });
  return sizes.length > 0 ? { shape: sizes, strides: steps } : { shape: [1], strides: [1] };
}

function fillFromView<A extends TypedArray>(out: A, data: A, { shape, strides }: View, start: number): void {
  const inner = shape.at(-1)!;
  const step = strides.at(-1)!;
  const dense = strides.findIndex((s) => Math.abs(s) === 1);
  if (Math.abs(step) !== 1 && dense >= 0) return fillTransposed(out, data, { shape, strides }, start, dense);
  const index = new Int32Array(shape.length - 1);
  for (let to = 0, from = start; to < out.length; to += inner) {
    if (step === 1) out.set(data.subarray(from, from + inner), to);
    else if (step === -1) {
      out.set(data.subarray(from - inner + 1, from + 1), to);
      out.subarray(to, to + inner).reverse();
    } else for (let i = 0, f = from; i < inner; i++, f += step) out[to + i] = data[f];
    for (let a = index.length - 1; a >= 0; a--) {
      from += strides[a];
      if (++index[a] < shape[a]) break;
      from -= strides[a] * shape[a];
      index[a] = 0;
    }
  }
}

/** Where another axis than the last lies densely in memory: tiles of both, so that what a cache line brings is used. */
function fillTransposed<A extends TypedArray>(out: A, data: A, { shape, strides }: View, start: number, dense: number): void {
  const tile = 32;
  const last = shape.length - 1;
  const [rows, columns] = [shape[dense], shape[last]];
  const [rowStep, columnStep] = [strides[dense], strides[last]];
  const outSteps = stridesOf(shape);
  const others = shape.map((_, a) => a).filter((a) => a !== dense && a !== last);
  const count = others.reduce((n, a) => n * shape[a], 1);
  for (let n = 0; n < count; n++) {
    let from = start;
    let to = 0;
    for (let k = others.length - 1, rest = n; k >= 0; k--) {
      const a = others[k];
      const at = rest % shape[a];
      rest = (rest - at) / shape[a];
      from += at * strides[a];
      to += at * outSteps[a];
    }
    for (let r = 0; r < rows; r += tile) {
      const rowEnd = Math.min(rows, r + tile);
      for (let c = 0; c < columns; c += tile) {
        const columnEnd = Math.min(columns, c + tile);
        for (let i = r; i < rowEnd; i++) {
          const source = from + i * rowStep;
          const target = to + i * outSteps[dense];
          for (let j = c; j < columnEnd; j++) out[target + j] = data[source + j * columnStep];
        }
      }
    }
  }
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

/** `[C, a, b, c]` → `[C, c, b, a]`: x, y, z as nnU-Net's z, y, x, and back. */
export function reversedAxes<A extends TypedArray>({ data, shape }: HostArray<A>): HostArray<A> {
  const strides = stridesOf(shape);
  const axes = shape.map((_, i) => (i === 0 ? 0 : shape.length - i));
  return copyView(
    data,
    axes.map((a) => shape[a]),
    axes.map((a) => strides[a]),
    0,
  );
}
