/** @file Sharpening: `GaussianSharpen`, `RandGaussianSharpen`. */
import { expectArguments } from "../../../host/kinds.ts";
import type { HostArray } from "../../../host/array.ts";
import { type GaussianApprox, gaussianWeights } from "../../../host/gaussian.ts";
import { MaybeTransform, type Transform } from "../transform.ts";
import type { Interval } from "./arithmetic.ts";
import { gaussianSmooth, spatialSigmas } from "./smooth.ts";
import { allOptions } from "../options.ts";

/** The filters of `GaussianSharpen`. */
export interface GaussianSharpenOptions {
  /** Standard deviation in voxels of the first filter, one or per spatial axis. Default 3. */
  readonly sigma1?: number | readonly number[];
  /** Of the second. Default 1. */
  readonly sigma2?: number | readonly number[];
  /** Weight of what the second filter takes away. Default 30. */
  readonly alpha?: number;
  /** How Gaussians become weights. Default "erf". */
  readonly approx?: GaussianApprox;
}

/**
 * b + alpha · (b − b₂), b the image smoothed with `sigma1` and b₂ that smoothed again with `sigma2`; zeros outside. Float32. MONAI's `GaussianSharpen`.
 *
 * Shapes: `[C, …]` → `[C, …]`.
 * Geometry: kept.
 * @throws ShapeError without a spatial axis, ConfigError for sigmas below 0 or of another number, an unknown `approx` or option
 */
export class GaussianSharpen implements Transform {
  private readonly options: Required<GaussianSharpenOptions>;

  constructor(options: GaussianSharpenOptions = {}) {
    this.options = allOptions("GaussianSharpen", options, "sigma1:sizes sigma2:sizes alpha:number approx:text", {
      sigma1: 3,
      sigma2: 1,
      alpha: 30,
      approx: "erf",
    });
    gaussianWeights("GaussianSharpen", 0, this.options.approx);
  }

  apply(x: HostArray): HostArray {
    expectArguments("GaussianSharpen", "array", { x });
    const { sigma1, sigma2, alpha, approx } = this.options;
    const data = gaussianSmooth("GaussianSharpen", x, sigma1, approx);
    const twice = gaussianSmooth("GaussianSharpen", { data, shape: x.shape }, sigma2, approx);
    const [f, a] = [Math.fround, Math.fround(alpha)];
    for (let i = 0; i < data.length; i++) data[i] += f(a * f(data[i] - twice[i]));
    return { ...x, data };
  }
}

/** What `RandGaussianSharpen` draws. */
export interface RandGaussianSharpenOptions {
  /** Range of the first filter's sigma along the first spatial axis. Default [0.5, 1], as the others. In voxels. */
  readonly sigma1X?: Interval;
  /** Along the second axis, in voxels. */
  readonly sigma1Y?: Interval;
  /** Along the third axis, in voxels. */
  readonly sigma1Z?: Interval;
  /** Range of the second filter's; a number v means from v to what was drawn for the first. Default 0.5, as the others. In voxels. */
  readonly sigma2X?: Interval | number;
  /** Along the second axis, in voxels. */
  readonly sigma2Y?: Interval | number;
  /** Along the third axis, in voxels. */
  readonly sigma2Z?: Interval | number;
  /** Range of alpha. Default [10, 30]. */
  readonly alpha?: Interval;
  /** Default "erf". */
  readonly approx?: GaussianApprox;
  /** Default 0.1. */
  readonly prob?: number;
}

/**
 * `GaussianSharpen` with drawn sigmas and alpha, with probability `prob` (default 0.1). MONAI's `RandGaussianSharpen`.
 *
 * Shapes: `[C, …]` → `[C, …]`, up to three spatial axes.
 * Geometry: kept.
 * Draws: `rand()` against `prob`; where it acts, `uniform(...range)` for the first sigma of x, y and z, for the second one, for alpha.
 * @throws ConfigError for a `prob` outside 0 … 1 and an unknown option
 */
export class RandGaussianSharpen extends MaybeTransform {
  private readonly options: Required<RandGaussianSharpenOptions>;
  private sigma1: number[] = [];
  private sigma2: number[] = [];
  private alpha = 0;

  constructor(options: RandGaussianSharpenOptions = {}) {
    const all = allOptions(
      "RandGaussianSharpen",
      options,
      "sigma1X:numbers sigma1Y:numbers sigma1Z:numbers sigma2X:sizes sigma2Y:sizes sigma2Z:sizes alpha:sizes approx:text prob:number",
      {
        sigma1X: [0.5, 1],
        sigma1Y: [0.5, 1],
        sigma1Z: [0.5, 1],
        sigma2X: 0.5,
        sigma2Y: 0.5,
        sigma2Z: 0.5,
        alpha: [10, 30],
        approx: "erf",
        prob: 0.1,
      },
    );
    super("RandGaussianSharpen", all.prob);
    this.options = all;
  }

  protected draw(): void {
    const { sigma1X, sigma1Y, sigma1Z, sigma2X, sigma2Y, sigma2Z, alpha } = this.options;
    this.sigma1 = [sigma1X, sigma1Y, sigma1Z].map(([low, high]) => this.random.uniform(low, high));
    this.sigma2 = [sigma2X, sigma2Y, sigma2Z].map((range, i) => {
      const [low, high] = typeof range === "number" ? [range, this.sigma1[i]] : range;
      return this.random.uniform(low, high);
    });
    this.alpha = this.random.uniform(alpha[0], alpha[1]);
  }
  protected act(x: HostArray): HostArray {
    const sigma1 = spatialSigmas("RandGaussianSharpen", this.sigma1, x);
    const sigma2 = spatialSigmas("RandGaussianSharpen", this.sigma2, x);
    return new GaussianSharpen({ sigma1, sigma2, alpha: this.alpha, approx: this.options.approx }).apply(x);
  }
}
