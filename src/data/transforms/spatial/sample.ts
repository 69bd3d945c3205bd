/**
 * @file Sampling an image at given places, as torch.nn.functional.grid_sample does: linear, nearest or cubic (2-D), with zeros, the border or
 * reflection outside. Places are voxel indices, computed in float64, a row of outputs at a time.
 */
import { ConfigError, ShapeError } from "../../../host/errors.ts";
import { type HostArray, sizeOf, type TypedArray } from "../../../host/array.ts";
import type { Matrix } from "../../../host/matrix.ts";
import { roundHalfEven, wholes } from "../../../host/rounding.ts";
import { cubicWeight } from "../../../host/taps.ts";
import { unfilledFloats, unfilledLike } from "../../../host/unfilled.ts";
import { resampleAxes, type Taps, tapTable } from "./resample.ts";
import { takeAxes } from "./take.ts";
import type { TorchPlaces } from "./torch_places.ts";
import { isSplineOrder, type SplineMode, sampleSpline, sampleSplineAxes } from "./spline.ts";

/** Interpolation: by PyTorch's names, where bilinear and trilinear are linear along every axis, or a spline of order 0 … 5 as in SciPy. */
export type SampleMode = "linear" | "bilinear" | "trilinear" | "nearest" | "bicubic" | 0 | 1 | 2 | 3 | 4 | 5;

/** What is outside: PyTorch's names, or with a spline order those of scipy.ndimage. */
export type SamplePadding = "zeros" | "border" | "reflection" | SplineMode;

export interface SampleOptions {
  readonly mode?: SampleMode;
  readonly paddingMode?: SamplePadding;
  /** Reflection at the centers of the outermost voxels in place of their faces. */
  readonly alignCorners?: boolean;
  /** Mode "nearest" by a matrix: who says where places halfway between voxels go. Default: to the even one. */
  readonly torch?: TorchPlaces | undefined;
}

/** Where the outputs of one row are sampled: fills the positions along the three axes. */
type Rows = (row: number, p: readonly Float64Array[]) => void;
type Padding = "zeros" | "border" | "reflection";

interface Job {
  readonly data: TypedArray;
  readonly size: readonly number[];
  readonly padding: Padding;
  readonly alignCorners: boolean;
}

const modes: Readonly<Record<string, "linear" | "nearest" | "bicubic">> = {
  linear: "linear",
  bilinear: "linear",
  trilinear: "linear",
  nearest: "nearest",
  bicubic: "bicubic",
};

/** Whether a mode takes values over as they are, so that class numbers stay class numbers. */
export const isNearest = (mode: SampleMode): boolean => mode === "nearest" || mode === 0;

/** Checks a mode and what is outside for an operation, before there is an image. @throws ConfigError */
export function checkSampling(op: string, { mode = "bilinear", paddingMode = "border" }: SampleOptions): void {
  if (isSplineOrder(mode)) return;
  if (!Object.hasOwn(modes, mode))
    throw new ConfigError(`${op}: unknown mode ${JSON.stringify(mode)}; known: ${Object.keys(modes).join(", ")}, 0 to 5`);
  if (!["zeros", "border", "reflection"].includes(paddingMode))
    throw new ConfigError(
      `${op}: unknown paddingMode "${String(paddingMode)}" with mode "${mode}"; known: zeros, border, reflection`,
    );
}

/**
 * Output voxel o of `size` is the image at `matrix` · o, in voxel indices. Float32, or the image's own type with mode nearest and `keepType`.
 * @param x `[C, …]` with 1 to 3 spatial axes
 * @throws ShapeError for another rank, ConfigError for an unknown mode
 */
