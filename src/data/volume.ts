/**
 * @file Volume: an image with its place in the patient. A Volume is a HostArray that also carries an affine, so every transform,
 * collate and upload that takes arrays takes volumes; a transform that moves voxels and does not know how to move the affine
 * returns a plain HostArray, so a stale geometry cannot survive. Axis order is MONAI's and nibabel's: `[C, nx, ny, nz]`, axis
 * i of the array being the file's x, the row-major last axis (z) fastest, always three spatial axes.
 */

import { expectArguments, expectKinds } from "../host/kinds.ts";
import { DataError, ShapeError } from "../host/errors.ts";
import { type HostArray, sizeOf, type TypedArray } from "../host/array.ts";

/** 4×4 matrix, rows first: voxel index (i, j, k, 1) → millimeters (x right, y anterior, z superior, 1), as in nibabel. */
export type Affine = readonly (readonly number[])[];

/**
 * How a step is taken back; plain data, so that it goes through workers and files. Axes are spatial. `axes` and `flips` belong to turns, `start` in voxels
 * to windows, `matrix`, homogeneous, whether the `nearest` voxel was taken and what was `outside` of the image, if not its border, to resampling.
 */
export type Undo =
  /** Axis a of the result is axis `axes[a]` of what was there before, reversed where `flips[a]`. */
  | { readonly kind: "turn"; readonly axes: readonly number[]; readonly flips: readonly boolean[] }
  /** A crop (starts above 0) or padding (below): voxel i of the result is voxel i + `start`. */
  | { readonly kind: "window"; readonly start: readonly number[] }
  /** Voxel i of the result was sampled at `matrix` · i. */
  | { readonly kind: "resample"; readonly matrix: Affine; readonly nearest: boolean; readonly outside?: "zeros" | "reflection" }
  /** Voxels were moved in a way that nothing takes back, such as an elastic deformation. */
  | { readonly kind: "lost" };

/** One transform that moved voxels: what there was before, and how to get back. */
export interface Step {
  /** The transform's name. */
  readonly name: string;
  /** Spatial size before it. */
  readonly shape: readonly number[];
  /** Affine before it. */
  readonly affine: Affine;
  /** What takes it back. */
  readonly undo: Undo;
}
/** The unit of an affine's lengths; "unknown" is taken for mm by everything that asks. */
export type SpaceUnit = "mm" | "um" | "m" | "unknown";

/** Where a volume came from; what a writer needs to give a prediction the source's geometry. */
export interface VolumeMeta {
  /** Path or name of the file it was read from. */
  readonly source?: string;
  /** Of the file, such as "nifti1", "nrrd" or "dicom". */
  readonly format?: string;
  /** The file's own header as it stood there, where it is of bytes: of NIfTI the 348 or 540 bytes without extensions. */
  readonly header?: Uint8Array;
  /** The fields of the file's header, by the format's names for them. */
  readonly fields?: Readonly<Record<string, unknown>>;
  /** What the file says that the affine's lengths are in. */
  readonly units?: SpaceUnit;
  /** What is odd about the file though it could be read, a sentence each: two geometries that differ, sizes that were guessed. */
  readonly notes?: readonly string[];
  /** Whether the file does not say how the image lies: which way is right and which is left is then a guess. */
  readonly unplaced?: boolean;
  /** Of DICOM, its FrameOfReferenceUID: positions in two images are those of one space if they have the same. */
  readonly frameOfReference?: string;
  /** Voxel size along the array's axes as the file states it beside its directions; the affine's columns are that but for their last digits. */
  readonly spacing?: readonly number[];
  /** Seconds from one channel to the next, where the channels are times and the file says so. */
  readonly timeStep?: number;
  /** Of a picture, and of a file whose image has two axes, not three of which one has a single slice. */
  readonly planar?: boolean;
  /** Element type in the file, before scaling ("i16", "f32", …). */
  readonly dtype?: string;
  /** "label": class numbers, which are never interpolated unless a mode was chosen. Set by who loads the volume. */
  readonly kind?: "image" | "label";
  /** What has moved the voxels since the file was read, the first step first; `invert` takes it back. */
  readonly applied?: readonly Step[];
}

