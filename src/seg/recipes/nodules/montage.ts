/** @file What the network of the recipe "nodules" sees, before anything is trained: crops with the contours of their nodules. */

import type { Item } from "../../../data/transforms/transform.ts";
import type { HostArray } from "../../../host/array.ts";
import type { Picture } from "../../../host/bytes/png.ts";
import { montage, overlay } from "../../pictures/pictures.ts";

/** The plane along the last axis in which a mask has most voxels; the middle one for an empty mask. */
function fullestPlane({ data, shape }: HostArray): number {
  const depth = shape.at(-1)!;
  const counts = new Float64Array(depth);
  for (let i = 0; i < data.length; i++) counts[i % depth] += data[i];
  const most = counts.reduce((best, n, k) => (n > counts[best] ? k : best), 0);
  return counts[most] > 0 ? most : depth >> 1;
}

/** A plane across the last axis, its rows along the second and columns along the first, as scans are shown. */
function planeOf({ data, shape }: HostArray, k: number): HostArray<Float32Array> {
  const [, nx, ny, nz] = shape;
  const out = new Float32Array(nx * ny);
  for (let y = 0; y < ny; y++) for (let x = 0; x < nx; x++) out[y * nx + x] = data[(x * ny + y) * nz + k];
  return { data: out, shape: [ny, nx] };
}

/**
 * Crops side by side, each by the plane through most of its nodules with their contours; a crop without any by its middle.
 * @param crops of the recipe's `samples`: `image` and `label` `[1, x, y, z]`
 */
export function noduleMontage(crops: readonly Item[]): Picture {
  return montage(
    crops.map((item) => {
      const { image, label } = item as unknown as Record<"image" | "label", HostArray>;
      const k = fullestPlane(label);
      return overlay(planeOf(image, k), planeOf(label, k), undefined, { window: [0, 1] });
    }),
  );
}
