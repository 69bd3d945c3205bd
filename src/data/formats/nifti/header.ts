/**
 * @file NIfTI-1 and NIfTI-2 headers, checked and chosen. The affine is chosen as nibabel does: sform, else qform, else a centered, x-flipped grid. A
 * useless sform gives way to a good qform.
 */

import { viewOf } from "../../../host/array.ts";
import { elements } from "../../../host/elements.ts";
import { FormatError } from "../../../host/errors.ts";
import { type Affine, affineProblem, type SpaceUnit, type Volume } from "../../volume.ts";
import { fileKind } from "../file_kind.ts";
import { isPlanar } from "../written_place.ts";
import { type NiftiFields, qformOf, readNiftiFields, sformOf, writeNiftiFields } from "./fields.ts";
import { elementTypeOf, type FileDtype, type NiftiDtype } from "./voxels.ts";

/** Bytes that always suffice to parse a header: NIfTI-2's 540 and the extension flags. */
export const headerBytes = 544;

/** What the fixed header says, checked. */
export interface NiftiHeader {
  readonly version: 1 | 2;
  readonly littleEndian: boolean;
  /** Image shape `[C, nx, ny, nz]`: axes 4 … 7 of the file are folded into C, axis 4 fastest. */
  readonly shape: readonly [number, number, number, number];
  readonly dtype: FileDtype;
  /** First byte of the voxels, and their number of bytes. */
  readonly voxOffset: number;
  readonly byteLength: number;
  /** value = slope · stored + inter; 1 and 0 where the file asks for no scaling. */
  readonly slope: number;
  readonly inter: number;
  readonly affine: Affine;
  /** Numbers of a voxel: 3 and 4 for colors, which become channels. */
  readonly colors: 1 | 3 | 4;
  readonly units: SpaceUnit;
  /** Seconds between channels that are times. */
  readonly timeStep?: number;
  /** What the file says beside the image that no volume has: intent, scaling, extensions. */
  readonly fields: Readonly<Record<string, unknown>>;
  /** Whether there are fewer than three axes. */
  readonly planar: boolean;
  /** pixdim of the three axes. */
  readonly spacing: readonly number[];
  /** Whether there is neither an sform nor a qform, see VolumeMeta. */
  readonly unplaced: boolean;
  /** What is odd about it, see VolumeMeta. */
  readonly notes: readonly string[];
  /** The 348 or 540 bytes as they were. */
  readonly bytes: Uint8Array;
}

/**
 * Parses and checks the fixed header at the start of a `.nii` file.
 * @param bytes the first bytes of the (uncompressed) file, headerBytes of them if the file has so many
 * @param name what the error messages call the file
 * @param pair whether the voxels may be in a file of their own (magic "ni1", "ni2")
 * @throws FormatError naming the field
 */