export function sampleAffine(
  x: HostArray,
  size: readonly number[],
  matrix: Matrix,
  options: SampleOptions = {},
  op = "sampleAffine",
): HostArray {
  const dims = expectRank(op, x);
  checkSampling(op, options);
  const torch = modes[options.mode ?? "bilinear"] === "nearest" && dims > 1 ? options.torch : undefined;
  const along = isStraight(size, matrix) && size.map((count, a) => alongAxis(count, matrix[a][a], matrix[a][dims]));
  const elsewhere = (a: number) => (o: number) => size.map((_, c) => (c === a ? o : 0));
  const settled = torch && along ? along.reduce((n, at, a) => n + torch.settle(a, at, elsewhere(a)), 0) : 0;
  // What a matrix has beside its diagonal may decide on a place halfway.
  const separate = along && (settled === 0 || isStraight(size, matrix, 0)) && sampleAlongAxes(x, along, options, op);
  if (separate) return separate;
  const [sx, sy, sz] = [...new Array<number>(3 - dims).fill(1), ...size];
  const lead = 3 - dims;
  // Rows of lower rank are embedded in three axes, the missing ones at index 0.
  const m = [0, 1, 2].map((a) => [0, 1, 2, 3].map((c) => (a < lead || (c < lead && c < 3) ? 0 : matrix[a - lead][c - lead])));
  const fill: Rows = (row, p) => {
    const [i, j] = [Math.floor(row / sy), row % sy];
    for (let a = 0; a < 3; a++) {
      const base = m[a][0] * i + m[a][1] * j + m[a][3];
      const step = m[a][2];
      const target = p[a];
      for (let k = 0; k < sz; k++) target[k] = base + step * k;
      if (a >= lead) torch?.settle(a - lead, target, (k) => [i, j, k].slice(lead));
    }
  };
  return sampleRows(op, x, size, [sx * sy, sz], fill, options);
}

/**
 * Output voxel o is the image at `places[:, o]`, in voxel indices.
 * @param x `[C, …]` with 1 to 3 spatial axes
 * @param places `[axes, …size]`
 */
export function sampleGrid(x: HostArray, places: HostArray, options: SampleOptions = {}, op = "sampleGrid"): HostArray {
  const dims = expectRank(op, x);
  checkSampling(op, options);
  const size = places.shape.slice(1);
  if (places.shape[0] < dims)
    throw new ShapeError(`${op}: the grid [${places.shape}] has fewer coordinates than the image [${x.shape}] has spatial axes`);
  const voxels = sizeOf(size);
  const length = size.at(-1) ?? 1;
  const lead = 3 - dims;
  const { data } = places;
  const fill: Rows = (row, p) => {
    for (let a = 0; a < dims; a++) {
      const target = p[a + lead];
      const base = a * voxels + row * length;
      for (let k = 0; k < length; k++) target[k] = data[base + k];
    }
  };
  return sampleRows(op, x, size, [length === 0 ? 0 : voxels / length, length], fill, options);
}

function sampleRows(
  op: string,
  x: HostArray,
  size: readonly number[],
  [rows, length]: readonly [number, number],
  fill: Rows,
  { mode = "bilinear", paddingMode = "border", alignCorners = false }: SampleOptions,
): HostArray {
  const lead = 4 - x.shape.length;
  const full = [...new Array<number>(lead).fill(1), ...x.shape.slice(1)];
  const p = [0, 1, 2].map(() => new Float64Array(length));
  const voxels = sizeOf(full);
  const shape = [x.shape[0], ...size];
  if (isSplineOrder(mode)) {
    return sampleSpline(op, x, {
      order: mode,
      mode: paddingMode,
      shape,
      rows,
      length,
      fill: (row) => (fill(row, p), p.slice(lead)),
    });
  }
  const kind = modes[mode];
  if (kind === "bicubic" && lead === 0)
    throw new ConfigError(`${op}: mode "bicubic" is for 2-D images; use a spline order such as 3 for [${x.shape}]`);
  const out = kind === "nearest" ? unfilledLike(x.data, sizeOf(shape)) : unfilledFloats(sizeOf(shape));
  const kernel = kind === "linear" ? linearRow : kind === "nearest" ? nearestRow : cubicRow;
  const data = kind === "nearest" || x.data instanceof Float32Array ? x.data : new Float32Array(x.data as ArrayLike<number>);
  const job: Job = { data, size: full, padding: paddingMode as Padding, alignCorners };
  for (let row = 0; row < rows; row++) {
    fill(row, p);
    if (kind !== "bicubic" && paddingMode !== "zeros") for (let a = lead; a < 3; a++) foldRow(p[a], full[a], job);
    for (let c = 0; c < x.shape[0]; c++) kernel(job, p, c * voxels, out, (c * rows + row) * length);
  }
  return { data: out, shape };
}

