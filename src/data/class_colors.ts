/** @file The colors of classes in pictures. */

import { expectArguments } from "../host/kinds.ts";

/** Red, green and blue, 0 to 255. */
export type Rgb = readonly [number, number, number];

/** Per class the fill of the prediction and the outline of the truth, far apart in hue and legible on gray; further classes have hues between. */
const classColors: readonly { fill: Rgb; line: Rgb }[] = [
  { fill: [255, 140, 0], line: [0, 229, 255] },
  { fill: [176, 100, 255], line: [255, 230, 0] },
  { fill: [40, 210, 110], line: [255, 80, 170] },
  { fill: [70, 130, 255], line: [255, 170, 120] },
];

/** The colors of class `c`, from 1. `fill` for areas, `line` for contours. */
export function colorsOf(c: number): { fill: Rgb; line: Rgb } {
  expectArguments("colorsOf", "number", { c });
  const at = Math.ceil(c) - 1;
  if (at < classColors.length) return classColors[at];
  // By the golden angle no two of them come close to each other soon.
  const hue = (at * 137.508) % 360;
  return { fill: ofHue(hue, 0.55), line: ofHue((hue + 180) % 360, 0.65) };
}

/** A saturated color of a hue in degrees (HSL). */
function ofHue(hue: number, lightness: number): Rgb {
  const a = 0.9 * Math.min(lightness, 1 - lightness);
  const part = (n: number): number => {
    const k = (n + hue / 30) % 12;
    return Math.round(255 * (lightness - a * Math.max(-1, Math.min(k - 3, 9 - k, 1))));
  };
  return [part(0), part(8), part(4)];
}
