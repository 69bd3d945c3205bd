/** @file Padding by widths, to a size, by a border, or to a multiple: `Pad`, `SpatialPad`, `BorderPad`, `DivisiblePad`, `ResizeWithPadOrCrop`. */
import { expectArguments } from "../../../host/kinds.ts";
import { ConfigError } from "../../../host/errors.ts";
import type { HostArray } from "../../../host/array.ts";
import { centerOf, cropWindow } from "../crop/crop.ts";
import { movedWindow } from "../moved.ts";
import { checkFill, padAxes, padFillNames, type PadWidth, type PadFill } from "./pad_axes.ts";
import { resolveSize, spatialShape, type SpatialSize } from "../../../host/strided.ts";
import type { Transform } from "../transform.ts";
import { checkedOptions } from "../options.ts";

/** "symmetric": half (rounded down) before, the rest after; "end": all after. */
export type PadMethod = "symmetric" | "end";

/**
 * Pads to at least `spatialSize`; axes that are long enough, and sizes of null, 0 or below, stay. MONAI's `SpatialPad`.
 *
 * Shapes: `[C, s…]` → `[C, max(s, spatialSize)…]`.
 * Geometry: kept.
 * @throws ConfigError for an unknown mode or method and a wrong number of sizes, ShapeError for an empty axis unless it is filled
 */
export class SpatialPad implements Transform {
  /** Names and kinds of the options it takes. */
  static readonly options: string = `spatialSize:sizes! method:text ${padFillNames}`;
  private readonly spatialSize: SpatialSize;
  private readonly method: PadMethod;
  private readonly fill: PadFill;

  constructor(options: { readonly spatialSize: SpatialSize; readonly method?: PadMethod } & PadFill) {
    const { spatialSize, method = "symmetric", ...fill } = checkedOptions("SpatialPad", options, SpatialPad.options);
    this.spatialSize = spatialSize;
    this.method = checkMethod("SpatialPad", method);
    checkFill("SpatialPad", fill);
    this.fill = fill;
  }

  apply(x: HostArray): HostArray {
    const image = spatialShape("SpatialPad", x);
    return padded("SpatialPad", x, widths(image, resolveSize("SpatialPad", this.spatialSize, image), this.method), this.fill);
  }
}

/**
 * Pads by `spatialBorder`: one width for all sides, one per axis, or before and after for each axis. Negative widths count as 0. MONAI's `BorderPad`.
 *
 * Shapes: `[C, s…]` → `[C, before + s + after…]`.
 * Geometry: kept.
 * @throws ConfigError for an unknown mode and a wrong number of widths, ShapeError for an empty axis unless it is filled
 */
export class BorderPad implements Transform {
  /** Names and kinds of the options it takes. */
  static readonly options: string = `spatialBorder:sizes! ${padFillNames}`;
  private readonly spatialBorder: readonly number[];
  private readonly fill: PadFill;

  constructor(options: { readonly spatialBorder: number | readonly number[] } & PadFill) {
    const { spatialBorder, ...fill } = checkedOptions("BorderPad", options, BorderPad.options);
    this.spatialBorder = typeof spatialBorder === "number" ? [spatialBorder] : spatialBorder;
    checkFill("BorderPad", fill);
    this.fill = fill;
  }

  apply(x: HostArray): HostArray {
    const border = this.spatialBorder.map((b) => Math.max(b, 0));
    const dims = spatialShape("BorderPad", x).length;
    if (![1, dims, 2 * dims].includes(border.length) || !border.every(Number.isInteger)) {
      throw new ConfigError(
        `BorderPad: spatialBorder must be 1, ${dims} or ${2 * dims} integers for shape [${x.shape.join(", ")}], got [${border.join(", ")}]`,
      );
    }
    const at = (i: number, side: number): number =>
      border.length === 1 ? border[0] : border.length === dims ? border[i] : border[2 * i + side];
    return padded(
      "BorderPad",
      x,
      Array.from({ length: dims }, (_, i) => [at(i, 0), at(i, 1)]),
      this.fill,
    );
  }
}

/**
 * Pads every axis to the next multiple of `k`; a `k` of 0 or below keeps the axis. MONAI's `DivisiblePad`.
 *
 * Shapes: `[C, s…]` → `[C, ⌈s / k⌉ · k…]`.
 * Geometry: kept.
 * @throws ConfigError for an unknown mode or method and a wrong number of `k`, ShapeError for an empty axis unless it is filled
 */
export class DivisiblePad implements Transform {
  /** Names and kinds of the options it takes. */
  static readonly options: string = `k:sizes! method:text ${padFillNames}`;
  private readonly k: number | readonly number[];
  private readonly method: PadMethod;
  private readonly fill: PadFill;

  constructor(options: { readonly k: number | readonly number[]; readonly method?: PadMethod } & PadFill) {
    const { k, method = "symmetric", ...fill } = checkedOptions("DivisiblePad", options, DivisiblePad.options);
    this.k = k;
    this.method = checkMethod("DivisiblePad", method);
    checkFill("DivisiblePad", fill);
    this.fill = fill;
  }