export function parseNiftiHeader(bytes: Uint8Array, name: string, pair = false): NiftiHeader {
  const fail = (field: string, text: string): never => {
    throw new FormatError(`readNifti: ${name}: ${field} ${text}`);
  };
  const kind = isNifti(bytes) ? undefined : fileKind(bytes);
  if (kind) throw new FormatError(`readNifti: ${name} is ${kind.what}, no NIfTI image; ${kind.advice}`);
  if (bytes.length < 348) fail("header", `has ${bytes.length} bytes; a NIfTI-1 header has 348; the file is empty or cut short`);
  const { version, littleEndian, single } = identify(bytes, pair, fail);
  const size = version === 1 ? 348 : 540;
  if (bytes.length < size) fail("header", `has ${bytes.length} bytes; a NIfTI-2 header has 540; the file is cut short`);

  const header = Uint8Array.from(bytes.subarray(0, size));
  const fields = readNiftiFields(header, version, littleEndian);
  const dim = version === 1 ? surfaceDim(fields.dim, header, littleEndian) : fields.dim;
  const shape = shapeOf(dim, fail);

  const type = elementTypeOf(fields.datatype);
  if (typeof type === "string") {
    return fail(
      "datatype",
      `is ${fields.datatype} (${type}); expected a real type of 8 to 64 bits; convert the image to int16 or float32`,
    );
  }
  const colors = type.colors ?? 1;
  shape[0] *= colors;
  const byteLength = shape[0] * shape[1] * shape[2] * shape[3] * type.bytes;
  if (!Number.isSafeInteger(byteLength)) fail("dim", `is [${dim.slice(1, dim[0] + 1)}]; no file holds so many voxels`);

  const least = single ? size + 4 : 0;
  // Some writers leave 0 in single files; every reader then takes the first byte after the header.
  const voxOffset = fields.vox_offset === 0 ? least : fields.vox_offset;
  if (!Number.isSafeInteger(voxOffset) || voxOffset < least)
    fail("vox_offset", `is ${fields.vox_offset}; expected an integer of ${least} or more`);

  const { slope, inter } = scaling(fields.scl_slope, fields.scl_inter, fail);
  const { affine, field } = chooseAffine(fields, shape);
  const problem = affineProblem(affine);
  if (problem) fail(field, `gives a voxel-to-space matrix that ${problem}`);
  const units = (["unknown", "m", "mm", "um"] as const)[fields.xyzt_units & 7] ?? "unknown";
  const { dtype } = type;
  const notes = oddities(fields, units);
  const timeStep = secondsOf(fields, dim);
  const further = dim.slice(4, dim[0] + 1);
  if (further.length > 1 && shape[0] > colors)
    notes.push(`the axes behind the third (${further.join(" × ")}) became one of ${shape[0]} channels`);
  if (colors > 1) notes.push(`the ${colors} values of a color became channels`);
  return {
    version,
    littleEndian,
    shape,
    dtype,
    voxOffset,
    byteLength,
    slope,
    inter,
    affine,
    colors,
    units,
    ...(timeStep !== undefined && { timeStep }),
    fields: saidBeside(fields, { slope, inter }, single && bytes[size] !== 0 ? voxOffset - least : 0),
    spacing: fields.pixdim.slice(1, 4),
    planar: dim[0] < 3,
    unplaced: hasNoForm(fields),
    notes,
    bytes: header,
  };
}

/**
 * The header of a file holding `volume` as `dtype`, with the four extension-flag bytes: little-endian, the version and geometry fields
 * of the volume's own header where they still say the volume's affine, an sform ("aligned") otherwise. Free text and display
 * range are not carried over, for they describe other voxels and may name the patient.
 */
export function buildNiftiHeader(volume: Volume, dtype: NiftiDtype): Uint8Array<ArrayBuffer> {
  const [channels, nx, ny, nz] = volume.shape;
  const { meta } = volume;
  const own = meta.header !== undefined && (meta.format ?? "").startsWith("nifti");
  const source = own ? parseNiftiHeader(meta.header!, meta.source ?? "the volume's header", true) : undefined;
  const tooLarge = Math.max(...volume.shape) > 32767;
  const version = source?.version === 2 || tooLarge ? 2 : 1;
  const old = source && readNiftiFields(source.bytes, source.version, source.littleEndian);
  const kept = old && { xyzt_units: old.xyzt_units, dim_info: old.dim_info, toffset: old.toffset };
  return writeNiftiFields(
    version,
    {
      xyzt_units: { mm: 2, um: 3, m: 1, unknown: 0 }[volume.units ?? "mm"] | (meta.timeStep === undefined ? 0 : seconds),
      ...kept,
      ...(source && old && keepsGeometry(volume, source, old) ? geometryOf(old) : placedAs(volume, old)),
      dim: [channels > 1 ? 4 : isPlanar(volume) ? 2 : 3, nx, ny, nz, channels, 1, 1, 1],
      datatype: elements[dtype].nifti,
      bitpix: elements[dtype].bytes * 8,
      scl_slope: 1,
      scl_inter: 0,
      vox_offset: version === 2 ? 544 : 352,
    },
    "voxgrad",
  );
}

