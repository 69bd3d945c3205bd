/**
 * @file Volume: an image with its place in the patient. A Volume is a HostArray that also carries an affine, so every transform,
 * collate and upload that takes arrays takes volumes; a transform that moves voxels and does not know how to move the affine
 * returns a plain HostArray, so a stale geometry cannot survive. Axis order is MONAI's and nibabel's: `[C, nx, ny, nz]`, axis
 * i of the array being the file's x, the row-major last axis (z) fastest, always three spatial axes.
 */

import { DataError, ShapeError } from "../host/errors.ts";
import { type HostArray, sizeOf, type TypedArray } from "../host/array.ts";

/** 4×4 matrix, rows first: voxel index (i, j, k, 1) → millimeters (x right, y anterior, z superior, 1), as in nibabel. */
export type Affine = readonly (readonly number[])[];

/** Where a volume came from; what a writer needs to give a prediction the source's geometry. */
export interface VolumeMeta {
  /** Path or name of the file it was read from. */
  readonly source?: string;
  readonly format?: "nifti1" | "nifti2" | "dicom";
  /** The file's own header (348 or 540 bytes, in the file's byte order), without extensions. */
  readonly header?: Uint8Array;
  /** Element type in the file, before scaling ("i16", "f32", …). */
  readonly dtype?: string;
  /** What is odd about the file, for people to read. */
  readonly notes?: readonly string[];
}

/** An image `[C, nx, ny, nz]` with its geometry. */
export interface Volume<A extends TypedArray = TypedArray> extends HostArray<A> {
  readonly affine: Affine;
  /** Voxel size in mm along the three array axes: the lengths of the affine's columns. */
  readonly spacing: readonly [number, number, number];
  readonly meta: VolumeMeta;
}

/** The affine of a volume without geometry: 1 mm voxels, origin at voxel (0, 0, 0). */
export const identityAffine: Affine = [
  [1, 0, 0, 0],
  [0, 1, 0, 0],
  [0, 0, 1, 0],
  [0, 0, 0, 1],
];

/** Voxel size in mm per array axis: the column lengths of the affine's 3×3 part. */
export function spacingOf(affine: Affine): [number, number, number] {
  const column = (c: number) => Math.hypot(affine[0][c], affine[1][c], affine[2][c]);
  return [column(0), column(1), column(2)];
}

/**
 * Joins an array `[C, nx, ny, nz]` and a geometry.
 * @throws ShapeError if the array is not 4-D or its data do not fill its shape; DataError if the affine is not a finite,
 *   invertible 4×4 matrix with last row 0 0 0 1.
 */
export function makeVolume<A extends TypedArray>(
  image: HostArray<A>,
  affine: Affine = identityAffine,
  meta: VolumeMeta = {},
): Volume<A> {
  const { data, shape } = image;
  if (shape.length !== 4) {
    throw new ShapeError(
      `makeVolume: image has shape [${shape}]; expected [C, nx, ny, nz]; add a channel axis or a last axis of size 1`,
    );
  }
  if (data.length !== sizeOf(shape)) {
    throw new ShapeError(`makeVolume: image has ${data.length} elements, but its shape [${shape}] holds ${sizeOf(shape)}`);
  }
  const problem = affineProblem(affine);
  if (problem) throw new DataError(`makeVolume: the affine ${problem}; expected an invertible 4×4 matrix, voxel index → RAS mm`);
  return { data, shape, affine, spacing: spacingOf(affine), meta };
}

/**
 * A volume with `source`'s geometry and header and other voxels, e.g. a prediction to be written next to its image.
 * @param image `[C, nx, ny, nz]` with the spatial size of `source`; C may differ
 * @throws ShapeError if the spatial sizes differ
 */
export function withGeometryOf<A extends TypedArray>(source: Volume, image: HostArray<A>): Volume<A> {
  const want = source.shape.slice(1);
  const got = image.shape.slice(1);
  if (want.join() !== got.join()) {
    throw new ShapeError(
      `withGeometryOf: the image's spatial size is [${got}], the source's [${want}]${source.meta.source ? ` (${source.meta.source})` : ""}; ` +
        `undo crops, padding and resampling first`,
    );
  }
  return makeVolume(image, source.affine, source.meta);
}

/** Why a matrix cannot be an affine, or undefined if it can. */
export function affineProblem(affine: Affine): string | undefined {
  if (affine.length !== 4 || affine.some((row) => row.length !== 4)) return "is not 4×4";
  if (affine.some((row) => row.some((v) => !Number.isFinite(v)))) return "has values that are not finite";
  if (affine[3].join() !== "0,0,0,1") return `has the last row [${affine[3]}], not [0,0,0,1]`;
  // Relative to the column lengths, so that micrometer voxels do not look singular.
  const [sx, sy, sz] = spacingOf(affine);
  const [a, b, c] = affine;
  const det = a[0] * (b[1] * c[2] - b[2] * c[1]) - a[1] * (b[0] * c[2] - b[2] * c[0]) + a[2] * (b[0] * c[1] - b[1] * c[0]);
  if (!(Math.abs(det) > 1e-6 * sx * sy * sz)) return "is singular";
  return undefined;
}
