/**
 * @file Distances on a grid of voxels: to the nearest site, exact for Euclid (one lower envelope of parabolas per line and axis; Felzenszwalb and
 * Huttenlocher 2012, Meijster et al. 2000) and for the chessboard and taxicab metrics (two scans; Borgefors 1986).
 */

import { sizeOf, type HostArray } from "../array.ts";
import { ConfigError, ShapeError } from "../errors.ts";
import { showShape } from "../shape.ts";

/** How far two voxels are apart, by the names of scipy. */
export type DistanceMetric = "euclidean" | "chessboard" | "taxicab";

/** Sizes of a volume, the slowest axis first. */
export type Size3 = readonly [number, number, number];

/** Sizes or spacings of one to three axes as three, the slowest first; missing ones are 1. @throws ShapeError for other ranks */
export function threeAxes(op: string, values: readonly number[]): [number, number, number] {
  if (values.length < 1 || values.length > 3)
    throw new ShapeError(`${op}: distances are of 1, 2 or 3 spatial axes, got ${values.length}`);
  return [values.at(-3) ?? 1, values.at(-2) ?? 1, values.at(-1)!];
}

/** No site in the row or plane; also the reason why an axis may have 65,534 voxels. */
const none = 0xffff;

/** The lower envelope of parabolas height + (spacing · (x − at))² along one line; its buffers serve line after line. */
class Envelope {
  /** Where the parabolas of the envelope have their vertices. */
  readonly at: Int32Array;
  readonly height: Float64Array;
  /** From where on each of them is the lowest. */
  readonly from: Float64Array;
  private readonly square: number;
  private last = -1;

  constructor(size: number, spacing: number) {
    this.at = new Int32Array(size);
    this.height = new Float64Array(size);
    this.from = new Float64Array(size);
    this.square = spacing * spacing;
  }

  clear(): void {
    this.last = -1;
  }

  get size(): number {
    return this.last + 1;
  }

  /** Adds the parabola with its vertex at `q`, beyond those of all before. */
  add(q: number, height: number): void {
    const { at, height: heights, from, square } = this;
    let k = this.last;
    let start = -Infinity;
    for (; k >= 0; k--) {
      const v = at[k];
      start = ((height - heights[k]) / (square * (q - v)) + q + v) / 2;
      if (start > from[k]) break;
    }
    if (k < 0) start = -Infinity;
    at[++k] = q;
    heights[k] = height;
    from[k] = start;
    this.last = k;
  }
}

/** For each voxel the nearest site of its plane: `y` and `x`, `none` where the plane has no site. */
interface PlaneSites {
  readonly y: Uint16Array;
  readonly x: Uint16Array;
}

function rowSites(sites: Uint8Array, [depth, height, width]: Size3): Uint16Array {
  const nearest = new Uint16Array(sites.length);
  for (let row = 0, end = depth * height * width; row < end; row += width) {
    let last = none;
    for (let x = 0; x < width; x++) {
      if (sites[row + x] !== 0) last = x;
      nearest[row + x] = last;
    }
    let next = none;
    for (let x = width - 1; x >= 0; x--) {
      if (sites[row + x] !== 0) next = x;
      const before = nearest[row + x];
      if (next !== none && (before === none || next - x < x - before)) nearest[row + x] = next;
    }
  }
  return nearest;
}

/** Rows, then columns within each plane. */
function planeSites(sites: Uint8Array, size: Size3, spacing: readonly number[]): PlaneSites {
  const [, height, width] = size;
  const x = rowSites(sites, size);
  const y = new Uint16Array(x.length);
  const line = new Envelope(height, spacing[1]);
  const column = new Uint16Array(height);
  const { at, from } = line;
  const step = spacing[2];
  for (let plane = 0; plane < x.length; plane += height * width) {
    for (let c = 0; c < width; c++) {
      line.clear();
      for (let r = 0, i = plane + c; r < height; r++, i += width) {
        const site = x[i];
        column[r] = site;
        if (site === none) continue;
        const d = (c - site) * step;
        line.add(r, d * d);
      }
      const last = line.size - 1;
      for (let r = 0, i = plane + c, k = 0; r < height; r++, i += width) {
        if (last < 0) {
          y[i] = none;
          continue;
        }
        while (k < last && from[k + 1] < r) k++;
        y[i] = at[k];
        x[i] = column[at[k]];
      }
    }
  }
  return { y, x };
}

/** Distances of some voxels, or of all. */
export interface SiteDistances {
  /** Infinity without any site. */
  readonly distance: Float64Array;
  /** Flat index of the voxel that each distance is of; in no particular order. */
  readonly voxel: Int32Array;
}

