/**
 * @file Sampling with B-splines of order 0 to 5 as scipy.ndimage.map_coordinates does: the image is filtered to coefficients, then the spline through
 * them is evaluated. Method: Unser, Aldroubi, Eden, "B-spline signal processing" (1993).
 */
import { ConfigError } from "../../../host/errors.ts";
import { type HostArray, sizeOf } from "../../../host/array.ts";
import { stridesOf } from "../../../host/shape.ts";

/** Names of scipy.ndimage for what is outside. */
export type SplineMode = "constant" | "grid-constant" | "nearest" | "mirror" | "reflect" | "grid-mirror" | "wrap" | "grid-wrap";

/** Order of a spline. */
export type SplineOrder = 0 | 1 | 2 | 3 | 4 | 5;

export const isSplineOrder = (mode: unknown): mode is SplineOrder =>
  typeof mode === "number" && Number.isInteger(mode) && mode >= 0 && mode <= 5;

interface Request {
  readonly order: SplineOrder;
  readonly mode: string;
  readonly shape: readonly number[];
  readonly rows: number;
  readonly length: number;
  /** Positions of a row, per spatial axis of the image. */
  readonly fill: (row: number) => readonly Float64Array[];
}

type Boundary = "constant" | "grid-constant" | "nearest" | "mirror" | "reflect" | "wrap" | "grid-wrap";

/** PyTorch's names and SciPy's. */
const boundaries: Readonly<Record<string, Boundary>> = {
  zeros: "constant",
  border: "nearest",
  reflection: "reflect",
  constant: "constant",
  "grid-constant": "grid-constant",
  nearest: "nearest",
  mirror: "mirror",
  reflect: "reflect",
  "grid-mirror": "reflect",
  wrap: "wrap",
  "grid-wrap": "grid-wrap",
};

/** Poles of the filter that turns samples into coefficients. */
const poles: Readonly<Record<number, readonly number[]>> = {
  2: [Math.sqrt(8) - 3],
  3: [Math.sqrt(3) - 2],
  4: [Math.sqrt(664 - Math.sqrt(438976)) + Math.sqrt(304) - 19, Math.sqrt(664 + Math.sqrt(438976)) - Math.sqrt(304) - 19],
  5: [
    Math.sqrt(67.5 - Math.sqrt(4436.25)) + Math.sqrt(26.25) - 6.5,
    Math.sqrt(67.5 + Math.sqrt(4436.25)) - Math.sqrt(26.25) - 6.5,
  ],
};

/** As SciPy does it, the image is extended before it is filtered where the filter has no rule for the boundary. */
const margin = 12;

/** The spline through a channel-first image at given places; float32. */
export function sampleSpline(op: string, x: HostArray, request: Request): HostArray<Float32Array> {
  const { order, mode, shape, rows, length, fill } = request;
  if (!Object.hasOwn(boundaries, mode))
    throw new ConfigError(`${op}: unknown paddingMode "${mode}" with a spline; known: ${Object.keys(boundaries).join(", ")}`);
  const boundary = boundaries[mode];
  const spatial = x.shape.slice(1);
  const pad = order > 1 && (boundary === "nearest" || boundary === "grid-constant") ? margin : 0;
  const size = spatial.map((s) => s + 2 * pad);
  const out = new Float32Array(sizeOf(shape));
  for (let c = 0; c < x.shape[0]; c++) {
    const coefficients = channel(x, c, spatial, pad, boundary);
    if (order > 1) size.forEach((_, a) => filterAxis(coefficients, size, a, poles[order], boundary));
    for (let row = 0; row < rows; row++)
      evaluate(coefficients, size, fill(row), { order, boundary, pad }, out, (c * rows + row) * length);
  }
  return { data: out, shape };
}