/** The geometry of a header as it was. */
function geometryOf(old: NiftiFields): Partial<NiftiFields> {
  const { pixdim, qform_code, sform_code, quatern, qoffset, srow } = old;
  // Other readers would take a useless sform for its code.
  const useless = qform_code > 0 && affineProblem(sformOf(old)) !== undefined;
  return { pixdim, qform_code, sform_code: useless ? 0 : sform_code, quatern, qoffset, srow };
}

/** An sform, "aligned". */
function placedAs({ affine, spacing, meta }: Volume, old: NiftiFields | undefined): Partial<NiftiFields> {
  const further = old?.pixdim.slice(4) ?? [meta.timeStep ?? 1, 1, 1, 1];
  return { pixdim: [1, ...spacing, ...further], sform_code: 2, srow: affine.slice(0, 3).flat() };
}

// Of the unit of times in xyzt_units.
const seconds = 8;
const perSecond: Readonly<Record<number, number>> = { [seconds]: 1, 16: 1e3, 24: 1e6 };

/** How far apart the places of the fourth axis are in time; undefined where it is none, or has no unit of time. */
function secondsOf({ pixdim, xyzt_units }: NiftiFields, dim: readonly number[]): number | undefined {
  const unit = perSecond[xyzt_units & 56];
  return unit && dim[0] >= 4 && dim[4] > 1 && pixdim[4] > 0 ? pixdim[4] / unit : undefined;
}

/** The fields of what the file says beside the image. `extension` is how many bytes of extensions there are. */
function saidBeside(
  { intent_code }: NiftiFields,
  { slope, inter }: { readonly slope: number; readonly inter: number },
  extension: number,
): Readonly<Record<string, unknown>> {
  return {
    ...((slope !== 1 || inter !== 0) && { scl_slope: slope, scl_inter: inter }),
    ...(intent_code !== 0 && { intent_code }),
    ...(extension > 0 && { extension }),
  };
}

type Fail = (field: string, text: string) => never;

/** Whether the first bytes are a NIfTI header's, or an Analyze header's: of files that begin so no other kind is known. */
function isNifti(bytes: Uint8Array): boolean {
  if (bytes.length < 4) return false;
  const view = viewOf(bytes);
  return [true, false].some((little) => [348, 540].includes(view.getInt32(0, little)));
}

function identify(bytes: Uint8Array, pair: boolean, fail: Fail): { version: 1 | 2; littleEndian: boolean; single: boolean } {
  const view = viewOf(bytes);
  const sizes = [view.getInt32(0, true), view.getInt32(0, false)];
  const littleEndian = sizes[0] === 348 || sizes[0] === 540;
  const size = littleEndian ? sizes[0] : sizes[1];
  if (size !== 348 && size !== 540)
    return fail("sizeof_hdr", `is ${sizes[0]}; expected 348 (NIfTI-1) or 540 (NIfTI-2); this is not a NIfTI file`);
  const at = size === 348 ? 344 : 4;
  const magic = String.fromCharCode(...bytes.subarray(at, at + 4));
  const version = size === 348 ? 1 : 2;
  if (magic === `ni${version}\0` && pair) return { version, littleEndian, single: false };
  if (magic === `ni${version}\0`)
    return fail(
      "magic",
      `is "ni${version}": a header whose voxels are in a separate .img file; give the folder or both files to readImage`,
    );
  if (version === 1 && magic === "\0\0\0\0")
    return fail(
      "magic",
      "is empty: this is an Analyze 7.5 header, whose voxels are in an .img file; give the folder or both files to readImage",
    );
  if (magic !== `n+${version}\0`)
    return fail("magic", `is ${JSON.stringify(magic)}; expected "n+${version}\\0"; this is Analyze 7.5 or a damaged file`);
  return { version, littleEndian, single: true };
}

/**
 * The sizes of FreeSurfer's values of the points of a surface, of which there may be more than 32767 in a row: −1, and the number in glmin (byte 144), or
 * 27307 × 6 of those of its seventh icosahedron. nibabel reads them so too.
 */
