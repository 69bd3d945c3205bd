/** @file Words in pictures, where no font is at hand: a face of 5×7 dots. Small letters are written as capitals, accents are left out. */

import type { Picture } from "../../host/bytes/png.ts";
import type { Rgb } from "../../data/class_colors.ts";
import { fillRect } from "./drawing.ts";

/** Characters, and for each seven rows from the top: five dots are a digit of base 32, the left one its highest bit. */
const rows: Readonly<Record<string, string>> = {
  A: "ehhvhhh",
  B: "uhhuhhu",
  C: "ehggghe",
  D: "uhhhhhu",
  E: "vgguggv",
  F: "vgguggg",
  G: "ehgnhhe",
  H: "hhhvhhh",
  I: "e44444e",
  J: "72222ic",
  K: "hikokih",
  L: "ggggggv",
  M: "hrllhhh",
  N: "hpljhhh",
  O: "ehhhhhe",
  P: "uhhuggg",
  Q: "ehhhlid",
  R: "uhhukih",
  S: "fgge11u",
  T: "v444444",
  U: "hhhhhhe",
  V: "hhhhha4",
  W: "hhhllrh",
  X: "hha4ahh",
  Y: "hha4444",
  Z: "v1248gv",
  0: "ehjlphe",
  1: "4c4444e",
  2: "eh168gv",
  3: "v2421he",
  4: "26aiv22",
  5: "vgu11he",
  6: "68guhhe",
  7: "v124888",
  8: "ehhehhe",
  9: "ehhf12c",
  ".": "00000cc",
  ",": "0000c48",
  ":": "0cc0cc0",
  "-": "000e000",
  "−": "000v000",
  _: "000000v",
  "+": "044v440",
  "=": "00v0v00",
  "/": "01248g0",
  "(": "2488842",
  ")": "8422248",
  "[": "e88888e",
  "]": "e22222e",
  "%": "op248j3",
  "×": "0ha4ah0",
  "…": "000000l",
  "?": "eh12404",
  " ": "0000000",
};

/** Dots from one character, or line, to the next. */
const [advance, lineHeight] = [6, 9];

/** Width and height of a text in pixels. */
export const textSize = (text: string, scale = 1): readonly [width: number, height: number] => [
  Math.max(0, [...text].length * advance - 1) * scale,
  7 * scale,
];

/** Pixels from a line to the next. */
export const lineOf = (scale: number): number => lineHeight * scale;

/** Writes a line with its top left corner at a place, as far as it lies in the picture; what the face lacks is "?". */
export function drawText(p: Picture, left: number, top: number, text: string, color: Rgb, scale = 1): void {
  const plain = text.normalize("NFD").replace(/\p{M}/gu, "").toUpperCase();
  [...plain].forEach((character, i) => {
    const glyph = rows[character] ?? rows["?"];
    for (let y = 0; y < 7; y++) {
      const dots = Number.parseInt(glyph[y], 32);
      for (let x = 0; x < 5; x++) {
        const [px, py] = [left + (i * advance + x) * scale, top + y * scale];
        if ((dots >> (4 - x)) % 2 === 1 && px >= 0 && py >= 0 && px + scale <= p.width && py + scale <= p.height)
          fillRect(p, px, py, scale, scale, color);
      }
    }
  });
}
