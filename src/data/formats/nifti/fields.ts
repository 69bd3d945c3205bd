/** @file The fields of NIfTI-1 and NIfTI-2 headers that are read or written here, under the names of nifti1.h (nifti.nimh.nih.gov). */

import { viewOf } from "../../../host/array.ts";

type FieldType = "Uint8" | "Int16" | "Int32" | "BigInt64" | "Float32" | "Float64";
/** A field of one number, or of several in a row. */
type Place = readonly [type: FieldType, at: number, count?: number];

const sizes: Readonly<Record<FieldType, number>> = { Uint8: 1, Int16: 2, Int32: 4, BigInt64: 8, Float32: 4, Float64: 8 };

const nifti1 = {
  dim_info: ["Uint8", 39],
  dim: ["Int16", 40, 8],
  intent_code: ["Int16", 68],
  datatype: ["Int16", 70],
  bitpix: ["Int16", 72],
  pixdim: ["Float32", 76, 8],
  vox_offset: ["Float32", 108],
  scl_slope: ["Float32", 112],
  scl_inter: ["Float32", 116],
  xyzt_units: ["Uint8", 123],
  toffset: ["Float32", 136],
  qform_code: ["Int16", 252],
  sform_code: ["Int16", 254],
  quatern: ["Float32", 256, 3],
  qoffset: ["Float32", 268, 3],
  srow: ["Float32", 280, 12],
} as const satisfies Readonly<Record<string, Place>>;

type FieldName = keyof typeof nifti1;

const nifti2: Readonly<Record<FieldName, Place>> = {
  dim_info: ["Uint8", 524],
  dim: ["BigInt64", 16, 8],
  intent_code: ["Int32", 504],
  datatype: ["Int16", 12],
  bitpix: ["Int16", 14],
  pixdim: ["Float64", 104, 8],
  vox_offset: ["BigInt64", 168],
  scl_slope: ["Float64", 176],
  scl_inter: ["Float64", 184],
  xyzt_units: ["Int32", 500],
  toffset: ["Float64", 216],
  qform_code: ["Int32", 344],
  sform_code: ["Int32", 348],
  quatern: ["Float64", 352, 3],
  qoffset: ["Float64", 376, 3],
  srow: ["Float64", 400, 12],
};

/** Where texts stand, the size of the header and its magic. */
const layouts = {
  1: { size: 348, places: nifti1 as Readonly<Record<FieldName, Place>>, magic: [344, "n+1\0"], descrip: 148 },
  2: { size: 540, places: nifti2, magic: [4, "n+2\0\r\n\x1a\n"], descrip: 240 },
} as const;

/** What a header says. */
export type NiftiFields = {
  readonly [K in FieldName]: (typeof nifti1)[K]["length"] extends 3 ? readonly number[] : number;
};

/** @param header 348 or 540 bytes at least */
export function readNiftiFields(header: Uint8Array, version: 1 | 2, littleEndian: boolean): NiftiFields {
  const view = viewOf(header);
  const out: Record<string, number | number[]> = {};
  for (const [name, [type, at, count]] of Object.entries(layouts[version].places)) {
    const read = (i: number): number => Number(view[`get${type}`](at + i * sizes[type], littleEndian));
    out[name] = count === undefined ? read(0) : Array.from({ length: count }, (_, i) => read(i));
  }
  return out as unknown as NiftiFields;
}

/** The little-endian header of a single file, with the four bytes that say that there are no extensions; fields that are not given are 0. */
export function writeNiftiFields(version: 1 | 2, fields: Partial<NiftiFields>, descrip: string): Uint8Array<ArrayBuffer> {
  const { size, places, magic, descrip: place } = layouts[version];
  const header = new Uint8Array(size + 4);
  const view = new DataView(header.buffer);
  view.setInt32(0, size, true);
  for (const [name, value] of Object.entries(fields)) {
    const [type, at] = places[name as FieldName];
    [value].flat().forEach((v, i) => {
      if (type === "BigInt64") view.setBigInt64(at + 8 * i, BigInt(v), true);
      else view[`set${type}`](at + i * sizes[type], v, true);
    });
  }
  const encoder = new TextEncoder();
  header.set(encoder.encode(descrip), place);
  header.set(encoder.encode(magic[1]), magic[0]);
  return header;
}

/** The matrix of the qform: rotation by the quaternion, steps of `pixdim`, the third turned around where pixdim[0] is below 0. */
export function qformOf({ quatern, qoffset, pixdim }: NiftiFields): number[][] {
  let [b, c, d] = quatern;
  const rest = 1 - (b * b + c * c + d * d);
  // Half a turn, which rounding may have left a little above 1.
  const half = rest < 1e-7;
  const a = half ? 0 : Math.sqrt(rest);
  if (half) [b, c, d] = [b, c, d].map((v) => v * (1 / Math.sqrt(b * b + c * c + d * d)));
  // Steps below 0 say nothing that the quaternion does not: nibabel drops their signs.
  const [x, y, z] = pixdim.slice(1, 4).map((v) => Math.abs(v) || 1);
  const step = [x, y, pixdim[0] < 0 ? -z : z];
  const turn = [
    [a * a + b * b - c * c - d * d, 2 * (b * c - a * d), 2 * (b * d + a * c)],
    [2 * (b * c + a * d), a * a + c * c - b * b - d * d, 2 * (c * d - a * b)],
    [2 * (b * d - a * c), 2 * (c * d + a * b), a * a + d * d - c * c - b * b],
  ];
  return [...turn.map((row, r) => [...row.map((v, i) => v * step[i]), qoffset[r]]), [0, 0, 0, 1]];
}

/** The matrix of the sform, as it is stored. */
export const sformOf = ({ srow }: NiftiFields): number[][] => [
  ...[0, 4, 8].map((first) => srow.slice(first, first + 4)),
  [0, 0, 0, 1],
];
