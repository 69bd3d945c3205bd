/** @file The colors of classes in pictures. */

/** Red, green and blue, 0 to 255. */
export type Rgb = readonly [number, number, number];

/** Per class the fill of the prediction and the outline of the truth, far apart in hue and legible on gray; classes cycle. */
const classColors: readonly { fill: Rgb; line: Rgb }[] = [
  { fill: [255, 140, 0], line: [0, 229, 255] },
  { fill: [176, 100, 255], line: [255, 230, 0] },
  { fill: [40, 210, 110], line: [255, 80, 170] },
  { fill: [70, 130, 255], line: [255, 170, 120] },
];

/** The colors of class `c`, from 1. */
export function colorsOf(c: number): { fill: Rgb; line: Rgb } {
  return classColors[(Math.ceil(c) - 1) % classColors.length];
}
