/** @file What pictures are drawn with: rectangles, lines, other pictures, slices of volumes. */

import type { HostArray } from "../../host/array.ts";
import type { Picture } from "../../host/bytes/png.ts";
import type { Rgb } from "../../data/class_colors.ts";

/** A color between two. */
export function mix(a: Rgb, b: Rgb, share: number): Rgb {
  return [0, 1, 2].map((k) => a[k] * (1 - share) + b[k] * share) as unknown as Rgb;
}

/** A black picture. */
export function blank(width: number, height: number): Picture {
  return { width, height, channels: 3, data: new Uint8Array(width * height * 3) };
}

/** Fills a rectangle that lies inside of the picture. */
export function fillRect(p: Picture, left: number, top: number, width: number, height: number, color: Rgb): void {
  const [r, g, b] = color.map((v) => Math.min(255, Math.max(0, Math.round(v))));
  for (let y = top; y < top + height; y++) {
    for (let i = (y * p.width + left) * 3; i < (y * p.width + left + width) * 3; i += 3) {
      p.data[i] = r;
      p.data[i + 1] = g;
      p.data[i + 2] = b;
    }
  }
}

/** Lays a picture, gray or RGB, over another at a place; it must fit in. */
export function paste(onto: Picture, p: Picture, left: number, top: number): void {
  for (let y = 0; y < p.height; y++) {
    for (let x = 0; x < p.width; x++) {
      for (let c = 0; c < 3; c++) {
        const from = (y * p.width + x) * p.channels + (p.channels === 3 ? c : 0);
        onto.data[((top + y) * onto.width + left + x) * 3 + c] = p.data[from];
      }
    }
  }
}

/** A straight line of square dots, clipped to the picture. */
export function drawLine(
  p: Picture,
  from: readonly [number, number],
  to: readonly [number, number],
  thickness: number,
  color: Rgb,
): void {
  const steps = Math.max(1, Math.ceil(Math.max(Math.abs(to[0] - from[0]), Math.abs(to[1] - from[1]))));
  for (let k = 0; k <= steps; k++) {
    const [x, y] = [0, 1].map((a) => Math.round(from[a] + ((to[a] - from[a]) * k) / steps - thickness / 2));
    const [left, top] = [Math.max(0, x), Math.max(0, y)];
    const [right, bottom] = [Math.min(p.width, x + thickness), Math.min(p.height, y + thickness)];
    if (right > left && bottom > top) fillRect(p, left, top, right - left, bottom - top, color);
  }
}

/** Slice `k` of a volume of the given size along an axis, the other two axes kept in order. */
export function takeSlice(volume: HostArray, size: readonly number[], axis: number, k: number): HostArray<Float32Array> {
  const strides = [size[1] * size[2], size[2], 1];
  const [h, w] = size.toSpliced(axis, 1);
  const [sy, sx] = strides.toSpliced(axis, 1);
  const data = new Float32Array(h * w);
  for (let y = 0; y < h; y++) for (let x = 0; x < w; x++) data[y * w + x] = volume.data[k * strides[axis] + y * sy + x * sx];
  return { data, shape: [h, w] };
}