function surfaceDim(dim: readonly number[], header: Uint8Array, littleEndian: boolean): readonly number[] {
  const [n, x, y, z, ...more] = dim;
  const count = new DataView(header.buffer).getInt32(144, littleEndian);
  if (n >= 3 && x === -1 && y === 1 && z === 1) return [n, count, 1, 1, ...more];
  return n >= 3 && x === 27307 && y === 1 && z === 6 ? [n, x * z, 1, 1, ...more] : dim;
}

/** Axes 4 … 7 are folded into the first. */
function shapeOf(dim: readonly number[], fail: Fail): [number, number, number, number] {
  if (!(dim[0] >= 1 && dim[0] <= 7)) fail("dim[0]", `is ${dim[0]}; expected 1 to 7 dimensions`);
  const shape: [number, number, number, number] = [1, 1, 1, 1];
  for (let d = 1; d <= dim[0]; d++) {
    if (!(dim[d] >= 1)) fail(`dim[${d}]`, `is ${dim[d]}; expected a size of 1 or more`);
    if (d <= 3) shape[d] = dim[d];
    else shape[0] *= dim[d];
  }
  return shape;
}

/** Slope 0 or a value that is not finite means "no scaling", intercept included (NIfTI-1 standard; nibabel). */
function scaling(slope: number, inter: number, fail: Fail): { slope: number; inter: number } {
  if (slope === 0 || !Number.isFinite(slope)) return { slope: 1, inter: 0 };
  if (!Number.isFinite(inter)) fail("scl_inter", `is ${inter} with scl_slope ${slope}; expected a finite number`);
  return { slope, inter };
}

function chooseAffine(f: NiftiFields, shape: readonly number[]): { affine: number[][]; field: string } {
  const sform = { affine: sformOf(f), field: "srow (sform_code > 0)" };
  const qform = { affine: qformOf(f), field: "quatern, qoffset and pixdim (qform_code > 0)" };
  // Some writers set both codes and leave the sform empty.
  const useful =
    f.sform_code > 0 && (f.qform_code <= 0 || !affineProblem(sform.affine) || affineProblem(qform.affine) !== undefined);
  if (useful) return sform;
  if (f.qform_code > 0) return qform;
  const [sx, sy, sz] = f.pixdim.slice(1, 4).map((v) => (Number.isFinite(v) && v !== 0 ? Math.abs(v) : 1));
  const half = [((shape[1] - 1) / 2) * sx, ((shape[2] - 1) / 2) * sy, ((shape[3] - 1) / 2) * sz];
  const affine = [
    [-sx, 0, 0, half[0]],
    [0, sy, 0, -half[1]],
    [0, 0, sz, -half[2]],
    [0, 0, 0, 1],
  ];
  return { affine, field: "pixdim" };
}

const hasNoForm = (f: NiftiFields): boolean => f.sform_code <= 0 && f.qform_code <= 0;

/** Sentences about geometry that readers disagree on. */
function oddities(f: NiftiFields, units: SpaceUnit): string[] {
  const notes: string[] = [];
  if (f.sform_code > 0 && f.qform_code > 0) {
    const [s, q] = [sformOf(f), qformOf(f)];
    const apart = Math.max(...s.flatMap((row, r) => row.map((v, c) => Math.abs(v - q[r][c]))));
    const size = Math.max(...s.flatMap((row) => row.map(Math.abs)));
    if (!(apart <= 1e-3 * Math.max(1, size)))
      notes.push(`sform and qform differ by up to ${apart.toPrecision(3)}; the sform is taken unless it is singular`);
  }
  if (hasNoForm(f)) notes.push("neither sform nor qform: the orientation is a guess, as nibabel makes it");
  if (units === "unknown") notes.push("the unit of lengths is missing (xyzt_units); mm is assumed");
  return notes;
}

/** Whether the source's own geometry fields, written again, still say the volume's affine. */
function keepsGeometry(volume: Volume, source: NiftiHeader, fields: NiftiFields): boolean {
  const same = volume.affine.every((row, r) => row.every((v, c) => v === source.affine[r][c]));
  // Without a code the place follows from the size, so the size must be the same too.
  const placed = !hasNoForm(fields) || volume.shape.slice(1).join() === source.shape.slice(1).join();
  return same && placed;
}
