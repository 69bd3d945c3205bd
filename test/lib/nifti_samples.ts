/** @file NIfTI files to test with: voxels that tell their place, and bytes that were changed. */

import { encodeNifti } from "../../src/data/formats/nifti/nifti.ts";
import { type Affine, makeVolume, type Volume } from "../../src/data/volume.ts";

export const oblique: Affine = [
  [-2, 0.25, 0, 90],
  [0.25, 2, 0.5, -126.5],
  [0, -0.5, 3, -72],
  [0, 0, 0, 1],
];

/** A volume whose value at (c, x, y, z) is 1000c + 100x + 10y + z. */
export function counted(shape: [number, number, number, number], affine: Affine = oblique): Volume<Float32Array> {
  const [c, nx, ny, nz] = shape;
  const data = new Float32Array(c * nx * ny * nz);
  let at = 0;
  for (let i = 0; i < c; i++)
    for (let x = 0; x < nx; x++)
      for (let y = 0; y < ny; y++) for (let z = 0; z < nz; z++) data[at++] = 1000 * i + 100 * x + 10 * y + z;
  return makeVolume({ data, shape }, affine);
}

/** The bytes of a small NIfTI-1 file with one header field changed. */
export function patched(change: (view: DataView, bytes: Uint8Array) => void): Uint8Array {
  const bytes = encodeNifti(counted([1, 3, 4, 5]), "i16");
  change(new DataView(bytes.buffer), bytes);
  return bytes;
}
