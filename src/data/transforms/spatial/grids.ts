/** @file Sampling grids: identity, affine and randomly deformed ones; places relative to the image's center, in voxels, with a last row of ones. */
import { expectArguments, expectKinds } from "../../../host/kinds.ts";
import { ConfigError } from "../../../host/errors.ts";
import { type HostArray, sizeOf } from "../../../host/array.ts";
import { type Matrix, product, scaling } from "../../../host/matrix.ts";
import { RandomState, type RandomSource } from "../../../host/random/numpy.ts";
import { sourceOf } from "../source_of.ts";
import { type AffineParams, affineOf, affineOfRank } from "./affine_matrix.ts";
import { checkedOptions } from "../options.ts";

/** The centered places of a grid: `[axes + 1, …size]` in float64, `spacing` (voxels) apart. MONAI's `create_grid`. */
export function createGrid(size: readonly number[], spacing?: readonly number[]): HostArray<Float64Array> {
  expectKinds("createGrid", { numbers: { size }, "numbers?": { spacing } });
  const steps = spacing ?? size.map(() => 1);
  const voxels = sizeOf(size);
  const data = new Float64Array((size.length + 1) * voxels).fill(1, size.length * voxels);
  size.forEach((count, a) => {
    const inner = size.slice(a + 1).reduce((x, y) => x * y, 1);
    for (let i = 0; i < voxels; i++) data[a * voxels + i] = ((Math.floor(i / inner) % count) - (count - 1) / 2) * steps[a];
  });
  return { data, shape: [size.length + 1, ...size] };
}

/**
 * A coarse grid that reaches beyond the image by a point on each side; `spacing` in voxels. MONAI's `create_control_grid`. `size` is that of the image in
 * voxels. Shape `[axes + 1, …points]`.
 */
export function createControlGrid(size: readonly number[], spacing: readonly number[]): HostArray<Float64Array> {
  expectArguments("createControlGrid", "numbers", { size, spacing });
  return createGrid(controlSize(size, spacing), spacing);
}

/** Points of a control grid per axis. */
const controlSize = (size: readonly number[], spacing: readonly number[]): number[] =>
  size.map((d, i) =>
    d % 2 === 0 ? Math.ceil((d - 1) / (2 * spacing[i]) + 0.5) * 2 + 2 : Math.ceil((d - 1) / (2 * spacing[i])) * 2 + 3,
  );

/** `matrix` · grid. */
export function transformGrid(grid: HostArray, matrix: Matrix): HostArray<Float64Array> {
  const rows = grid.shape[0];
  const points = grid.data.length / rows;
  const out = new Float64Array(grid.data.length);
  for (let r = 0; r < rows; r++) {
    for (let c = 0; c < rows; c++) {
      const factor = matrix[r][c];
      if (factor !== 0) for (let i = 0; i < points; i++) out[r * points + i] += factor * grid.data[c * points + i];
    }
  }
  return { data: out, shape: grid.shape };
}

/** Options of `AffineGrid`. */
export interface AffineGridOptions extends AffineParams {
  /** The whole matrix, in place of parameters. */
  readonly affine?: Matrix | null;
  /** The corner places onto the faces of the image. Default false. */
  readonly alignCorners?: boolean;
}

/** Makes affine sampling grids. MONAI's `AffineGrid`. Throws `ConfigError` for unknown options. */
export class AffineGrid {
  /** Names and kinds of the options it takes. */
  static readonly options: string =
    "rotateParams:sizes shearParams:sizes translateParams:sizes scaleParams:sizes affine:matrix alignCorners:boolean";
  private readonly options: AffineGridOptions;

  constructor(options: AffineGridOptions = {}) {
    checkedOptions("AffineGrid", options, AffineGrid.options);
    this.options = options;
  }

  /** The matrix from output places to input places, both centered. Homogeneous, for `dims` spatial axes: 2 or 3. */
  matrix(dims: number): number[][] {
    const { affine } = this.options;
    return affine ? affineOfRank(dims, affine) : affineOf("AffineGrid", dims, this.options);
  }

  /** The places of an image of a size, or those of `grid` `[axes + 1, …]`, moved. */
  grid(of: readonly number[] | HostArray): HostArray<Float64Array> {
    const grid = "data" in of ? of : createGrid(of);
    const size = grid.shape.slice(1);
    const corners = scaling(size.map((d) => Math.max(d, 2) / (Math.max(d, 2) - 1)));
    const matrix = this.matrix(size.length);
    return transformGrid(grid, this.options.alignCorners ? product(matrix, corners) : matrix);
  }
}

/** Per axis ±value, or [low, high]; null leaves an axis out. One number is for the first axis. */
export type RandRange = number | readonly (number | null | readonly [number, number])[] | null;

/** Ranges of the parameters of a random affine; scales are added to 1. */
export interface AffineRanges {
  /** Angles in radians: one in 2-D, about each axis in 3-D. A number v means from −v to v. Default 0, as the others. */
  readonly rotateRange?: RandRange;
  /** Shearing factors: two in 2-D, six in 3-D. */
  readonly shearRange?: RandRange;
  /** Voxels along each spatial axis. */
  readonly translateRange?: RandRange;
  /** Factors less 1 along each spatial axis. */
  readonly scaleRange?: RandRange;
}