/** One channel in float64, with the border or zeros around it. */
function channel(x: HostArray, c: number, spatial: readonly number[], pad: number, boundary: Boundary): Float64Array {
  const voxels = sizeOf(spatial);
  if (pad === 0) return new Float64Array(x.data.subarray(c * voxels, (c + 1) * voxels) as ArrayLike<number>);
  const size = spatial.map((s) => s + 2 * pad);
  const out = new Float64Array(sizeOf(size));
  const strides = stridesOf(spatial);
  for (let i = 0; i < out.length; i++) {
    let from = c * voxels;
    let outside = false;
    for (let a = size.length - 1, rest = i; a >= 0; a--) {
      const at = (rest % size[a]) - pad;
      rest = Math.floor(rest / size[a]);
      outside ||= at < 0 || at >= spatial[a];
      from += strides[a] * Math.min(spatial[a] - 1, Math.max(0, at));
    }
    out[i] = outside && boundary === "grid-constant" ? 0 : x.data[from];
  }
  return out;
}

/** Samples to coefficients along one axis, in place. */
function filterAxis(data: Float64Array, size: readonly number[], axis: number, z: readonly number[], boundary: Boundary): void {
  const n = size[axis];
  if (n < 2) return;
  const step = stridesOf(size)[axis];
  const line = new Float64Array(n);
  const gain = z.reduce((g, pole) => g * (1 - pole) * (1 - 1 / pole), 1);
  for (let block = 0; block < data.length; block += step * n) {
    for (let first = block; first < block + step; first++) {
      for (let i = 0; i < n; i++) line[i] = data[first + i * step] * gain;
      for (const pole of z) filterLine(line, pole, boundary);
      for (let i = 0; i < n; i++) data[first + i * step] = line[i];
    }
  }
}

/** One pole, forward and backward; the first values follow from what is outside. */
function filterLine(c: Float64Array, z: number, boundary: Boundary): void {
  const n = c.length;
  if (boundary === "reflect" || boundary === "nearest") startReflect(c, z);
  else if (boundary === "grid-wrap") startWrap(c, z);
  else startMirror(c, z);
  for (let i = 1; i < n; i++) c[i] += z * c[i - 1];
  if (boundary === "reflect" || boundary === "nearest") c[n - 1] *= z / (z - 1);
  else if (boundary === "grid-wrap") endWrap(c, z);
  else c[n - 1] = (z * c[n - 2] + c[n - 1]) * (z / (z * z - 1));
  for (let i = n - 2; i >= 0; i--) c[i] = z * (c[i + 1] - c[i]);
}

function startMirror(c: Float64Array, z: number): void {
  const n = c.length;
  const last = z ** (n - 1);
  let power = z;
  c[0] += last * c[n - 1];
  for (let i = 1; i < n - 1; i++) {
    c[0] += power * (c[i] + last * c[n - 1 - i]);
    power *= z;
  }
  c[0] /= 1 - last * last;
}

function startReflect(c: Float64Array, z: number): void {
  const n = c.length;
  const all = z ** n;
  const first = c[0];
  let power = z;
  c[0] += all * c[n - 1];
  for (let i = 1; i < n; i++) {
    c[0] += power * (c[i] + all * c[n - 1 - i]);
    power *= z;
  }
  c[0] *= z / (1 - all * all);
  c[0] += first;
}

function startWrap(c: Float64Array, z: number): void {
  const n = c.length;
  let power = z;
  for (let i = 1; i < n; i++) {
    c[0] += power * c[n - i];
    power *= z;
  }
  c[0] /= 1 - power;
}

function endWrap(c: Float64Array, z: number): void {
  const n = c.length;
  let power = z;
  for (let i = 0; i < n - 1; i++) {
    c[n - 1] += power * c[i];
    power *= z;
  }
  c[n - 1] *= z / (power - 1);
}

/** Where a place outside is inside, by SciPy's rule; below −1 for the fill value. */
function folded(at: number, n: number, boundary: Boundary): number {
  if (at >= 0 && at <= n - 1) return at;
  switch (boundary) {
    case "constant":
      return -2;
    case "grid-constant":
      return at;
    case "nearest":
      return at < 0 ? 0 : n - 1;
    case "mirror": {
      if (n < 2) return 0;
      const period = 2 * n - 2;
      const rest = Math.abs(at) % period;
      return rest > n - 1 ? period - rest : rest;
    }
    case "reflect": {
      const period = 2 * n;
      const rest = (((at + 0.5) % period) + period) % period;
      return (rest < n ? rest : period - rest) - 0.5;
    }
    case "wrap": {
      if (n < 2) return 0;
      const period = n - 1;
      return ((at % period) + period) % period;
    }
    case "grid-wrap":
      return ((at % n) + n) % n;
  }
}

