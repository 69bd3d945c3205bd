/** @file Volumes as the viewer takes them: few enough voxels for a texture, in their place; label maps with their values counted through. */

import { encodeNifti, makeVolume, type Volume } from "voxgrad/data";

// Three textures of four bytes per voxel are what a viewer takes on the device.
const mostVoxels = 320 ** 3;
/** The longest side of a texture that every WebGL2 has. */
const mostAlong = 2048;

/** Every so many voxels along each axis. */
function stepsOf(shape: readonly number[]): number[] {
  const steps = shape.map((s) => Math.ceil(s / mostAlong));
  const left = (): number => shape.reduce((n, s, a) => n * Math.ceil(s / steps[a]), 1);
  while (left() > mostVoxels) {
    const axis = shape.reduce((best, s, a) => (s / steps[a] > shape[best] / steps[best] ? a : best), 0);
    steps[axis]++;
  }
  return steps;
}

/** A picture's rows go down from its upper left, where a volume's second axis goes up. */
export const isFlat = ({ meta }: Volume): boolean => meta.planar === true && meta.units === "unknown" && !meta.header;

const shownAffine = (volume: Volume): Volume["affine"] =>
  isFlat(volume) ? volume.affine.map((row) => [row[0], 0 - row[1], row[2], row[3]]) : volume.affine;

type Stored = Uint8Array | Uint16Array | Float32Array;

/** Every so many voxels of a channel, through a table or a line. */
export function thinned<A extends Stored>(
  volume: Volume,
  channel: number,
  make: (n: number) => A,
  value: (v: number) => number,
): Volume<A> {
  const size = volume.shape.slice(1);
  const steps = stepsOf(size);
  const [nx, ny, nz] = size.map((s, a) => Math.ceil(s / steps[a]));
  const out = make(nx * ny * nz);
  const { data } = volume;
  const base = channel * size[0] * size[1] * size[2];
  let to = 0;
  for (let x = 0; x < nx; x++) {
    for (let y = 0; y < ny; y++) {
      let from = base + (x * steps[0] * size[1] + y * steps[1]) * size[2];
      for (let z = 0; z < nz; z++, from += steps[2]) out[to++] = value(data[from]);
    }
  }
  const affine = shownAffine(volume).map((row) => row.map((v, c) => (c < 3 ? v * steps[c] : v)));
  return makeVolume({ data: out, shape: [1, nx, ny, nz] }, affine);
}

export const niftiOf = (volume: Volume): Blob => new Blob([encodeNifti(volume)]);

/** A label map whose values are counted through from 1, as the viewer's table of colors has them. */
function numbered(labels: Volume, values: readonly number[]): Volume {
  const index = new Map(values.map((v, i) => [v, i + 1]));
  return thinned(
    labels,
    0,
    (n) => new Uint8Array(n),
    (v) => index.get(v) ?? 0,
  );
}

/** Of a label map, as the viewer takes it. */
export const overlayOf = (labels: Volume, values: readonly number[]): Blob => niftiOf(numbered(labels, values));

/** Of that the voxels that touch another value, so that what lies below is seen. */
export function outlineOf(labels: Volume, values: readonly number[]): Blob {
  const map = numbered(labels, values);
  const [, nx, ny, nz] = map.shape;
  const { data } = map;
  const out = new Uint8Array(data.length);
  for (let x = 0, i = 0; x < nx; x++)
    for (let y = 0; y < ny; y++)
      for (let z = 0; z < nz; z++, i++) {
        const v = data[i];
        if (v === 0) continue;
        const inside =
          (x === 0 || data[i - ny * nz] === v) &&
          (x === nx - 1 || data[i + ny * nz] === v) &&
          (y === 0 || data[i - nz] === v) &&
          (y === ny - 1 || data[i + nz] === v) &&
          (z === 0 || data[i - 1] === v) &&
          (z === nz - 1 || data[i + 1] === v);
        if (!inside) out[i] = v;
      }
  return niftiOf(makeVolume({ data: out, shape: map.shape }, map.affine));
}