export const affineRangeNames = "rotateRange:pairs shearRange:pairs translateRange:pairs scaleRange:pairs";

/** Draws the parameters in MONAI's order: rotation, shear, translation, scale. */
export function drawAffine(op: string, random: RandomSource, ranges: AffineRanges): AffineParams {
  const draw = (range: RandRange | undefined, add: number): number[] => {
    const list = range === null || range === undefined ? [] : typeof range === "number" ? [range] : range;
    return list.flatMap((f) => {
      if (f === null) return [];
      if (typeof f === "number") return [random.uniform(-f, f) + add];
      if (f.length !== 2) throw new ConfigError(`${op}: a range of an axis is one number or [low, high], got [${String(f)}]`);
      return [random.uniform(f[0], f[1]) + add];
    });
  };
  const rotateParams = draw(ranges.rotateRange, 0);
  const shearParams = draw(ranges.shearRange, 0);
  const translateParams = draw(ranges.translateRange, 0);
  return { rotateParams, shearParams, translateParams, scaleParams: draw(ranges.scaleRange, 1) };
}

/** Draws affine sampling grids: `uniform(low, high)` for each range. MONAI's `RandAffineGrid`. Throws `ConfigError` for unknown options. */
export class RandAffineGrid {
  /** Names and kinds of the options it takes. */
  static readonly options: string = affineRangeNames;
  private readonly ranges: AffineRanges;
  private random: RandomSource = new RandomState();
  private params: AffineParams = {};

  constructor(ranges: AffineRanges = {}) {
    checkedOptions("RandAffineGrid", ranges, affineRangeNames);
    this.ranges = ranges;
  }

  /** From now on draws from `RandomState(seed)`, or from the given source. */
  setRandomState(seed: number | RandomSource): this {
    this.random = sourceOf(seed);
    return this;
  }

  /** Draws new parameters, and no grid. */
  randomize(): void {
    this.params = drawAffine("RandAffineGrid", this.random, this.ranges);
  }

  /** The matrix of the last draw. Homogeneous, for `dims` spatial axes: 2 or 3. */
  matrix(dims: number): number[][] {
    return affineOf("RandAffineGrid", dims, this.params);
  }

  /** Draws, and moves the places of an image of a size, or those of a grid. Grids are `[axes + 1, …]`. */
  grid(of: readonly number[] | HostArray): HostArray<Float64Array> {
    this.randomize();
    return new AffineGrid(this.params).grid(of);
  }
}

/**
 * Draws deformed control grids: `normal(0, 1, size)`, then `uniform(low, high)` for the magnitude. MONAI's `RandDeformGrid`. `spacing` of control points in
 * voxels, `magnitudeRange` in voxels.
 */
export class RandDeformGrid {
  /** Names and kinds of the options it takes. */
  static readonly options: string = "spacing:sizes! magnitudeRange:numbers!";
  private readonly spacing: number | readonly number[];
  private readonly magnitudeRange: readonly [number, number];
  private random: RandomSource = new RandomState();

  constructor(options: { readonly spacing: number | readonly number[]; readonly magnitudeRange: readonly [number, number] }) {
    checkedOptions("RandDeformGrid", options, RandDeformGrid.options);
    this.spacing = options.spacing;
    this.magnitudeRange = options.magnitudeRange;
  }

  /** From now on draws from `RandomState(seed)`, or from the given source. */
  setRandomState(seed: number | RandomSource): this {
    this.random = sourceOf(seed);
    return this;
  }

  /** Distance of control points per axis; 1 where it is 0 or below. In voxels, for `dims` spatial axes. */
  spacingFor(dims: number): number[] {
    const { spacing } = this;
    const list = typeof spacing === "number" ? [spacing] : spacing;
    const full = list.length === 1 ? new Array<number>(dims).fill(list[0]) : list;
    if (full.length !== dims)
      throw new ConfigError(`RandDeformGrid: spacing has ${full.length} values for ${dims} axes; give one or ${dims}`);
    return full.map((s) => (s > 0 ? s : 1));
  }

  /** Offsets for a grid of `size` points: `[axes, …size]`, in float32, times the magnitude. */
  offsets(size: readonly number[]): Float32Array {
    const normal = this.random.normal(0, 1, size.length * sizeOf(size));
    const magnitude = this.random.uniform(...this.magnitudeRange);
    return Float32Array.from(normal, (v) => magnitude * Math.fround(v));
  }

  /** Draws the control grid `[axes + 1, …]` of an image of a size. */
  grid(size: readonly number[]): HostArray<Float64Array> {
    const grid = createControlGrid(size, this.spacingFor(size.length));
    const offsets = this.offsets(grid.shape.slice(1));
    for (let i = 0; i < offsets.length; i++) grid.data[i] += offsets[i];
    return grid;
  }
}