interface Rule {
  readonly order: SplineOrder;
  readonly boundary: Boundary;
  readonly pad: number;
}

function evaluate(
  data: Float64Array,
  size: readonly number[],
  p: readonly Float64Array[],
  { order, boundary, pad }: Rule,
  out: Float32Array,
  to: number,
): void {
  const dims = size.length;
  const taps = order + 1;
  const strides = stridesOf(size);
  const index = new Int32Array(3 * taps);
  const weight = new Float64Array(3 * taps).fill(1);
  const used = [1, 1, 1];
  for (let a = 0; a < dims; a++) used[a] = taps;
  // Neighbors outside are found as the filter saw the image: mirrored, where SciPy has no other rule.
  const beside: Boundary = boundary === "constant" || boundary === "wrap" ? "mirror" : boundary;
  for (let k = 0; k < p[0].length; k++) {
    let fillValue = false;
    for (let a = 0; a < dims && !fillValue; a++) {
      const at = folded(p[a][k] + pad, size[a], boundary);
      if (!(at > -1) && boundary !== "grid-constant") fillValue = true;
      else place(at, order, a * taps, size[a], strides[a], beside, index, weight);
    }
    out[to + k] = fillValue ? 0 : sumOf(data, index, weight, taps, used);
  }
}

/** Axes that the image does not have are one neighbor at offset 0 with weight 1. */
function sumOf(
  data: Float64Array,
  index: Int32Array,
  weight: Float64Array,
  taps: number,
  [u0, u1, u2]: readonly number[],
): number {
  let sum = 0;
  for (let i = 0; i < u0; i++) {
    if (index[i] < 0) continue;
    for (let j = taps; j < taps + u1; j++) {
      if (index[j] < 0) continue;
      const base = index[i] + index[j];
      const w = weight[i] * weight[j];
      for (let l = 2 * taps; l < 2 * taps + u2; l++) if (index[l] >= 0) sum += w * weight[l] * data[base + index[l]];
    }
  }
  return sum;
}

/** Offsets (−1: a zero) and weights of the neighbors along one axis. */
function place(
  at: number,
  order: SplineOrder,
  slot: number,
  n: number,
  stride: number,
  boundary: Boundary,
  index: Int32Array,
  weight: Float64Array,
): void {
  const half = Math.floor(order / 2);
  const start = (order % 2 === 1 ? Math.floor(at) : Math.floor(at + 0.5)) - half;
  for (let t = 0; t <= order; t++) {
    let i = start + t;
    if (i < 0 || i >= n) i = boundary === "grid-constant" ? -1 : Math.round(folded(i, n, boundary));
    index[slot + t] = i < 0 ? -1 : i * stride;
    weight[slot + t] = bspline(order, at - (start + t));
  }
}

/** The centered B-spline. */
function bspline(order: SplineOrder, distance: number): number {
  const x = Math.abs(distance);
  switch (order) {
    case 0:
      return 1;
    case 1:
      return x < 1 ? 1 - x : 0;
    case 2:
      return x < 0.5 ? 0.75 - x * x : x < 1.5 ? (1.5 - x) ** 2 / 2 : 0;
    case 3:
      return x < 1 ? (x * x * (x - 2) * 3 + 4) / 6 : x < 2 ? (2 - x) ** 3 / 6 : 0;
    case 4: {
      const s = x * x;
      if (x < 0.5) return s * (s * 0.25 - 0.625) + 115 / 192;
      if (x < 1.5) return x * (x * (x * (5 / 6 - x / 6) - 1.25) + 5 / 24) + 55 / 96;
      return x < 2.5 ? (2.5 - x) ** 4 / 24 : 0;
    }
    case 5: {
      const s = x * x;
      if (x < 1) return s * (s * (0.25 - x / 12) - 0.5) + 0.55;
      if (x < 2) return x * (x * (x * (x * (x / 24 - 0.375) + 1.25) - 1.75) + 0.625) + 0.425;
      return x < 3 ? (3 - x) ** 5 / 120 : 0;
    }
  }
}
