/** @file The colors of classes as DICOM objects recommend them to viewers. */

import { colorsOf } from "../../class_colors.ts";

/** Of structure `i`, from 0, for ROIDisplayColor: red, green and blue, 0 to 255. */
export const displayRgb = (i: number): readonly string[] => colorsOf(i + 1).fill.map(String);

/** From linear sRGB to CIE XYZ under D50, the white of ICC's connection space, by which DICOM's are meant; rows over the white's X, Y and Z. */
const toXyz = [
  [0.4360747 / 0.96422, 0.3850649 / 0.96422, 0.1430804 / 0.96422],
  [0.2225045, 0.7168786, 0.0606169],
  [0.0139322 / 0.82521, 0.0971045 / 0.82521, 0.7141733 / 0.82521],
];

const linear = (v: number): number => (v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
const bent = (t: number): number => (t > 216 / 24389 ? Math.cbrt(t) : (24389 / 27) * (t / 116) + 16 / 116);

/** Of structure `i`, from 0, for RecommendedDisplayCIELabValue: L* of 0 to 100, a* and b* of -128 to 127, each in 16 bits (PS3.3 C.10.7.1.1). */
export function displayLab(i: number): readonly number[] {
  const rgb = colorsOf(i + 1).fill.map((v) => linear(v / 255));
  const [x, y, z] = toXyz.map((row) => bent(row.reduce((sum, part, c) => sum + part * rgb[c], 0)));
  const scaled = [(116 * y - 16) / 100, (500 * (x - y) + 128) / 255, (200 * (y - z) + 128) / 255];
  return scaled.map((v) => Math.round(65535 * Math.min(1, Math.max(0, v))));
}
