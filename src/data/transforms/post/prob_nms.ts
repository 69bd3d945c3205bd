/** @file `ProbNMS`: peaks of a probability map. */
import { expectArguments } from "../../../host/kinds.ts";
import type { HostArray } from "../../../host/array.ts";
import { ConfigError, ShapeError } from "../../../host/errors.ts";
import { showShape, stridesOf } from "../../../host/shape.ts";
import { GaussianSmooth } from "../intensity/smooth.ts";
import { allOptions } from "../options.ts";

/** Which peaks `ProbNMS` finds. */
export interface ProbNMSOptions {
  /** Axes of the map. Default 2. */
  readonly spatialDims?: number;
  /** Of a Gaussian that smooths the map before, in elements; one or one per axis. Default 0: none. */
  readonly sigma?: number | readonly number[];
  /** A peak is above it; at least 0. Default 0.5. */
  readonly probThreshold?: number;
  /** Size of the box around a peak in which there is no other; one or one per axis. Default 48. */
  readonly boxSize?: number | readonly number[];
}

/** A peak: its probability, then its position along each axis. */
export type Peak = readonly number[];

/**
 * Peaks of a probability map, the highest first, with no two in one box (non-maximum suppression). Of equal ones the first in memory. MONAI's `ProbNMS`,
 * whose `sigma`, unlike here, does not act on every axis.
 *
 * Shapes: `[…]` without a channel → a list.
 * Geometry: dropped.
 * @throws ConfigError for a threshold below 0 and for a box that is empty or does not fit the axes, ShapeError for a map of other axes
 */
export class ProbNMS {
  private readonly options: Required<ProbNMSOptions>;
  private readonly box: readonly number[];

  constructor(options: ProbNMSOptions = {}) {
    this.options = allOptions("ProbNMS", options, "spatialDims:number sigma:sizes probThreshold:number boxSize:sizes", {
      spatialDims: 2,
      sigma: 0,
      probThreshold: 0.5,
      boxSize: 48,
    });
    const { spatialDims, probThreshold, boxSize } = this.options;
    if (!(Number.isInteger(spatialDims) && spatialDims > 0))
      throw new ConfigError(`ProbNMS: spatialDims must be an integer from 1 up, got ${spatialDims}`);
    if (!(probThreshold >= 0)) throw new ConfigError(`ProbNMS: probThreshold must be at least 0, got ${probThreshold}`);
    this.box = typeof boxSize === "number" ? new Array<number>(spatialDims).fill(boxSize) : boxSize;
    if (this.box.length !== spatialDims || this.box.some((b) => !(b > 0)))
      throw new ConfigError(`ProbNMS: boxSize must be ${spatialDims} numbers above 0, got ${showShape(this.box)}`);
  }

  /** The peaks of `map`, the highest first. */
  apply(map: HostArray): Peak[] {
    expectArguments("ProbNMS", "array", { map });
    const { spatialDims, probThreshold } = this.options;
    if (map.shape.length !== spatialDims)
      throw new ShapeError(`ProbNMS: expected a map of ${spatialDims} axes without a channel, got shape ${showShape(map.shape)}`);
    const { data } = this.smoothed(map);
    const order: number[] = [];
    for (let i = 0; i < data.length; i++) if (data[i] > probThreshold) order.push(i);
    order.sort((a, b) => data[b] - data[a] || a - b);
    const strides = stridesOf(map.shape);
    const peaks: number[][] = [];
    for (const i of order) {
      const at = strides.map((step, axis) => Math.floor(i / step) % map.shape[axis]);
      if (!peaks.some((peak) => this.inBox(at, peak))) peaks.push([data[i], ...at]);
    }
    return peaks;
  }

  private inBox(at: readonly number[], peak: Peak): boolean {
    return at.every((x, axis) => {
      const start = peak[axis + 1] - Math.floor(this.box[axis] / 2);
      return x >= start && x < start + this.box[axis];
    });
  }

  private smoothed(map: HostArray): HostArray {
    const { sigma } = this.options;
    if (sigma === 0) return map;
    const { data } = new GaussianSmooth({ sigma }).apply({ data: map.data, shape: [1, ...map.shape] });
    return { data, shape: map.shape };
  }
}
