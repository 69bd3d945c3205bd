/** @file A tiny mosaic of a Siemens scanner: slices side by side in one DICOM picture, with the CSA header that tells how many. */

import type { DicomValue, SliceOptions } from "./dicom_file.ts";

/**
 * A table of names and values: with the mark SV10, or of the older form, whose lengths are more by the number of items of the first entry.
 * @param odd entry that ends in its first item, whose length means nothing
 */
export function csaHeader(
  entries: Readonly<Record<string, readonly string[]>>,
  marked = true,
  odd?: { readonly name: string; readonly length: number },
): Uint8Array {
  const bytes: number[] = [];
  const text = (value: string, length: number) => {
    for (let i = 0; i < length; i++) bytes.push(i < value.length ? value.charCodeAt(i) : 0);
  };
  const word = (...values: number[]) => {
    for (const value of values) for (let b = 0; b < 4; b++) bytes.push((value >>> (8 * b)) & 255);
  };
  if (marked) {
    text("SV10", 4);
    word(0x01020304);
  }
  const all = Object.entries(entries);
  word(all.length, 77);
  const base = all[0][1].length;
  for (const [name, values] of all) {
    text(name, 64);
    word(values.length);
    text("FD", 4);
    word(4, values.length, 77);
    for (const value of values) {
      const length = value.length === 0 ? 0 : value.length + 1;
      const stated = marked ? length : length + base;
      if (name === odd?.name) {
        word(odd.length, odd.length, 77, odd.length);
        break;
      }
      word(stated, length, 77, stated);
      text(value, Math.ceil(length / 4) * 4);
    }
  }
  return Uint8Array.from(bytes);
}

/** Tiles of 3 columns and 2 rows, 2 × 2 of them: tile k has the values 10 k + its pixel. */
export const picture = Array.from({ length: 24 }, (_, i) => {
  const [x, y] = [i % 6, Math.floor(i / 6)];
  return 10 * (Math.floor(y / 2) * 2 + Math.floor(x / 3)) + (y % 2) * 3 + (x % 3);
});

/** What is other than usual. */
export interface MosaicOptions {
  readonly csa?: Uint8Array;
  readonly more?: Readonly<Record<number, readonly [vr: string, value: DicomValue] | undefined>>;
  readonly instance?: number;
  readonly pixels?: readonly number[];
  readonly encoding?: SliceOptions["encoding"];
}

/** Three slices that ascend. */
export const up = csaHeader({ Empty: ["", "", ""], NumberOfImagesInMosaic: ["3"], SliceNormalVector: ["0.0", "0.0", "1.0"] });

/** The mosaic as a slice for `dicomSlice`. */
export const mosaic = ({ csa = up, more, ...options }: MosaicOptions = {}): SliceOptions => ({
  size: [6, 4],
  position: [10, -20, 5],
  pixels: picture,
  ...options,
  more: {
    0x00080008: ["CS", "ORIGINAL\\PRIMARY\\M\\ND\\MOSAIC"],
    0x00180080: ["DS", "2500"],
    0x00180088: ["DS", "4"],
    0x00291010: ["OB", csa],
    ...more,
  },
});
