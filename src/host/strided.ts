/**
 * @file Index arithmetic shared by the spatial transforms: flips, quarter turns, transposes and crops are one copy with other
 * strides and another start.
 */
import { expectArguments } from "./kinds.ts";
import { ConfigError, ShapeError } from "./errors.ts";
import { bytesOf, type HostArray, sizeOf, type TypedArray } from "./array.ts";
import { stridesOf } from "./shape.ts";
import { reverseLanes, reverseRows, reversible, writeTurned } from "./simd/reverse_rows.ts";
import { placeRows } from "./rows.ts";
import { turnPlanes } from "./simd/turn_planes.ts";
import { unfilledLike } from "./unfilled.ts";

/** A zero-filled array of the same element type. */
export function emptyLike<A extends TypedArray>(data: A, length: number): A {
  return new (data.constructor as new (n: number) => A)(length);
}

/** Integers (float64 for 8 bytes) on the same memory: moves keep every bit, and loops that move see fewer kinds of arrays, which is faster. */
export function asWords(data: TypedArray): TypedArray {
  const { buffer, byteOffset, length } = data;
  switch (data.BYTES_PER_ELEMENT) {
    case 1:
      return new Uint8Array(buffer, byteOffset, length);
    case 2:
      return new Uint16Array(buffer, byteOffset, length);
    case 4:
      return new Int32Array(buffer, byteOffset, length);
    default:
      return new Float64Array(buffer, byteOffset, length);
  }
}

/** Copies the view (`shape`, `strides`, first element `start`) of `data` into a new row-major array. */
export function copyView<A extends TypedArray>(
  data: A,
  shape: readonly number[],
  strides: readonly number[],
  start: number,
): HostArray<A> {
  const out = unfilledLike(data, sizeOf(shape));
  if (out.length === 0) return { data: out, shape: [...shape] };
  const view = merged(shape, strides);
  const [to, from] = [asWords(out), asWords(data)];
  if (view.strides.at(-1) !== -1) fillFromView(to, from, view, start);
  else if (!fillReversed(to, from, view, start)) {
    // Read from the other end and reversed as a whole: rows are copied at once, and the engine reverses faster than a loop.
    const end = view.strides.reduce((at, step, a) => at + step * (view.shape[a] - 1), start);
    fillFromView(to, from, { shape: view.shape, strides: view.strides.map((s) => -s) }, end);
    to.reverse();
  }
  return { data: out, shape: [...shape] };
}

/** Rows that are read backwards, many at a time; false where they are too long or too short for that. */
function fillReversed(out: TypedArray, data: TypedArray, { shape, strides }: View, start: number): boolean {
  const width = shape.at(-1)!;
  const size = data.BYTES_PER_ELEMENT;
  const fits = width * size >= reversible.least && width * size <= reversible.most;
  const lanes = fits ? reverseLanes(out.byteLength >> 2) : undefined;
  if (!lanes) return false;
  writeTurned(lanes, size);
  // The same rows forwards, joined with their neighbors.
  const forwards = merged(shape, [...strides.slice(0, -1), 1]);
  const bytes = forwards.shape.at(-1)! * size;
  const [to, from] = [bytesOf(out), bytesOf(data)];
  eachRun(forwards, start - (width - 1), (f, t) => reverseRows(lanes, from, f * size, to, t * size, bytes, width * size));
  return true;
}

/** Calls with where each run along the last axis begins, in the data and in the copy. */
function eachRun({ shape, strides }: View, start: number, visit: (from: number, to: number) => void): void {
  const inner = shape.at(-1)!;
  const index = new Int32Array(shape.length - 1);
  const size = sizeOf(shape);
  for (let to = 0, from = start; to < size; to += inner) {
    visit(from, to);
    for (let a = index.length - 1; a >= 0; a--) {
      from += strides[a];
      if (++index[a] < shape[a]) break;
      from -= strides[a] * shape[a];
      index[a] = 0;
    }
  }
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

function fillFromView(out: TypedArray, data: TypedArray, { shape, strides }: View, start: number): void {
  const inner = shape.at(-1)!;
  const step = strides.at(-1)!;
  const dense = strides.findIndex((s) => Math.abs(s) === 1);
  if (step === 1) return placeRows(out, data, { shape, strides }, start);
  if (dense >= 0) return fillTransposed(out, data, { shape, strides }, start, dense);
  eachRun({ shape, strides }, start, (from, to) => {
    for (let i = 0, f = from; i < inner; i++, f += step) out[to + i] = data[f];
  });
}

/** Where another axis than the last lies densely in memory: every plane of the two is transposed. */
function fillTransposed(out: TypedArray, data: TypedArray, { shape, strides }: View, start: number, dense: number): void {
  const last = shape.length - 1;
  if (turnPlanes(data, out, shape, strides, start, dense)) return;
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
    transposePlane(data, from, strides[dense], strides[last], out, to, outSteps[dense], shape[dense], shape[last]);
  }
}

/**
 * out[to + i · outStep + j] = data[from + i · rowStep + j · columnStep]. Eight columns at a time: as many lines as a set of the first cache holds,
 * where all of them fall into one set, as they do for sizes that are multiples of 32; and rows in short stretches, so that lines of `out` are filled soon.
 */
function transposePlane(
  data: TypedArray,
  from: number,
  rowStep: number,
  columnStep: number,
  out: TypedArray,
  to: number,
  outStep: number,
  rows: number,
  columns: number,
): void {
  const stretch = 32;
  let j = 0;
  for (; j + 7 < columns; j += 8) {
    for (let r = 0; r < rows; r += stretch) {
      let s = from + r * rowStep + j * columnStep;
      let t = to + r * outStep + j;
      for (const end = t + Math.min(stretch, rows - r) * outStep; t < end; t += outStep, s += rowStep) {
        out[t] = data[s];
        out[t + 1] = data[s + columnStep];
        out[t + 2] = data[s + 2 * columnStep];
        out[t + 3] = data[s + 3 * columnStep];
        out[t + 4] = data[s + 4 * columnStep];
        out[t + 5] = data[s + 5 * columnStep];
        out[t + 6] = data[s + 6 * columnStep];
        out[t + 7] = data[s + 7 * columnStep];
      }
    }
  }
  for (let i = 0; i < rows; i++) {
    for (let k = j; k < columns; k++) out[to + i * outStep + k] = data[from + i * rowStep + k * columnStep];
  }
}

/** Spatial shape of a channel-first array. @throws ShapeError without a channel and at least one spatial axis */
export function spatialShape(op: string, x: HostArray): number[] {
  expectArguments(op, "array", { x });
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
  if (typeof size !== "number") expectArguments(op, "list", { size });
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