/** Moves places outside onto the image: to the border, or mirrored until they are inside. */
function foldRow(p: Float64Array, size: number, { padding, alignCorners }: Job): void {
  const last = size - 1;
  if (padding === "reflection") {
    for (let k = 0; k < p.length; k++) if (!(p[k] >= 0 && p[k] <= last)) p[k] = reflected(p[k], size, alignCorners);
  }
  for (let k = 0; k < p.length; k++) p[k] = p[k] > 0 ? (p[k] < last ? p[k] : last) : 0;
}

/** Mirrored at the outer faces, or at the centers of the outermost voxels. */
function reflected(at: number, size: number, alignCorners: boolean): number {
  const low = alignCorners ? 0 : -0.5;
  const span = alignCorners ? size - 1 : size;
  if (span === 0) return 0;
  const distance = Math.abs(at - low);
  const extra = distance % span;
  return Math.floor(distance / span) % 2 === 0 ? extra + low : span - extra + low;
}

function linearRow(
  { data, size: [sx, sy, sz] }: Job,
  p: readonly Float64Array[],
  from: number,
  out: TypedArray,
  to: number,
): void {
  const [px, py, pz] = p;
  const plane = sy * sz;
  for (let k = 0; k < px.length; k++) {
    const x = Math.floor(px[k]);
    const y = Math.floor(py[k]);
    const z = Math.floor(pz[k]);
    const u = px[k] - x;
    const v = py[k] - y;
    const w = pz[k] - z;
    const inside = x >= 0 && y >= 0 && z >= 0 && x < sx && y < sy && z < sz;
    const base = from + x * plane + y * sz + z;
    if (inside && (x < sx - 1 || u === 0) && (y < sy - 1 || v === 0) && (z < sz - 1 || w === 0)) {
      const dx = u === 0 ? 0 : plane;
      const dy = v === 0 ? 0 : sz;
      const dz = w === 0 ? 0 : 1;
      const a = data[base] + (data[base + dz] - data[base]) * w;
      const b = data[base + dy] + (data[base + dy + dz] - data[base + dy]) * w;
      const far = base + dx;
      const c = data[far] + (data[far + dz] - data[far]) * w;
      const d = data[far + dy] + (data[far + dy + dz] - data[far + dy]) * w;
      const near = a + (b - a) * v;
      out[to + k] = near + (c + (d - c) * v - near) * u;
    } else {
      let sum = 0;
      for (let t = 0; t < 8; t++) {
        const i = x + (t >> 2);
        const j = y + ((t >> 1) & 1);
        const l = z + (t & 1);
        if (!(i >= 0 && i < sx && j >= 0 && j < sy && l >= 0 && l < sz)) continue;
        sum += data[from + i * plane + j * sz + l] * (t >> 2 ? u : 1 - u) * ((t >> 1) & 1 ? v : 1 - v) * (t & 1 ? w : 1 - w);
      }
      out[to + k] = sum;
    }
  }
}

