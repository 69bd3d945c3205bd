/** @file Cropping to the foreground: `CropForeground`, `generateSpatialBoundingBox`. */
import { ConfigError, ShapeError } from "../../../host/errors.ts";
import { sizeOf, type HostArray } from "../../../host/array.ts";
import { crop, type RoiSlice } from "./crop.ts";
import { padAxes, type PadFill } from "../pad/pad_axes.ts";
import { resolveSize, spatialShape } from "../../../host/strided.ts";
import type { ItemWide, Transform } from "../transform.ts";

/** What counts as foreground, and what is added around it. */
export interface BoundingBoxOptions {
  /** Which values are foreground. Default: above 0. */
  readonly selectFn?: (v: number) => boolean;
  /** Channels that are looked at; default all. */
  readonly channelIndices?: number | readonly number[];
  /** Voxels added on each side, one for all axes or one per axis. Default 0. */
  readonly margin?: number | readonly number[];
  /** Cut the box at the image's border, in place of letting the margin reach outside. Default false. */
  readonly allowSmaller?: boolean;
}

/** Start and end (exclusive) of the foreground per spatial axis, with margin; all zeros when there is none. */
export function generateSpatialBoundingBox(x: HostArray, options: BoundingBoxOptions = {}): { start: number[]; end: number[] } {
  const { selectFn = (v) => v > 0, channelIndices, margin = 0, allowSmaller = false } = options;
  const op = "generateSpatialBoundingBox";
  const image = spatialShape(op, x);
  const margins = image.map((_, i) => (typeof margin === "number" ? margin : margin[i % margin.length]));
  if (margins.some((m) => !Number.isInteger(m) || m < 0))
    throw new ConfigError(`${op}: margin must be integers from 0 up, got ${String(margin)}`);
  const first = image.map(() => Infinity);
  const last = image.map(() => -1);
  const voxels = sizeOf(image);
  for (const c of channelList(op, channelIndices, x.shape[0])) {
    for (let i = 0; i < voxels; i++) {
      if (!selectFn(x.data[c * voxels + i])) continue;
      for (let a = image.length - 1, rest = i; a >= 0; a--) {
        const at = rest % image[a];
        if (at < first[a]) first[a] = at;
        if (at > last[a]) last[a] = at;
        rest = (rest - at) / image[a];
      }
    }
  }
  if (last[0] < 0) return { start: image.map(() => 0), end: image.map(() => 0) };
  const start = first.map((v, a) => v - margins[a]);
  const end = last.map((v, a) => v + margins[a] + 1);
  return allowSmaller
    ? { start: start.map((v) => Math.max(v, 0)), end: end.map((v, a) => Math.min(v, image[a])) }
    : { start, end };
}

/**
 * Crops to the bounding box of the foreground, its size raised to a multiple of `kDivisible` (default 1); where the box reaches outside the image it
 * is padded. Without foreground the result is empty. Under `onKeys` all arrays are cropped to the box of the first key's. MONAI's `CropForeground`.
 *
 * Shapes: `[C, …]` → `[C, …box]`.
 * Geometry: dropped.
 * @throws ConfigError for a margin below 0 and an unknown mode, ShapeError for a channel outside the image
 */
export class CropForeground implements Transform, ItemWide {
  private readonly options: BoundingBoxOptions & { readonly kDivisible?: number | readonly number[] } & PadFill;

  constructor(options: BoundingBoxOptions & { readonly kDivisible?: number | readonly number[] } & PadFill = {}) {
    this.options = options;
  }

  apply(x: HostArray): HostArray {
    return this.forItem(x).apply(x);
  }

  forItem(source: HostArray): { apply(x: HostArray): HostArray } {
    const op = "CropForeground";
    const image = spatialShape(op, source);
    const box = generateSpatialBoundingBox(source, this.options);
    const ones = image.map(() => 1);
    const k = resolveSize(op, this.options.kDivisible ?? 1, ones);
    const slices: RoiSlice[] = [];
    const widths = image.map((size, i) => {
      const length = box.end[i] - box.start[i];
      const divisible = Math.ceil(length / k[i]) * k[i];
      const start = box.start[i] - Math.floor((divisible - length) / 2);
      const end = start + divisible;
      slices.push([Math.max(start, 0), Math.max(end, 0)]);
      return [Math.max(-start, 0), Math.max(end - size, 0)] as const;
    });
    const apply = (x: HostArray): HostArray => {
      if (spatialShape(op, x).join() !== image.join())
        throw new ShapeError(
          `${op}: the box was chosen on an array of size [${image}] and cannot crop one of shape [${x.shape}]`,
        );
      return padAxes(op, crop(op, x, slices), widths, this.options);
    };
    return { apply };
  }
}

function channelList(op: string, indices: number | readonly number[] | undefined, count: number): number[] {
  if (indices === undefined) return Array.from({ length: count }, (_, c) => c);
  return [indices].flat().map((c) => {
    const channel = c < 0 ? c + count : c;
    if (!(channel >= 0 && channel < count))
      throw new ShapeError(`${op}: channel ${c} is outside the ${count} channels of the image`);
    return channel;
  });
}
