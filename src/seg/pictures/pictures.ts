/**
 * @file Pictures of results without a drawing library: slices with truth and prediction, and montages.
 * Runs in Node and in browsers. Training curves are in `curves.ts`.
 */
import { expectItems, expectArguments } from "../../host/kinds.ts";
import type { Picture } from "../../host/bytes/png.ts";
import { ConfigError, ShapeError } from "../../host/errors.ts";
import { expectIntegers } from "../../host/integers.ts";
import { sizeOf, type HostArray } from "../../host/array.ts";
import { expectOptions } from "../../host/options.ts";
import { extent } from "../../host/stats.ts";
import { colorsOf, type Rgb } from "../../data/class_colors.ts";
import { blank, fillRect, mix, paste, takeSlice } from "./drawing.ts";

export { encodePng, type Picture } from "../../host/bytes/png.ts";
export { type BoxGroup, type BoxOptions, boxPlotSvg } from "./boxes.ts";
export { curveSvg, type CurveOptions, type Series } from "./curves.ts";

/** Options of `overlay`. */
export interface OverlayOptions {
  /** Pixels per voxel, a positive integer. Default: the slice's longer side becomes about 256 pixels. */
  readonly scale?: number;
  /** Opacity of the predicted area, 0 to 1. Default 0.4. */
  readonly alpha?: number;
  /** Intensities shown as black and white. Default: least and greatest value of the slice. */
  readonly window?: readonly [number, number];
}

/**
 * A slice in gray with the prediction filled translucent and the truth outlined.
 * @param slice intensities [H, W] (leading axes of size 1 are dropped)
 * @param label truth as class indices of the same size, 0 being background
 * @param pred prediction as class indices of the same size
 * @throws ShapeError when the sizes differ
 */
export function overlay(slice: HostArray, label?: HostArray, pred?: HostArray, options: OverlayOptions = {}): Picture {
  expectOptions("overlay", options, "scale alpha window");
  expectArguments("overlay", "array", { slice });
  expectArguments("overlay", "array?", { label, pred });
  const [h, w] = planeOf("slice", slice);
  for (const [name, a] of [["label", label] as const, ["pred", pred] as const])
    if (a && String(planeOf(name, a)) !== String([h, w]))
      throw new ShapeError(`overlay: ${name} is [${a.shape}] but the slice is [${slice.shape}]`);
  const { scale = Math.max(1, Math.round(256 / Math.max(h, w))), alpha = 0.4, window = rangeOf(slice.data) } = options;
  expectIntegers("overlay", { scale }, 1);
  const [low, high] = window;
  const thickness = Math.max(1, Math.round(scale / 4));
  const classAt = (y: number, x: number): number => (y < 0 || x < 0 || y >= h || x >= w ? 0 : label!.data[y * w + x]);
  const picture = blank(w * scale, h * scale);
  for (let y = 0; y < h; y++) {
    for (let x = 0; x < w; x++) {
      const i = y * w + x;
      const gray = high > low ? (255 * (slice.data[i] - low)) / (high - low) : 0;
      let color: Rgb = [gray, gray, gray];
      const predicted = pred ? pred.data[i] : 0;
      if (predicted > 0) color = mix(color, colorsOf(predicted).fill, alpha);
      fillRect(picture, x * scale, y * scale, scale, scale, color);
      const c = label ? classAt(y, x) : 0;
      if (c <= 0) continue;
      // The outline lies inside the labeled voxels, along every side where the class changes.
      const { line } = colorsOf(c);
      const [left, top, far] = [x * scale, y * scale, scale - thickness];
      const [west, east] = [classAt(y, x - 1) !== c, classAt(y, x + 1) !== c];
      const [north, south] = [classAt(y - 1, x) !== c, classAt(y + 1, x) !== c];
      if (west) fillRect(picture, left, top, thickness, scale, line);
      if (east) fillRect(picture, left + far, top, thickness, scale, line);
      if (north) fillRect(picture, left, top, scale, thickness, line);
      if (south) fillRect(picture, left, top + far, scale, thickness, line);
      // Where the outline turns around this voxel's corner from its neighbors, fill the corner.
      for (const [dy, dx] of [
        [-1, -1],
        [-1, 1],
        [1, -1],
        [1, 1],
      ])
        if (classAt(y + dy, x + dx) !== c && !(dx < 0 ? west : east) && !(dy < 0 ? north : south))
          fillRect(picture, left + (dx < 0 ? 0 : far), top + (dy < 0 ? 0 : far), thickness, thickness, line);
    }
  }
  return picture;
}