/**
 * Exact Euclidean distances from the voxels where `queries` is not 0 to the nearest voxel where `sites` is not 0. What no query needs is not worked out, so
 * distances of a surface cost about half of those of a volume.
 * @param size of both, `[depth, height, width]`
 * @param spacing size of a voxel along each axis
 */
export function siteDistances(sites: Uint8Array, queries: Uint8Array, size: Size3, spacing: readonly number[]): SiteDistances {
  let count = 0;
  for (let i = 0; i < queries.length; i++) if (queries[i] !== 0) count++;
  const voxel = new Int32Array(count);
  const distance = new Float64Array(count);
  throughPlanes(sites, size, spacing, { distance, voxel, queries });
  return { distance, voxel };
}

/** Where the last pass puts its results. */
interface Wanted {
  /** One per query, or one per voxel without queries. */
  readonly distance: Float64Array;
  readonly voxel?: Int32Array;
  readonly queries?: Uint8Array;
  /** Positions of the nearest sites, all of an axis before the next one; −1 without a site. */
  readonly indices?: Int32Array;
}

/** The last pass, across the planes. */
function throughPlanes(sites: Uint8Array, size: Size3, spacing: readonly number[], wanted: Wanted): void {
  const [depth, height, width] = size;
  const plane = height * width;
  const { y, x } = planeSites(sites, size, spacing);
  const line = new Envelope(depth, spacing[0]);
  const { at, from, height: heights } = line;
  const { queries, distance, voxel, indices } = wanted;
  let written = 0;
  for (let c = 0; c < plane; c++) {
    let first = 0;
    if (queries) {
      while (first < depth && queries[first * plane + c] === 0) first++;
      if (first === depth) continue;
    }
    const [row, col] = [Math.floor(c / width), c % width];
    line.clear();
    for (let z = 0, i = c; z < depth; z++, i += plane) {
      if (x[i] === none) continue;
      const dy = (row - y[i]) * spacing[1];
      const dx = (col - x[i]) * spacing[2];
      line.add(z, dy * dy + dx * dx);
    }
    const last = line.size - 1;
    for (let z = first, k = 0, i = first * plane + c; z < depth; z++, i += plane) {
      if (queries && queries[i] === 0) continue;
      while (k < last && from[k + 1] < z) k++;
      const to = voxel ? written++ : i;
      if (voxel) voxel[to] = i;
      const dz = last < 0 ? Infinity : (z - at[k]) * spacing[0];
      distance[to] = last < 0 ? Infinity : Math.sqrt(dz * dz + heights[k]);
      if (!indices) continue;
      const from3 = last < 0 ? -1 : at[k] * plane + c;
      indices[i] = last < 0 ? -1 : at[k];
      indices[i + depth * plane] = last < 0 ? -1 : y[from3];
      indices[i + 2 * depth * plane] = last < 0 ? -1 : x[from3];
    }
  }
}

/** Sites of `distanceTransformEdt`: the zeros. */
function zerosOf(mask: HostArray): Uint8Array {
  const sites = new Uint8Array(mask.data.length);
  for (let i = 0; i < sites.length; i++) sites[i] = mask.data[i] === 0 ? 1 : 0;
  return sites;
}

export interface EdtOptions {
  /** Size of a voxel: one number or one per axis. Default 1. */
  readonly sampling?: number | readonly number[];
}

/** `value` once per axis. @throws ConfigError if it is neither one number nor one per axis, or not above 0 */
export function perAxis(op: string, value: number | readonly number[] | undefined, rank: number): number[] {
  const list = typeof value === "object" ? [...value] : new Array<number>(rank).fill(value ?? 1);
  if (list.length !== rank || !list.every((s) => Number.isFinite(s) && s > 0))
    throw new ConfigError(`${op}: a voxel size is one positive number or ${rank} of them, got [${list}]`);
  return list;
}

/**
 * Distance of each voxel that is not 0 to the nearest voxel that is 0 (SciPy `distance_transform_edt`), exact.
 * @param mask of 1, 2 or 3 axes
 * @returns the same shape; Infinity everywhere if nothing is 0
 * @throws ShapeError, ConfigError
 */
export function distanceTransformEdt(mask: HostArray, { sampling }: EdtOptions = {}): HostArray<Float64Array> {
  const op = "distanceTransformEdt";
  const size = threeAxes(op, mask.shape);
  expectAxes(op, mask.shape);
  const distance = new Float64Array(mask.data.length);
  throughPlanes(zerosOf(mask), size, threeAxes(op, perAxis(op, sampling, mask.shape.length)), { distance });
  return { data: distance, shape: mask.shape };
}

