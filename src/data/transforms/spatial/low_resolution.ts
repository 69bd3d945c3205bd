/** @file `RandSimulateLowResolution`: the image as a coarser scanner would have seen it. */
import type { HostArray } from "../../../host/array.ts";
import { roundHalfEven } from "../../../host/rounding.ts";
import { spatialShape } from "../../../host/strided.ts";
import { release } from "../../../host/unfilled.ts";
import { RandomTransform } from "../transform.ts";
import { checkResizeMode, isNearestResize, resizeBy, type ResizeMode } from "./resize.ts";
import { checkedOptions } from "../options.ts";

/** Options of `RandSimulateLowResolution`. */
export interface LowResolutionOptions {
  /** Default 0.1. */
  readonly prob?: number;
  /** Default "nearest". */
  readonly downsampleMode?: ResizeMode;
  /** Default "trilinear". */
  readonly upsampleMode?: ResizeMode;
  /** Least and largest factor of the size. Default 0.5 … 1. */
  readonly zoomRange?: readonly [number, number];
  /** Of the enlargement. Default false. */
  readonly alignCorners?: boolean;
}

/** For label maps: what mixes voxels takes the nearest. */
const labelModes = ({ downsampleMode, upsampleMode, ...rest }: LowResolutionOptions): LowResolutionOptions => {
  const safe = (mode?: ResizeMode): ResizeMode => (mode !== undefined && isNearestResize(mode) ? mode : "nearest");
  return { ...rest, downsampleMode: safe(downsampleMode), upsampleMode: safe(upsampleMode) };
};

/**
 * With probability `prob` (default 0.1) shrinks the image and enlarges it again. MONAI's `RandSimulateLowResolution`.
 *
 * Shapes: `[C, …]` → `[C, …]`.
 * Geometry: kept.
 * Draws: `rand()` against `prob`, then always `uniform(zoomRange)`.
 * @throws ConfigError for unknown modes and options
 */
export class RandSimulateLowResolution extends RandomTransform {
  /** Names and kinds of the options it takes. */
  static readonly options: string = "prob:number downsampleMode upsampleMode zoomRange:numbers alignCorners:boolean";
  private readonly options: LowResolutionOptions;
  private active = false;
  private factor = 1;

  constructor(options: LowResolutionOptions = {}) {
    super();
    checkedOptions("RandSimulateLowResolution", options, RandSimulateLowResolution.options);
    checkResizeMode("RandSimulateLowResolution", options.downsampleMode);
    checkResizeMode("RandSimulateLowResolution", options.upsampleMode);
    this.options = options;
  }

  randomize(): void {
    const { prob = 0.1, zoomRange = [0.5, 1] } = this.options;
    this.active = this.random.rand() < prob;
    this.factor = this.random.uniform(...zoomRange);
  }

  applyDrawn(x: HostArray): HostArray {
    return this.active ? this.coarse(x, this.options) : x;
  }
  override applyDrawnToLabel(x: HostArray): HostArray {
    return this.active ? this.coarse(x, labelModes(this.options)) : x;
  }

  private coarse(x: HostArray, options: LowResolutionOptions): HostArray {
    const op = "RandSimulateLowResolution";
    const { downsampleMode = "nearest", upsampleMode = "trilinear", alignCorners = false } = options;
    const size = spatialShape(op, x);
    const small = resizeBy(
      op,
      x,
      size.map((s) => Math.max(1, roundHalfEven(s * this.factor))),
      downsampleMode,
      false,
    );
    const out = resizeBy(op, small, size, upsampleMode, alignCorners);
    release([small.data], [x.data, out.data]);
    return { ...x, ...out };
  }
}
