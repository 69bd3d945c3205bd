/** @file The nodules of a mask that comes without a list: its components as balls of the same volume. */

import { expectArguments } from "../../host/kinds.ts";
import { connectedComponents } from "../../host/grid/components.ts";
import { sizeOf } from "../../host/array.ts";
import { inverseOf } from "../../host/matrix.ts";
import { DataError } from "../../host/errors.ts";
import { type Affine, inMillimeters, makeVolume, type Volume, voxelVolumeOf } from "../volume.ts";
import { type Nodule, toVoxel } from "./annotations.ts";

/** Diameter of the ball of a volume. */
export const ballDiameter = (volume: number): number => Math.cbrt((6 * volume) / Math.PI);

/** Volume of the ball of a diameter. */
export const ballVolume = (diameter: number): number => (Math.PI * diameter ** 3) / 6;

/** The place of a voxel in millimeters, by an affine in these. */
export function toMillimeters(affine: Affine, [i, j, k]: readonly number[]): [number, number, number] {
  const [x, y, z] = affine.slice(0, 3).map((row) => row[0] * i + row[1] * j + row[2] * k + row[3]);
  return [x, y, z];
}

/**
 * What is connected (26 neighbors) in a mask, each as a ball of its volume around its middle.
 * @param mask `[1, nx, ny, nz]`, not 0 inside
 */
export function nodulesOfMask(mask: Volume): Nodule[] {
  expectArguments("nodulesOfMask", "volume", { mask });
  const [, nx, ny, nz] = mask.shape;
  const components = connectedComponents(mask.data, [nx, ny, nz]);
  const sums = new Float64Array(3 * (components.count + 1));
  components.of.forEach((id, run) => {
    const [start, end] = [components.starts[run], components.ends[run]];
    const [row, count] = [Math.floor(start / nz), end - start];
    sums[3 * id] += Math.floor(row / ny) * count;
    sums[3 * id + 1] += (row % ny) * count;
    sums[3 * id + 2] += ((start + end - 1) / 2 - row * nz) * count;
  });
  const { affine } = inMillimeters(mask);
  const voxel = voxelVolumeOf(affine);
  return Array.from({ length: components.count }, (_, c) => {
    const size = components.sizes[c + 1];
    const middle = [0, 1, 2].map((a) => sums[3 * (c + 1) + a] / size);
    return { center: toMillimeters(affine, middle), diameter: ballDiameter(size * voxel) };
  });
}

/** An image, or what its header says of it: `[C, nx, ny, nz]`. */
type Grid = Pick<Volume, "shape" | "affine" | "units"> & Partial<Pick<Volume, "meta">>;

/**
 * Balls of nodules on the grid of an image: 1 inside, 0 outside. The voxel at a middle is inside, however small the nodule.
 * @throws DataError for a nodule outside of the image
 */
export function maskOfNodules(image: Grid, nodules: readonly Nodule[]): Volume<Uint8Array> {
  const { shape, meta } = image;
  const { affine } = inMillimeters(image);
  const [ax, ay, az] = affine;
  // How far along each axis a millimeter reaches in any direction: the planes of voxels are closer than their centers where axes are not at right angles.
  const perMillimeter = inverseOf(affine)!.map(([u, v, w]) => Math.hypot(u, v, w));
  const size = shape.slice(1);
  const data = new Uint8Array(sizeOf(size));
  for (const { center, diameter } of nodules) {
    const middle = toVoxel(affine, center);
    if (middle.some((c, a) => !(c > -1 && c < size[a]))) {
      throw new DataError(
        `a nodule at [${center}] mm lies outside of ${meta?.source ?? "the image"} (voxel [${middle.map((c) => c.toFixed(1))}] of [${size}]); is the list that of this scan?`,
      );
    }
    // A voxel as far as the radius is inside, however its distance is rounded.
    const radius = (diameter / 2) * (1 + 1e-9);
    const reach = perMillimeter.map((rate) => radius * rate);
    const low = middle.map((c, a) => Math.max(0, Math.ceil(c - reach[a])));
    const high = middle.map((c, a) => Math.min(size[a] - 1, Math.floor(c + reach[a])));
    for (let i = low[0]; i <= high[0]; i++) {
      for (let j = low[1]; j <= high[1]; j++) {
        const [px, py, pz] = [ax, ay, az].map(([u, v, w]) => u * (i - middle[0]) + v * (j - middle[1]) - w * middle[2]);
        const row = (i * size[1] + j) * size[2];
        for (let k = low[2]; k <= high[2]; k++)
          if ((px + ax[2] * k) ** 2 + (py + ay[2] * k) ** 2 + (pz + az[2] * k) ** 2 <= radius ** 2) data[row + k] = 1;
      }
    }
    const [i, j, k] = middle.map((c, a) => Math.min(size[a] - 1, Math.max(0, Math.round(c))));
    data[(i * size[1] + j) * size[2] + k] = 1;
  }
  const { units } = image;
  return makeVolume({ data, shape: [1, ...size] }, image.affine, { kind: "label", ...(units && { units }) });
}
