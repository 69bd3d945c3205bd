/** @file What a file is expected to hold, in the tables of the shared files, and how a volume differs from it. */

import { createHash } from "node:crypto";
import { channelsLast, encodeBlock } from "../../../src/data/formats/voxel_block.ts";
import type { Volume } from "../../../src/data/volume.ts";

/** A row of a table. */
export interface Expected {
  readonly expect: "ok" | "either" | "reject";
  readonly shape: readonly number[];
  readonly affine_ras?: readonly (readonly number[])[];
  readonly spacing?: readonly number[];
  /** Of the voxels as little-endian float64, x fastest; the whole digest or its beginning. */
  readonly sha256_f64le_xfastest: string;
  readonly min: number;
  readonly max: number;
}

/** Digest of a volume's voxels as little-endian float64, x fastest, then y, z, channel. */
export function voxelDigest({ data, shape }: Volume): string {
  return createHash("sha256")
    .update(encodeBlock(Float64Array.from(data), channelsLast(shape)))
    .digest("hex");
}

/** What differs, a line each. */
export function differences(volume: Volume, want: Expected): string[] {
  const { shape, affine, spacing } = volume;
  const found: string[] = [];
  const [x, y = 1, z = 1, ...more] = want.shape;
  // A picture's third number is its channels.
  const picture = /^(png|jpeg|tiff)$/.test(volume.meta.format ?? "");
  const wanted = picture ? [z, x, y, 1] : [more.reduce((n, s) => n * s, 1), x, y, z];
  if (shape.join() !== wanted.join()) found.push(`shape [${shape}], expected [${wanted}]`);
  const near = (a: number, b: number) => Math.abs(a - b) <= 1e-4 * Math.max(1, Math.abs(b));
  if (want.affine_ras && !affine.flat().every((v, i) => near(v, want.affine_ras!.flat()[i]))) {
    found.push(`affine ${JSON.stringify(affine)}, expected ${JSON.stringify(want.affine_ras)}`);
  }
  if (want.spacing && !want.spacing.every((v, i) => near(spacing[i], v)))
    found.push(`spacing [${spacing}], expected [${want.spacing}]`);
  if (!voxelDigest(volume).startsWith(want.sha256_f64le_xfastest)) found.push("other voxels");
  return found;
}