function nearestRow(
  { data, size: [sx, sy, sz] }: Job,
  p: readonly Float64Array[],
  from: number,
  out: TypedArray,
  to: number,
): void {
  const [px, py, pz] = p;
  for (let k = 0; k < px.length; k++) {
    const x = px[k] + wholes - wholes;
    const y = py[k] + wholes - wholes;
    const z = pz[k] + wholes - wholes;
    out[to + k] = x >= 0 && y >= 0 && z >= 0 && x < sx && y < sy && z < sz ? data[from + (x * sy + y) * sz + z] : 0;
  }
}

/** Cubic convolution in the two axes of an image; what is outside is decided for each of the 16 neighbors. */
function cubicRow(
  { data, size, padding, alignCorners }: Job,
  p: readonly Float64Array[],
  from: number,
  out: TypedArray,
  to: number,
): void {
  const [, py, pz] = p;
  const [, sy, sz] = size;
  const index = (i: number, n: number): number => {
    if (i >= 0 && i < n) return i;
    if (padding === "zeros") return -1;
    const at = padding === "border" ? i : reflected(i, n, alignCorners);
    return Math.min(n - 1, Math.max(0, at));
  };
  for (let k = 0; k < py.length; k++) {
    const y = Math.floor(py[k]);
    const z = Math.floor(pz[k]);
    let sum = 0;
    for (let a = -1; a <= 2; a++) {
      const row = index(y + a, sy);
      if (row < 0) continue;
      const weight = cubicWeight(py[k] - y - a);
      for (let b = -1; b <= 2; b++) {
        const column = index(z + b, sz);
        if (column >= 0) sum += weight * cubicWeight(pz[k] - z - b) * data[from + row * sz + column];
      }
    }
    out[to + k] = sum;
  }
}

/** Whether every input axis follows its own output axis alone, give or take a part of a voxel. */
const isStraight = (size: readonly number[], matrix: Matrix, most = 1e-10): boolean =>
  size.every((_, r) => size.every((count, c) => c === r || !(Math.abs(matrix[r][c]) * count > most)));

const alongAxis = (count: number, step: number, first: number): Float64Array =>
  Float64Array.from({ length: count }, (_, o) => step * o + first);

/**
 * Output voxel o is the image at `positions[a][o_a]` along each axis a, in voxel indices: one axis after the other. Undefined for mode "bicubic".
 * @param x `[C, …]` with 1 to 3 spatial axes
 */
export function sampleAlongAxes(
  x: HostArray,
  positions: readonly Float64Array[],
  { mode = "bilinear", paddingMode = "border", alignCorners = false }: SampleOptions = {},
  op = "sampleAlongAxes",
): HostArray | undefined {
  if (isSplineOrder(mode)) return sampleSplineAxes(op, x, mode, paddingMode, positions);
  const kind = modes[mode];
  if (kind === "bicubic") return undefined;
  const tables = positions.map((along, a) => {
    const from = x.shape[a + 1];
    const at = along.slice();
    if (paddingMode !== "zeros") foldRow(at, from, { data: x.data, size: [], padding: paddingMode as Padding, alignCorners });
    const inside = (i: number) => i >= 0 && i < from;
    return tapTable(at.length, (o) => {
      if (kind === "nearest") return [[roundHalfEven(at[o]), 1] as const].filter(([i]) => inside(i));
      const low = Math.floor(at[o]);
      return [[low, 1 - (at[o] - low)] as const, [low + 1, at[o] - low] as const].filter(([i]) => inside(i));
    });
  });
  return kind === "nearest" ? takeAxes(x, tables.map(chosen)) : resampleAxes(x, tables);
}

/** The input that each output takes over; −1 for a zero. */
const chosen = ({ first, index }: Taps): Int32Array =>
  Int32Array.from({ length: first.length - 1 }, (_, o) => (first[o + 1] > first[o] ? index[first[o]] : -1));

function expectRank(op: string, x: HostArray): number {
  const dims = x.shape.length - 1;
  if (dims >= 1 && dims <= 3) return dims;
  throw new ShapeError(`${op}: expected [C, …] with 1 to 3 spatial axes, got [${x.shape}]`);
}
