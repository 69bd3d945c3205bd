/** @file Smoothing: `GaussianSmooth`, `RandGaussianSmooth`, `SavitzkyGolaySmooth`, `MedianSmooth`. */
import { expectArguments } from "../../../host/kinds.ts";
import { ConfigError, ShapeError } from "../../../host/errors.ts";
import type { HostArray } from "../../../host/array.ts";
import { required } from "../../../host/defaults.ts";
import { type EdgeMode, edgeMode, torchEdges } from "../../../host/edges.ts";
import { filterAxis } from "../../../host/filter.ts";
import { type GaussianApprox, gaussianWeights } from "../../../host/gaussian.ts";
import { medianFilter } from "../../../host/median_filter.ts";
import { savitzkyGolayWeights } from "../../../host/savitzky_golay.ts";
import { spatialShape } from "../../../host/strided.ts";
import { MaybeTransform, type Transform } from "../transform.ts";
import { intoType } from "./arithmetic.ts";
import { allOptions } from "../options.ts";

/** The filter of `GaussianSmooth`. */
export interface GaussianSmoothOptions {
  /** Standard deviation in voxels, one or per spatial axis. Default 1. */
  readonly sigma?: number | readonly number[];
  /** How the Gaussian becomes weights. Default "erf". */
  readonly approx?: GaussianApprox;
}

/** Smooths along every spatial axis; zeros outside. */
export function gaussianSmooth(
  op: string,
  x: HostArray,
  sigma: number | readonly number[],
  approx: GaussianApprox,
): Float32Array {
  const spatial = spatialShape(op, x);
  const sigmas = typeof sigma === "number" ? spatial.map(() => sigma) : sigma;
  if (sigmas.length !== spatial.length)
    throw new ConfigError(`${op}: sigma has ${sigmas.length} values for ${spatial.length} spatial axes`);
  let data: Float32Array = new Float32Array(x.data as ArrayLike<number>);
  sigmas.forEach((s, i) => (data = filterAxis(data, x.shape, i + 1, gaussianWeights(op, s, approx))));
  return data;
}

/**
 * Gaussian smoothing; zeros outside, weights cut at 4 sigma. Float32. MONAI's `GaussianSmooth`.
 *
 * Shapes: `[C, …]` → `[C, …]`.
 * Geometry: kept.
 * @throws ShapeError without a spatial axis, ConfigError for sigmas below 0 or of another number, an unknown `approx` or option
 */
export class GaussianSmooth implements Transform {
  private readonly options: Required<GaussianSmoothOptions>;

  constructor(options: GaussianSmoothOptions = {}) {
    this.options = allOptions("GaussianSmooth", options, "sigma:sizes approx:text", { sigma: 1, approx: "erf" });
    // Tried out now, so that a wrong one is not found at the first image.
    gaussianWeights("GaussianSmooth", 0, this.options.approx);
  }

  apply(x: HostArray): HostArray {
    expectArguments("GaussianSmooth", "array", { x });
    const { sigma, approx } = this.options;
    return { ...x, data: gaussianSmooth("GaussianSmooth", x, sigma, approx) };
  }
}

/** What `RandGaussianSmooth` draws. */
export interface RandGaussianSmoothOptions {
  /** Range of sigma along the first spatial axis. Default [0.25, 1.5], as the others. In voxels. */
  readonly sigmaX?: readonly [number, number];
  /** Along the second. In voxels. */
  readonly sigmaY?: readonly [number, number];
  /** Along the third. In voxels. */
  readonly sigmaZ?: readonly [number, number];
  /** Default 0.1. */
  readonly prob?: number;
  /** Default "erf". */
  readonly approx?: GaussianApprox;
}

/**
 * `GaussianSmooth` with a sigma per axis, with probability `prob` (default 0.1). MONAI's `RandGaussianSmooth`.
 *
 * Shapes: `[C, …]` → `[C, …]`, up to three spatial axes.
 * Geometry: kept.
 * Draws: `rand()` against `prob`; where it acts, `uniform(...sigma)` for x, y and z, however many axes there are.
 * @throws ConfigError for a `prob` outside 0 … 1 and an unknown option
 */
export class RandGaussianSmooth extends MaybeTransform {
  private readonly options: Required<RandGaussianSmoothOptions>;
  private sigma: number[] = [];

  constructor(options: RandGaussianSmoothOptions = {}) {
    const all = allOptions(
      "RandGaussianSmooth",
      options,
      "sigmaX:numbers sigmaY:numbers sigmaZ:numbers prob:number approx:text",
      {
        sigmaX: [0.25, 1.5],
        sigmaY: [0.25, 1.5],
        sigmaZ: [0.25, 1.5],
        prob: 0.1,
        approx: "erf",
      },
    );
    super("RandGaussianSmooth", all.prob);
    this.options = all;
  }