  apply(x: HostArray): HostArray {
    const image = spatialShape("DivisiblePad", x);
    const k = resolveSize(
      "DivisiblePad",
      this.k,
      image.map(() => 1),
    );
    return padded(
      "DivisiblePad",
      x,
      widths(
        image,
        image.map((s, i) => Math.ceil(s / k[i]) * k[i]),
        this.method,
      ),
      this.fill,
    );
  }
}

/**
 * Center crop to at most `spatialSize`, then padding to it; sizes of null, 0 or below keep the axis. MONAI's `ResizeWithPadOrCrop`.
 *
 * Shapes: `[C, …]` → `[C, …spatialSize]`.
 * Geometry: kept.
 * @throws ConfigError for an unknown mode or method and a wrong number of sizes, ShapeError for an empty axis unless it is filled
 */
export class ResizeWithPadOrCrop implements Transform {
  /** Names and kinds of the options it takes. */
  static readonly options: string = `spatialSize:sizes! method:text ${padFillNames}`;
  private readonly spatialSize: SpatialSize;
  private readonly method: PadMethod;
  private readonly fill: PadFill;

  constructor(options: { readonly spatialSize: SpatialSize; readonly method?: PadMethod } & PadFill) {
    const {
      spatialSize,
      method = "symmetric",
      ...fill
    } = checkedOptions("ResizeWithPadOrCrop", options, ResizeWithPadOrCrop.options);
    this.spatialSize = spatialSize;
    this.method = checkMethod("ResizeWithPadOrCrop", method);
    checkFill("ResizeWithPadOrCrop", fill);
    this.fill = fill;
  }

  apply(x: HostArray): HostArray {
    const op = "ResizeWithPadOrCrop";
    const size = resolveSize(op, this.spatialSize, spatialShape(op, x));
    const { out, start } = padOrCrop(op, x, size, this.method, this.fill);
    return movedWindow(op, x, out, start);
  }
}

/** Center crop to at most `size`, then padding to it, and the voxel of `x` that is the result's first. */
export function padOrCrop(
  op: string,
  x: HostArray,
  size: readonly number[],
  method: PadMethod,
  fill: PadFill,
): { readonly out: HostArray; readonly start: number[] } {
  const cropped = cropWindow(op, x, centerOf(spatialShape(op, x), size));
  const width = widths(cropped.out.shape.slice(1), size, method);
  return { out: padAxes(op, cropped.out, width, fill), start: cropped.start.map((s, i) => s - width[i][0]) };
}

/** Padded, with the geometry moved along. */
function padded(op: string, x: HostArray, width: readonly PadWidth[], fill: PadFill): HostArray {
  if (width.every(([before, after]) => before === 0 && after === 0)) return x;
  return movedWindow(
    op,
    x,
    padAxes(op, x, width, fill),
    width.map(([before]) => -before),
  );
}

/**
 * Pads by given widths: `toPad` has [before, after] for every axis of the array, the channel axis first. MONAI's `Pad`.
 *
 * Shapes: `[C, s…]` → `[C, before + s + after…]`.
 * Geometry: kept.
 * @throws ConfigError for an unknown mode, a wrong number of widths, widths below 0 and a channel axis that is to be padded
 */
export class Pad implements Transform {
  /** Names and kinds of the options it takes. */
  static readonly options: string = `toPad:matrix! ${padFillNames}`;
  private readonly toPad: readonly PadWidth[];
  private readonly fill: PadFill;

  constructor(options: { readonly toPad: readonly PadWidth[] } & PadFill) {
    const { toPad, ...fill } = checkedOptions("Pad", options, Pad.options);
    checkFill("Pad", fill);
    expectArguments("Pad", "matrix", { toPad });
    if (!toPad.every(([a, b]) => Number.isInteger(a) && Number.isInteger(b) && a >= 0 && b >= 0))
      throw new ConfigError(`Pad: toPad must be pairs of integers from 0 up, got ${JSON.stringify(toPad)}`);
    if (toPad[0]?.[0] || toPad[0]?.[1])
      throw new ConfigError("Pad: the first pair of toPad is for the channels, which are not padded");
    this.toPad = toPad;
    this.fill = fill;
  }

  apply(x: HostArray): HostArray {
    const dims = spatialShape("Pad", x).length;
    if (this.toPad.length > dims + 1)
      throw new ConfigError(`Pad: toPad has ${this.toPad.length} pairs for shape [${x.shape.join(", ")}]`);
    return padded(
      "Pad",
      x,
      Array.from({ length: dims }, (_, i) => this.toPad[i + 1] ?? [0, 0]),
      this.fill,
    );
  }
}

function widths(image: readonly number[], size: readonly number[], method: PadMethod): PadWidth[] {
  return image.map((s, i) => {
    const width = Math.max(size[i] - s, 0);
    const before = method === "symmetric" ? Math.floor(width / 2) : 0;
    return [before, width - before];
  });
}

function checkMethod(op: string, method: PadMethod): PadMethod {
  if (method !== "symmetric" && method !== "end")
    throw new ConfigError(`${op}: method must be "symmetric" or "end", got "${String(method)}"`);
  return method;
}
