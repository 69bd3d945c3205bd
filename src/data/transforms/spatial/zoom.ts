/** @file Zooming in and out: `Zoom`, `RandZoom`. */
import { expectArguments } from "../../../host/kinds.ts";
import { ConfigError } from "../../../host/errors.ts";
import type { HostArray } from "../../../host/array.ts";
import { spatialShape } from "../../../host/strided.ts";
import { moved, resizeMatrix } from "../moved.ts";
import { centerOf } from "../crop/crop.ts";
import { perAxis, checkedOptions } from "../options.ts";
import { checkFill, type PadFill, padValueNames } from "../pad/pad_axes.ts";
import { padOrCrop } from "../pad/pad.ts";
import { release } from "../../../host/unfilled.ts";
import { MaybeTransform, type LabelSafe, type Transform } from "../transform.ts";
import { product, translation } from "../../../host/matrix.ts";
import type { Affine } from "../../volume.ts";
import { checkResizeMode, isNearestResize, labelResizing, resizeBy, type ResizeMode, resizePlaces } from "./resize.ts";

/** Options of `Zoom`. */
export interface ZoomOptions extends Omit<PadFill, "mode"> {
  /** Factor per axis, or one for all. */
  readonly zoom: number | readonly number[];
  /** Default "area"; labels of `onKeys` get "nearest-exact" in place of modes that mix voxels. */
  readonly mode?: ResizeMode;
  /** What surrounds an image that became smaller, with `keepSize`. Default "edge". */
  readonly paddingMode?: PadFill["mode"];
  /** As in `Resize`, for linear modes. Default false. */
  readonly alignCorners?: boolean | null;
  /** Pad or crop to the image's size. Default true. */
  readonly keepSize?: boolean;
}

const names = `mode paddingMode:text alignCorners:boolean keepSize:boolean ${padValueNames}`;

/**
 * Scales the image to ⌊size · zoom⌋, and by default pads or crops it to its size, about the center. MONAI's `Zoom`, whose default mode is "area".
 *
 * Shapes: `[C, …]` → `[C, …]`, or `[C, ⌊s · zoom⌋…]` without `keepSize`.
 * Geometry: kept.
 * @throws ConfigError for a wrong number of factors, unknown modes and unknown options
 */
export class Zoom implements Transform, LabelSafe {
  /** Names and kinds of the options it takes. */
  static readonly options: string = `zoom:sizes! ${names}`;
  private readonly options: ZoomOptions;

  constructor(options: ZoomOptions) {
    checkedOptions("Zoom", options, Zoom.options);
    checkResizeMode("Zoom", options.mode);
    checkFill("Zoom", { mode: options.paddingMode ?? undefined });
    this.options = options;
  }

  /** The nearest voxel: a mixture of class numbers is no class. A chosen mode holds if it takes voxels as they are. */
  forLabels(): Transform {
    return new Zoom(labelResizing(this.options));
  }

  apply(x: HostArray): HostArray {
    expectArguments("Zoom", "array", { x });
    return zoomed("Zoom", x, this.options);
  }
}

function zoomed(op: string, x: HostArray, options: ZoomOptions): HostArray {
  const { zoom, mode = "area", paddingMode = "edge", alignCorners, keepSize = true, ...fill } = options;
  const from = spatialShape(op, x);
  const factors = perAxis(op, "zoom", zoom, from.length);
  const to = from.map((s, i) => Math.floor(s * factors[i]));
  if (to.some((s) => !(s >= 1)))
    throw new ConfigError(`${op}: zoom [${factors.join(", ")}] of size [${from.join(", ")}] leaves nothing; raise it`);
  const keeps = keepSize && to.some((s, i) => s !== from[i]);
  // What would be cropped is not made.
  const window = to.map((s, i): [number, number] => (keepSize && s > from[i] ? middle(s, from[i]) : [0, s]));
  const scaled = resizeBy(op, { data: x.data, shape: x.shape }, to, mode, alignCorners ?? false, window);
  const { out, start } = keeps
    ? padOrCrop(op, scaled, from, "symmetric", { ...fill, mode: paddingMode })
    : { out: scaled, start: from.map(() => 0) };
  release([scaled.data], [x.data, out.data]);
  const kept = translation(start.map((s, i) => s + window[i][0]));
  const places = product(resizePlaces(from, to, mode, alignCorners ?? false), kept) as unknown as Affine;
  const affine = product(resizeMatrix(from, to), kept);
  return moved(op, x, out, affine, { kind: "resample", matrix: places, nearest: isNearestResize(mode) });
}

/** From where to where the middle of `length` elements lies, `size` of them, as a crop about the center has it. */
function middle(length: number, size: number): [number, number] {
  const [[start, end]] = centerOf([length], [size]);
  return [start!, end!];
}

/** Options of `RandZoom`. */
export interface RandZoomOptions extends Omit<ZoomOptions, "zoom"> {
  /** Default 0.1. */
  readonly prob?: number;
  /** Least factor, one or per axis. Default 0.9. */
  readonly minZoom?: number | readonly number[];
  /** Largest factor. Default 1.1. */
  readonly maxZoom?: number | readonly number[];
}

/**
 * With probability `prob` (default 0.1) zooms by factors drawn between `minZoom` and `maxZoom`: one for all axes, one per axis, or two in 3-D, the first
 * for all axes but the last. MONAI's `RandZoom`.
 *
 * Shapes: `[C, …]` → `[C, …]`, or `[C, ⌊s · zoom⌋…]` without `keepSize`.
 * Geometry: kept.
 * Draws: `rand()` against `prob`; where it acts, `uniform(minZoom, maxZoom)` for each given factor.
 * @throws ConfigError for ranges of different lengths, unknown modes and unknown options
 */
export class RandZoom extends MaybeTransform {
  /** Names and kinds of the options it takes. */
  static readonly options: string = `prob:number minZoom:sizes maxZoom:sizes ${names}`;
  private readonly low: readonly number[];
  private readonly high: readonly number[];
  private readonly rest: Omit<ZoomOptions, "zoom">;
  private factors: number[] = [];

  constructor(options: RandZoomOptions = {}) {
    const { prob = 0.1, minZoom = 0.9, maxZoom = 1.1, ...rest } = checkedOptions("RandZoom", options, RandZoom.options);
    super("RandZoom", prob);
    checkResizeMode("RandZoom", rest.mode);
    checkFill("RandZoom", { mode: rest.paddingMode ?? undefined });
    this.low = typeof minZoom === "number" ? [minZoom] : minZoom;
    this.high = typeof maxZoom === "number" ? [maxZoom] : maxZoom;
    this.rest = rest;
    if (this.low.length !== this.high.length)
      throw new ConfigError(
        `RandZoom: minZoom and maxZoom must have as many values, got ${this.low.length} and ${this.high.length}`,
      );
  }

  protected draw(x: HostArray): void {
    const dims = x.shape.length - 1;
    const drawn = this.low.map((low, i) => this.random.uniform(low, this.high[i]));
    if (drawn.length === 1) this.factors = new Array<number>(dims).fill(drawn[0]);
    else if (drawn.length === 2 && dims > 2) this.factors = [...new Array<number>(dims - 1).fill(drawn[0]), drawn[1]];
    else this.factors = drawn;
  }
  protected act(x: HostArray): HostArray {
    return zoomed("RandZoom", x, { ...this.rest, zoom: this.factors });
  }
  protected override actOnLabel(x: HostArray): HostArray {
    return zoomed("RandZoom", x, { ...labelResizing(this.rest), zoom: this.factors });
  }
}
