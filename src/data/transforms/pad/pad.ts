/** @file Padding to a size, by a border, or to a multiple: `SpatialPad`, `BorderPad`, `DivisiblePad`, `ResizeWithPadOrCrop`. */
import { ConfigError } from "../../../host/errors.ts";
import type { HostArray } from "../../../host/array.ts";
import { centerOf, crop } from "../crop/crop.ts";
import { padAxes, type PadWidth, type PadFill } from "./pad_axes.ts";
import { resolveSize, spatialShape, type SpatialSize } from "../../../host/strided.ts";
import type { Transform } from "../transform.ts";

/** "symmetric": half (rounded down) before, the rest after; "end": all after. */
export type PadMethod = "symmetric" | "end";

/**
 * Pads to at least `spatialSize`; axes that are long enough, and sizes of null, 0 or below, stay. MONAI's `SpatialPad`.
 *
 * Shapes: `[C, s…]` → `[C, max(s, spatialSize)…]`.
 * Geometry: dropped; kept where nothing is added.
 * @throws ConfigError for an unknown mode or method and a wrong number of sizes, ShapeError for an empty axis unless it is filled
 */
export class SpatialPad implements Transform {
  private readonly spatialSize: SpatialSize;
  private readonly method: PadMethod;
  private readonly fill: PadFill;

  constructor({
    spatialSize,
    method = "symmetric",
    ...fill
  }: { readonly spatialSize: SpatialSize; readonly method?: PadMethod } & PadFill) {
    this.spatialSize = spatialSize;
    this.method = checkMethod("SpatialPad", method);
    this.fill = fill;
  }

  apply(x: HostArray): HostArray {
    const image = spatialShape("SpatialPad", x);
    return padAxes("SpatialPad", x, widths(image, resolveSize("SpatialPad", this.spatialSize, image), this.method), this.fill);
  }
}

/**
 * Pads by `spatialBorder`: one width for all sides, one per axis, or before and after for each axis. Negative widths count as 0. MONAI's `BorderPad`.
 *
 * Shapes: `[C, s…]` → `[C, before + s + after…]`.
 * Geometry: dropped; kept where nothing is added.
 * @throws ConfigError for an unknown mode and a wrong number of widths, ShapeError for an empty axis unless it is filled
 */
export class BorderPad implements Transform {
  private readonly spatialBorder: readonly number[];
  private readonly fill: PadFill;

  constructor({ spatialBorder, ...fill }: { readonly spatialBorder: number | readonly number[] } & PadFill) {
    this.spatialBorder = typeof spatialBorder === "number" ? [spatialBorder] : spatialBorder;
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
    return padAxes(
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
 * Geometry: dropped; kept where nothing is added.
 * @throws ConfigError for an unknown mode or method and a wrong number of `k`, ShapeError for an empty axis unless it is filled
 */
export class DivisiblePad implements Transform {
  private readonly k: number | readonly number[];
  private readonly method: PadMethod;
  private readonly fill: PadFill;

  constructor({
    k,
    method = "symmetric",
    ...fill
  }: { readonly k: number | readonly number[]; readonly method?: PadMethod } & PadFill) {
    this.k = k;
    this.method = checkMethod("DivisiblePad", method);
    this.fill = fill;
  }

  apply(x: HostArray): HostArray {
    const image = spatialShape("DivisiblePad", x);
    const k = resolveSize(
      "DivisiblePad",
      this.k,
      image.map(() => 1),
    );
    return padAxes(
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
 * Geometry: dropped.
 * @throws ConfigError for an unknown mode or method and a wrong number of sizes, ShapeError for an empty axis unless it is filled
 */
export class ResizeWithPadOrCrop implements Transform {
  private readonly spatialSize: SpatialSize;
  private readonly method: PadMethod;
  private readonly fill: PadFill;

  constructor({
    spatialSize,
    method = "symmetric",
    ...fill
  }: { readonly spatialSize: SpatialSize; readonly method?: PadMethod } & PadFill) {
    this.spatialSize = spatialSize;
    this.method = checkMethod("ResizeWithPadOrCrop", method);
    this.fill = fill;
  }

  apply(x: HostArray): HostArray {
    const op = "ResizeWithPadOrCrop";
    const image = spatialShape(op, x);
    const size = resolveSize(op, this.spatialSize, image);
    const cropped = crop(op, x, centerOf(image, size));
    return padAxes(op, cropped, widths(cropped.shape.slice(1), size, this.method), this.fill);
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