  protected draw(): void {
    const { sigmaX, sigmaY, sigmaZ } = this.options;
    this.sigma = [sigmaX, sigmaY, sigmaZ].map(([low, high]) => this.random.uniform(low, high));
  }
  protected act(x: HostArray): HostArray {
    const sigma = spatialSigmas("RandGaussianSmooth", this.sigma, x);
    return { ...x, data: gaussianSmooth("RandGaussianSmooth", x, sigma, this.options.approx) };
  }
}

/** The first of three sigmas, one per spatial axis. */
export function spatialSigmas(op: string, sigma: readonly number[], x: HostArray): number[] {
  const dims = spatialShape(op, x).length;
  if (dims > sigma.length) throw new ShapeError(`${op}: expected up to 3 spatial axes, got shape [${x.shape.join(", ")}]`);
  return sigma.slice(0, dims);
}

/** The filter of `SavitzkyGolaySmooth`. */
export interface SavitzkyGolaySmoothOptions {
  /** Number of weights, odd. */
  readonly windowLength: number;
  /** Degree of the polynomial, below the window's length. */
  readonly order: number;
  /** Axis of the array, from 1 for the first spatial one. Default 1. */
  readonly axis?: number;
  /** What stands beyond the ends. Default "zeros". */
  readonly mode?: "zeros" | "reflect" | "replicate" | "circular";
}

/** What stands beyond the ends, by name. */
export const savitzkyEdges: Readonly<Record<string, EdgeMode>> = { zeros: "constant", ...torchEdges };

/**
 * Smooths along one axis by a polynomial fitted to each window (Savitzky and Golay 1964). The element type stays. MONAI's `SavitzkyGolaySmooth`.
 *
 * Shapes: any, unchanged.
 * Geometry: kept.
 * @throws ConfigError for an even window, an order as large as it, a negative axis, an unknown mode or option, ShapeError for an axis that the array does
 *   not have
 */
export class SavitzkyGolaySmooth implements Transform {
  private readonly options: Required<SavitzkyGolaySmoothOptions>;
  private readonly weights: Float64Array;
  private readonly edge: EdgeMode;

  constructor(options: SavitzkyGolaySmoothOptions) {
    const defaults = { windowLength: required, order: required, axis: 1, mode: "zeros" } as const;
    this.options = allOptions("SavitzkyGolaySmooth", options, "windowLength:number order:number axis:number mode", defaults);
    const { windowLength, order, axis, mode } = this.options;
    if (!(axis >= 0)) throw new ConfigError(`SavitzkyGolaySmooth: axis must be 0 or more, got ${axis}`);
    this.weights = savitzkyGolayWeights("SavitzkyGolaySmooth", windowLength, order);
    this.edge = edgeMode("SavitzkyGolaySmooth", "mode", mode, savitzkyEdges);
  }

  apply(x: HostArray): HostArray {
    expectArguments("SavitzkyGolaySmooth", "array", { x });
    const { axis } = this.options;
    if (axis >= x.shape.length) throw new ShapeError(`SavitzkyGolaySmooth: shape [${x.shape.join(", ")}] has no axis ${axis}`);
    const data = new Float32Array(x.data as ArrayLike<number>);
    return { ...x, data: intoType(filterAxis(data, x.shape, axis, this.weights, this.edge), x.data) };
  }
}

/**
 * The median of the voxels up to `radius` (default 1, one or per spatial axis) away; the border is repeated outside. Float32. MONAI's `MedianSmooth`.
 *
 * Shapes: `[C, …]` → `[C, …]`.
 * Geometry: kept.
 * @throws ConfigError for a radius that is not an integer from 0 up or of another number, and an unknown option
 */
export class MedianSmooth implements Transform {
  private readonly radius: number | readonly number[];

  constructor(options: { readonly radius?: number | readonly number[] } = {}) {
    this.radius = allOptions("MedianSmooth", options, "radius:sizes", { radius: 1 }).radius;
  }

  apply(x: HostArray): HostArray {
    const dims = spatialShape("MedianSmooth", x).length;
    const radius = typeof this.radius === "number" ? new Array<number>(dims).fill(this.radius) : this.radius;
    if (radius.length !== dims || radius.some((r) => !Number.isInteger(r) || r < 0)) {
      throw new ConfigError(
        `MedianSmooth: radius must be an integer from 0 up, one or per spatial axis (${dims}), got [${radius.join(", ")}]`,
      );
    }
    return { ...x, data: medianFilter(new Float32Array(x.data as ArrayLike<number>), x.shape, radius) };
  }
}
