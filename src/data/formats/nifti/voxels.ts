/** @file Element types of NIfTI files. */

import type { StoredType } from "../voxel_block.ts";
import { elements, elementsBy, type NativeName } from "../../../host/elements.ts";

/** Element types that can be written. */
export type NiftiDtype = NativeName;
/** Element types that can be read; 64-bit integers become float64 where that is exact. */
export type FileDtype = NiftiDtype | "i64" | "u64";

const byCode = elementsBy("nifti");

/** Colors, which become channels. */
const colors: Readonly<Record<number, 3 | 4>> = { 128: 3, 2304: 4 };

/** Why the other codes of the standard are refused. */
const refused: Readonly<Record<number, string>> = {
  0: "unknown",
  1: "1-bit",
  32: "complex64",
  1536: "float128",
  1792: "complex128",
  2048: "complex256",
};

/** An element type of a file. */
interface ElementType {
  readonly dtype: FileDtype & StoredType;
  readonly bytes: number;
  /** How many of them a voxel has, if it is a color. */
  readonly colors?: 3 | 4;
}

/** The element type of a `datatype` code; a string says why there is none. */
export function elementTypeOf(code: number): ElementType | string {
  if (colors[code]) return { dtype: "u8", bytes: 1, colors: colors[code] };
  const dtype = byCode.get(code) as FileDtype | undefined;
  return dtype ? { dtype, bytes: elements[dtype].bytes } : (refused[code] ?? "not a NIfTI type");
}
