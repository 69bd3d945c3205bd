/** @file Masks on a grid: the box around what is set, and the voxels at its edge. */

import type { Size3 } from "./distance.ts";

/** The half-open box `[from, to)` per axis, the slowest first. */
export interface Box {
  readonly from: readonly [number, number, number];
  readonly to: readonly [number, number, number];
}

/** The smallest box around every voxel that is not 0 in `a` or `b`; undefined if there is none. */
export function boundingBox(a: Uint8Array, b: Uint8Array, [depth, height, width]: Size3): Box | undefined {
  let [z0, z1, y0, y1, x0, x1] = [depth, -1, height, -1, width, -1];
  for (let z = 0, row = 0; z < depth; z++) {
    for (let y = 0; y < height; y++, row += width) {
      let x = 0;
      while (x < width && a[row + x] === 0 && b[row + x] === 0) x++;
      if (x === width) continue;
      let last = width - 1;
      while (a[row + last] === 0 && b[row + last] === 0) last--;
      if (x < x0) x0 = x;
      if (last > x1) x1 = last;
      if (y < y0) y0 = y;
      if (y > y1) y1 = y;
      if (z < z0) z0 = z;
      z1 = z;
    }
  }
  return z1 < 0 ? undefined : { from: [z0, y0, x0], to: [z1 + 1, y1 + 1, x1 + 1] };
}

/** The part of a mask within a box, with a border of zeros along the axes that `border` names. */
export function cropMask(
  mask: Uint8Array,
  [, height, width]: Size3,
  { from, to }: Box,
  border: Size3,
): { data: Uint8Array; size: Size3 } {
  const inner = [to[0] - from[0], to[1] - from[1], to[2] - from[2]];
  const size: Size3 = [inner[0] + 2 * border[0], inner[1] + 2 * border[1], inner[2] + 2 * border[2]];
  const data = new Uint8Array(size[0] * size[1] * size[2]);
  for (let z = 0; z < inner[0]; z++) {
    for (let y = 0; y < inner[1]; y++) {
      const source = ((z + from[0]) * height + y + from[1]) * width + from[2];
      const target = ((z + border[0]) * size[1] + y + border[1]) * size[2] + border[2];
      data.set(mask.subarray(source, source + inner[2]), target);
    }
  }
  return { data, size };
}

/**
 * Voxels of a mask that have a neighbor across a face which is not of it: the mask without its erosion by a cross.
 * @param mask 0 or 1 each
 * @param axes how many of the last axes have neighbors: 2 for an image, whose first size is 1
 * @param beyond whether voxels beyond the volume count as set; default false
 */
export function maskEdges(mask: Uint8Array, [depth, height, width]: Size3, axes: number, beyond = false): Uint8Array {
  const edges = new Uint8Array(mask.length);
  const plane = height * width;
  for (let z = 0, i = 0; z < depth; z++) {
    const [above, below] = [z > 0, z < depth - 1];
    const outer = axes > 2 && !beyond && !(above && below);
    for (let y = 0; y < height; y++) {
      const [before, after] = [y > 0, y < height - 1];
      const border = outer || (axes > 1 && !beyond && !(before && after));
      for (let x = 0; x < width; x++, i++) {
        if (mask[i] === 0) continue;
        const open =
          border ||
          (x > 0 ? mask[i - 1] === 0 : !beyond) ||
          (x < width - 1 ? mask[i + 1] === 0 : !beyond) ||
          (axes > 1 && ((before && mask[i - width] === 0) || (after && mask[i + width] === 0))) ||
          (axes > 2 && ((above && mask[i - plane] === 0) || (below && mask[i + plane] === 0)));
        if (open) edges[i] = 1;
      }
    }
  }
  return edges;
}