/** Options of `montage`. */
export interface MontageOptions {
  /** Pictures per row. Default: the square root of their number, rounded up. */
  readonly columns?: number;
  /** Pixels around and between the pictures. Default 4. */
  readonly margin?: number;
}

/** Pictures side by side, row by row, on dark gray. @throws ConfigError without pictures */
export function montage(pictures: readonly Picture[], options: MontageOptions = {}): Picture {
  expectOptions("montage", options, "columns margin");
  expectItems("montage", "pictures", pictures, { width: "number", height: "number", data: "values" });
  if (pictures.length === 0) throw new ConfigError("montage: there are no pictures; pass at least one");
  const { columns = Math.ceil(Math.sqrt(pictures.length)), margin = 4 } = options;
  const width = Math.max(...pictures.map((p) => p.width));
  const height = Math.max(...pictures.map((p) => p.height));
  const rows = Math.ceil(pictures.length / columns);
  const out = blank(columns * (width + margin) + margin, rows * (height + margin) + margin);
  out.data.fill(24);
  pictures.forEach((p, k) => {
    paste(out, p, margin + (k % columns) * (width + margin), margin + Math.floor(k / columns) * (height + margin));
  });
  return out;
}

/** Options of `sliceMontage`. */
export interface SliceMontageOptions extends MontageOptions, OverlayOptions {
  /** True label map, of the image's spatial shape; drawn over it. */
  readonly label?: HostArray;
  /** Predicted label map, of the image's spatial shape; drawn over it. */
  readonly pred?: HostArray;
  /** The axis that slices are taken along, 0, 1 or 2. Default 0. */
  readonly axis?: number;
  /** Show every n-th slice. Default: so that about 20 are shown. */
  readonly everyN?: number;
}

/** Slices of a volume [D, H, W] (leading axes of size 1 are dropped) as a montage, all in one intensity window. */
export function sliceMontage(volume: HostArray, options: SliceMontageOptions = {}): Picture {
  expectOptions("sliceMontage", options, "label pred axis everyN columns margin scale alpha window");
  expectArguments("sliceMontage", "array", { volume });
  const { label, pred, axis = 0, window = rangeOf(volume.data) } = options;
  const size = volume.shape.slice(-3);
  if (size.length !== 3 || sizeOf(size) !== volume.data.length)
    throw new ShapeError(`sliceMontage: the volume is [${volume.shape}]; expected [D, H, W]`);
  if (![0, 1, 2].includes(axis)) throw new ConfigError(`sliceMontage: axis must be 0, 1 or 2, got ${axis}`);
  for (const [name, a] of [["label", label] as const, ["pred", pred] as const])
    if (a && a.data.length !== volume.data.length)
      throw new ShapeError(`sliceMontage: ${name} is [${a.shape}] but the volume is [${volume.shape}]`);
  const { alpha, columns, margin } = options;
  const everyN = options.everyN ?? Math.max(1, Math.round(size[axis] / 20));
  const take = (a: HostArray | undefined, k: number): HostArray | undefined => a && takeSlice(a, size, axis, k);
  const scale = options.scale ?? Math.max(1, Math.round(160 / Math.max(...size.toSpliced(axis, 1))));
  const pictures: Picture[] = [];
  for (let k = 0; k < size[axis]; k += everyN)
    pictures.push(overlay(takeSlice(volume, size, axis, k), take(label, k), take(pred, k), { alpha, scale, window }));
  return montage(pictures, { columns, margin });
}

function planeOf(name: string, a: HostArray): [number, number] {
  const [h, w] = a.shape.slice(-2);
  if (a.shape.length < 2 || h * w !== a.data.length)
    throw new ShapeError(`overlay: ${name} is [${a.shape}]; expected one slice [H, W]`);
  return [h, w];
}

function rangeOf(data: HostArray["data"]): [number, number] {
  const { min, max } = extent(data);
  return [min, max];
}