/** Positions `[axes, …shape]` of the zero that is nearest to each voxel, of several as near ones any; −1 if nothing is 0. Arguments as `distanceTransformEdt`. */
export function nearestZeros(mask: HostArray, { sampling }: EdtOptions = {}): HostArray<Int32Array> {
  const op = "nearestZeros";
  const rank = mask.shape.length;
  const size = threeAxes(op, mask.shape);
  expectAxes(op, mask.shape);
  const voxels = sizeOf(mask.shape);
  const indices = new Int32Array(3 * voxels);
  const distance = new Float64Array(voxels);
  throughPlanes(zerosOf(mask), size, threeAxes(op, perAxis(op, sampling, rank)), { distance, indices });
  return { data: indices.subarray((3 - rank) * voxels), shape: [rank, ...mask.shape] };
}

/** Steps to the neighbors that one scan has seen: across faces (taxicab), or across edges and corners too (chessboard). */
function seenBefore(metric: "chessboard" | "taxicab", stride: readonly number[]): Int32Array {
  const steps: number[] = [];
  for (let n = 0; n < 13; n++) {
    const move = [Math.floor(n / 9) - 1, (Math.floor(n / 3) % 3) - 1, (n % 3) - 1];
    const axes = move.filter((m) => m !== 0).length;
    if (metric === "chessboard" || axes === 1) steps.push(move.reduce((sum, m, a) => sum + m * stride[a], 0));
  }
  return Int32Array.from(steps);
}

/**
 * Distance of each voxel that is not 0 to the nearest voxel that is 0, in steps between neighbors (SciPy `distance_transform_cdt`).
 * @param metric "chessboard": steps go diagonally too; "taxicab": along axes
 * @param mask of 1, 2 or 3 axes
 * @returns the same shape; −1 everywhere if nothing is 0
 * @throws ShapeError, ConfigError
 */
export function distanceTransformCdt(mask: HostArray, metric: "chessboard" | "taxicab" = "chessboard"): HostArray<Int32Array> {
  if (metric !== "chessboard" && metric !== "taxicab")
    throw new ConfigError(`distanceTransformCdt: the metric is "chessboard" or "taxicab", got "${String(metric)}"`);
  const [depth, height, width] = threeAxes("distanceTransformCdt", mask.shape);
  // A border that is far from everything saves asking where the volume ends.
  const stride = [(height + 2) * (width + 2), width + 2, 1];
  const far = depth + height + width;
  const grid = new Int32Array((depth + 2) * stride[0]).fill(far);
  for (let z = 0, i = 0; z < depth; z++) {
    for (let y = 0; y < height; y++) {
      const row = (z + 1) * stride[0] + (y + 1) * stride[1] + 1;
      for (let x = 0; x < width; x++, i++) if (mask.data[i] === 0) grid[row + x] = 0;
    }
  }
  const before = seenBefore(metric, stride);
  const data = new Int32Array(mask.data.length);
  scan(grid, before, [depth, height, width], stride, 1);
  scan(grid, before, [depth, height, width], stride, -1);
  for (let z = 0, i = 0; z < depth; z++) {
    for (let y = 0; y < height; y++) {
      const row = (z + 1) * stride[0] + (y + 1) * stride[1] + 1;
      for (let x = 0; x < width; x++, i++) data[i] = grid[row + x] >= far ? -1 : grid[row + x];
    }
  }
  return { data, shape: mask.shape };
}

/** One scan, forward or backward: no voxel is farther than a neighbor seen before and one step. */
function scan(grid: Int32Array, before: Int32Array, [depth, height, width]: Size3, stride: readonly number[], way: 1 | -1): void {
  for (let n = 0; n < depth * height; n++) {
    const line = way > 0 ? n : depth * height - 1 - n;
    const row = (Math.floor(line / height) + 1) * stride[0] + ((line % height) + 1) * stride[1] + 1;
    for (let k = 0; k < width; k++) {
      const i = row + (way > 0 ? k : width - 1 - k);
      let least = grid[i];
      for (let b = 0; b < before.length; b++) {
        const next = grid[i + way * before[b]] + 1;
        if (next < least) least = next;
      }
      grid[i] = least;
    }
  }
}

/** @throws ShapeError if an axis has more voxels than a nearest site can be noted for */
export function expectAxes(op: string, shape: readonly number[]): void {
  if (shape.some((n) => n >= none)) throw new ShapeError(`${op}: axes of at most ${none - 1} voxels, got ${showShape(shape)}`);
}