/** An image `[C, nx, ny, nz]` with its geometry. */
export interface Volume<A extends TypedArray = TypedArray> extends HostArray<A> {
  /** Voxel indices to RAS, homogeneous, in `units`. */
  readonly affine: Affine;
  /** Voxel size along the three array axes, in `units`: the lengths of the affine's columns. */
  readonly spacing: readonly [number, number, number];
  /** The unit of `affine` and `spacing`, as the file says it; absent for one that came from no file, which is in mm. */
  readonly units?: SpaceUnit;
  /** What else its file said. */
  readonly meta: VolumeMeta;
}

/** Whether an array also says where it is. */
export const isVolume = (x: object): x is Volume => "affine" in x && "shape" in x;

/** The affine of a volume without geometry: 1 mm voxels, origin at voxel (0, 0, 0). */
export const identityAffine: Affine = [
  [1, 0, 0, 0],
  [0, 1, 0, 0],
  [0, 0, 1, 0],
  [0, 0, 0, 1],
];

/** Voxel size per array axis, in the unit of the affine: the column lengths of its 3×3 part. */
export function spacingOf(affine: Affine): [number, number, number] {
  expectArguments("spacingOf", "matrix", { affine });
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
  expectKinds("makeVolume", { array: { image }, affine: { affine }, object: { meta } });
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
  return { data, shape, affine, spacing: spacingOf(affine), ...(meta.units && { units: meta.units }), meta };
}

/**
 * A volume with `source`'s geometry and header and other voxels, e.g. a prediction to be written next to its image.
 * @param image `[C, nx, ny, nz]` with the spatial size of `source`; C may differ
 * @throws ShapeError if the spatial sizes differ
 */
export function withGeometryOf<A extends TypedArray>(source: Volume, image: HostArray<A>): Volume<A> {
  expectKinds("withGeometryOf", { volume: { source }, array: { image } });
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
  if (!(voxelVolumeOf(affine) > 1e-6 * sx * sy * sz)) return "is singular";
  return undefined;
}

/** What a voxel takes, in mm³: less than the product of its sizes where the axes are not at right angles, as those of a tilted gantry. */
export function voxelVolumeOf([a, b, c]: Affine): number {
  return Math.abs(a[0] * (b[1] * c[2] - b[2] * c[1]) - a[1] * (b[0] * c[2] - b[2] * c[0]) + a[2] * (b[0] * c[1] - b[1] * c[0]));
}

/** Millimeters of the unit of a volume's affine, of which one without, and any other array, counts in these. @internal */
export const millimetersOf = (x: HostArray | Partial<Volume>): number => {
  const { units } = x as Partial<Volume>;
  return units === "m" ? 1000 : units === "um" ? 1e-3 : 1;
};

/** A place in millimeters. @internal */
export function inMillimeters(place: {
  readonly affine: Affine;
  readonly units?: SpaceUnit;
}): Pick<Volume, "affine" | "spacing"> {
  const unit = millimetersOf(place);
  const affine = unit === 1 ? place.affine : place.affine.map((row, r) => (r < 3 ? row.map((v) => v * unit) : row));
  return { affine, spacing: spacingOf(affine) };
}

/** Cubic millimeters of a voxel of `x` where its sizes, in the unit of `x`, are `spacing`: by the affine of a volume that has these, else their product. @internal */
export function voxelVolumeAt(x: HostArray, spacing: readonly number[]): number {
  if (spacing.length < x.shape.length - 1 || !spacing.every((s) => s > 0 && Number.isFinite(s)))
    throw new DataError(
      `a voxel's volume needs a positive size along each of the ${x.shape.length - 1} axes, got the spacing [${spacing.join(", ")}]`,
    );
  const own = isVolume(x) && x.spacing.every((s, a) => s === spacing[a]);
  return (own ? voxelVolumeOf(x.affine) : spacing.reduce((a, b) => a * b, 1)) * millimetersOf(x) ** 3;
}
