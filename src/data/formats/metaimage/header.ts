/** @file MetaImage headers (itk.org/Wiki/ITK/MetaIO/Documentation): `Key = value` lines, and what they say of axes, geometry and data files. */

import type { Fail } from "../../../host/bytes/budget.ts";
import { namesOfPattern } from "../data_files.ts";
import { lengthUnit, lps, numbersIn, rasAffine, sizesIn } from "../text_header.ts";
import type { Affine, SpaceUnit } from "../../volume.ts";
import type { StoredType } from "../voxel_block.ts";

/** What a header says, checked. */
export interface MetaHeader {
  readonly fields: Readonly<Record<string, string>>;
  readonly dtype: StoredType;
  readonly littleEndian: boolean;
  readonly binary: boolean;
  readonly compressed: boolean;
  /** Bytes of the packed data, where the header says so. */
  readonly packedBytes?: number;
  /** Bytes before the voxels of a data file; −1: the voxels are its last bytes. */
  readonly skip: number;
  /** Sizes of the axes, channels first. */
  readonly sizes: readonly number[];
  readonly affine: Affine;
  readonly units: SpaceUnit;
  /** ElementSpacing of the three axes, or of the two that there are. */
  readonly spacing: readonly number[];
  /** Seconds between channels that are times. */
  readonly timeStep?: number;
  /** Names of data files; undefined where the data follow the header. */
  readonly dataFiles?: readonly string[];
  readonly notes: readonly string[];
}

// As MetaIO has them on every platform: a long has 4 bytes.
// oxfmt-ignore
const types: Readonly<Record<string, StoredType>> = {
  MET_ASCII_CHAR: "i8", MET_CHAR: "i8", MET_UCHAR: "u8", MET_SHORT: "i16", MET_USHORT: "u16", MET_INT: "i32", MET_UINT: "u32", MET_LONG: "i32",
  MET_ULONG: "u32", MET_LONG_LONG: "i64", MET_ULONG_LONG: "u64", MET_FLOAT: "f32", MET_DOUBLE: "f64",
};

/** Behind the line that names the data, which is the last one but for lists of files. */
export function endOfHeader(bytes: Uint8Array): number | undefined {
  const key = "ElementDataFile";
  for (let line = 0; line < bytes.length;) {
    const end = bytes.indexOf(10, line);
    if (end < 0) return undefined;
    const text = String.fromCharCode(...bytes.subarray(line, Math.min(end, line + 256)));
    const found = text.trimStart().startsWith(key) ? /[=:]\s*(\S*)/.exec(text) : null;
    if (found) return found[1].startsWith("LIST") ? undefined : end + 1;
    line = end + 1;
  }
  return undefined;
}

const isTrue = (value: string | undefined): boolean => /^(t|1|y)/i.test(value ?? "");

/** Parses and checks the text of a header. @throws FormatError (by `fail`) naming the field */
export function parseMetaHeader(text: string, fail: Fail): MetaHeader {
  const { fields, list } = fieldsOf(text, fail);
  const first = (...names: string[]): string | undefined => names.map((n) => fields[n]).find((v) => v !== undefined);
  const field = (name: string): string => {
    if (fields[name] === undefined) throw fail(`${name} is missing`);
    return fields[name];
  };
  if (!/^image$/i.test(fields.ObjectType ?? "Image"))
    throw fail(`ObjectType is ${JSON.stringify(fields.ObjectType)}; expected Image`);
  const [n] = numbersIn(field("NDims"), "NDims", fail, 1);
  if (!(Number.isInteger(n) && n >= 1 && n <= 10)) throw fail(`NDims is ${n}; expected 1 to 10`);
  const dims = sizesIn(field("DimSize"), "DimSize", fail, n);
  const [channels] = sizesIn(fields.ElementNumberOfChannels ?? "1", "ElementNumberOfChannels", fail, 1);
  const name = field("ElementType").toUpperCase();
  const dtype = types[name.replace(/_ARRAY$/, "")];
  if (!dtype) throw fail(`ElementType is ${JSON.stringify(fields.ElementType)}; expected ${Object.keys(types).join(", ")}`);
  sizesIn(`${channels} ${dims.join(" ")}`, "DimSize", fail, n + 1);

  const notes: string[] = [];
  const spacing = numbersIn(first("ElementSpacing", "ElementSize") ?? dims.map(() => 1).join(" "), "ElementSpacing", fail, n);
  if (first("ElementSpacing", "ElementSize") === undefined) notes.push("ElementSpacing is missing; 1 is assumed");
  const identity = dims.flatMap((_, r) => dims.map((_, c) => (r === c ? 1 : 0)));
  const matrix = numbersIn(
    first("TransformMatrix", "Rotation", "Orientation") ?? identity.join(" "),
    "TransformMatrix",
    fail,
    n * n,
  );
  const origin = numbersIn(first("Offset", "Position", "Origin") ?? dims.map(() => 0).join(" "), "Offset", fail, n);
  // A row of the matrix is the direction of an axis, as ITK reads it.
  const named = lengthUnit(fields.DistanceUnits);
  const { unit, scale } = named.unit === "unknown" ? lengthUnit("mm") : named;
  const sides = spacing.slice(0, 3).map((v) => v * scale);
  const columns = sides.map((side, a) => [0, 1, 2].map((r) => (r < n ? matrix[a * n + r] * side : 0)));
  const slope = Number(fields.ElementToIntensityFunctionSlope ?? 1);
  if (slope !== 1 || Number(fields.ElementToIntensityFunctionOffset ?? 0) !== 0) {
    notes.push("there is an ElementToIntensityFunction, which is not applied, as ITK does");
  }
  const timeStep = timeStepOf(channels, dims, spacing, fields.Comment);
  const [skip] = numbersIn(fields.HeaderSize ?? "0", "HeaderSize", fail, 1);
  if (!(Number.isSafeInteger(skip) && skip >= -1)) throw fail(`HeaderSize is ${skip}; expected -1 or more`);
  const packed = fields.CompressedDataSize === undefined ? NaN : Number(fields.CompressedDataSize);
  const dataFiles = dataFilesOf(field("ElementDataFile"), list, fail);
  return {
    fields: { ...fields },
    dtype,
    littleEndian: !isTrue(first("BinaryDataByteOrderMSB", "ElementByteOrderMSB")),
    binary: fields.BinaryData === undefined || isTrue(fields.BinaryData),
    compressed: isTrue(fields.CompressedData),
    ...(packed > 0 && Number.isSafeInteger(packed) && { packedBytes: packed }),
    skip,
    sizes: [channels, ...dims],
    units: unit,
    spacing: sides,
    ...(timeStep !== undefined && { timeStep }),
    affine: rasAffine(
      columns,
      origin.map((v) => v * scale),
      lps,
      "TransformMatrix with ElementSpacing and Offset",
      fail,
    ),
    ...(dataFiles && { dataFiles }),
    notes,
  };
}

/** What files written here say in their comment, which every reader of the format knows and passes over. */
export const inSeconds = "the fourth axis is time, in seconds";

/** The spacing of a fourth axis, which ITK has in seconds where it comes from NIfTI; 1 is what stands where nobody knew, but for files that say more. */
function timeStepOf(channels: number, dims: readonly number[], spacing: readonly number[], comment?: string): number | undefined {
  const times = dims.length > 3 && channels === 1 && dims.slice(4).every((n) => n === 1);
  const known = spacing[3] > 0 && (spacing[3] !== 1 || comment === inSeconds);
  return times && dims[3] > 1 && known ? spacing[3] : undefined;
}

function fieldsOf(text: string, fail: Fail): { fields: Record<string, string>; list: string[] } {
  const fields: Record<string, string> = Object.create(null);
  const lines = text.split(/\r?\n/);
  for (const [i, line] of lines.entries()) {
    if (line.trim() === "") continue;
    const at = line.search(/[=:]/);
    // ITK passes over what is no field.
    if (at < 0) continue;
    const [key, value] = [line.slice(0, at).trim(), line.slice(at + 1).trim()];
    fields[key] = value;
    if (key === "ElementDataFile")
      return {
        fields,
        list: lines
          .slice(i + 1)
          .map((l) => l.trim())
          .filter((l) => l !== ""),
      };
  }
  throw fail("ElementDataFile is missing, with which a MetaImage header ends");
}

function dataFilesOf(value: string, list: readonly string[], fail: Fail): readonly string[] | undefined {
  if (/^LOCAL$/i.test(value)) return undefined;
  if (/^LIST\b/.test(value)) {
    if (list.length === 0) throw fail("ElementDataFile is LIST, but no file is listed");
    return list;
  }
  const pattern = /^(\S*%\S*)((\s+-?\d+){1,3})\s*$/.exec(value);
  if (pattern) {
    const [from = 1, to = from, step = 1] = numbersIn(pattern[2], "ElementDataFile", fail);
    return namesOfPattern(pattern[1], from, to, step, fail);
  }
  if (value === "") throw fail("ElementDataFile is empty; expected LOCAL, LIST or the name of a file");
  return [value];
}
