/** @file Sheets of samples, words in pictures, strips of cases. */

import { describe, expect, test } from "vitest";
import type { HostArray } from "../../../src/host/array.ts";
import { ShapeError } from "../../../src/host/errors.ts";
import type { Picture } from "../../../src/host/bytes/png.ts";
import { caseStrip } from "../../../src/seg/pictures/case_strip.ts";
import { colorsOf, type Rgb } from "../../../src/data/class_colors.ts";
import { blank } from "../../../src/seg/pictures/drawing.ts";
import { drawText, textSize } from "../../../src/seg/pictures/lettering.ts";
import { sampleSheet } from "../../../src/seg/pictures/sample_sheet.ts";

/** How many pixels have a color. */
function count(p: Picture, [r, g, b]: Rgb): number {
  let n = 0;
  for (let i = 0; i < p.data.length; i += 3) if (p.data[i] === r && p.data[i + 1] === g && p.data[i + 2] === b) n++;
  return n;
}

const box = (shape: readonly number[], inside: (at: readonly number[]) => boolean): HostArray => {
  const data = new Float32Array(shape.reduce((a, b) => a * b, 1));
  for (let i = 0; i < data.length; i++) {
    const at: number[] = [];
    for (let rest = i, axis = shape.length - 1; axis >= 0; rest = Math.floor(rest / shape[axis--]))
      at.unshift(rest % shape[axis]);
    if (inside(at)) data[i] = 1;
  }
  return { data, shape };
};

const sheet = (image: HostArray, masks: HostArray): Picture =>
  sampleSheet({
    title: "t",
    classes: ["a", "b"],
    sections: [{ heading: "", columns: ["x"], rows: [[{ image, masks }]] }],
  });

describe("a sheet of samples", () => {
  test("outlines each class in its color, in a plane and in the three through the middle of a volume", () => {
    const [a, b] = [colorsOf(1).line, colorsOf(2).line];
    const legend = sheet(
      box([1, 16, 16], () => false),
      box([0, 16, 16], () => false),
    );
    const flat = sheet(
      box([1, 16, 16], () => false),
      box([2, 16, 16], ([c, y, x]) => c === 0 && y > 3 && y < 9 && x > 3 && x < 9),
    );
    // Four sides of five samples at ten pixels each, two pixels wide.
    expect(count(flat, a) - count(legend, a)).toBeGreaterThan(4 * 40 * 2);
    expect(count(flat, a) - count(legend, a)).toBeLessThan(4 * 52 * 2);
    expect(count(flat, b)).toBe(count(legend, b));
    const solid = sheet(
      box([1, 16, 16, 16], () => false),
      box([2, 16, 16, 16], ([c, ...at]) => c === 1 && at.every((v) => v > 5 && v < 11)),
    );
    expect(count(solid, b) - count(legend, b)).toBe(3 * (count(flat, a) - count(legend, a)));
  });

  test("lays smaller masks in the middle, and says what does not fit", () => {
    const small = sheet(
      box([1, 16, 16], () => false),
      box([1, 8, 8], () => true),
    );
    const same = sheet(
      box([1, 16, 16], () => false),
      box([1, 16, 16], ([, y, x]) => y > 3 && y < 12 && x > 3 && x < 12),
    );
    const differ = small.data.filter((v, i) => v !== same.data[i]).length;
    expect([small.width, small.height]).toEqual([same.width, same.height]);
    expect(differ / 3).toBeLessThan(0.1 * count(same, colorsOf(1).line));
    expect(() =>
      sheet(
        box([1, 16], () => false),
        box([1, 16], () => false),
      ),
    ).toThrow(ShapeError);
    expect(() =>
      sheet(
        box([1, 4, 4], () => false),
        box([4, 4], () => false),
      ),
    ).toThrow(/masks \[4,4\] do not lie on the image/);
  });
});

test("words are written in capitals, without accents, and cut at the edge", () => {
  const draw = (text: string) => {
    const p = blank(20, 9);
    drawText(p, 1, 1, text, [255, 0, 0]);
    return p;
  };
  expect(count(draw("I"), [255, 0, 0])).toBe(11);
  expect(draw("é").data).toEqual(draw("E").data);
  expect(draw("語").data).toEqual(draw("?").data);
  expect(draw("EEEEEE").data.slice(0, 19 * 3)).toEqual(draw("EEE").data.slice(0, 19 * 3));
  expect(textSize("ab", 2)).toEqual([22, 14]);
});

test("further classes have colors of their own", () => {
  const colors = Array.from({ length: 30 }, (_, i) => String(colorsOf(i + 1).fill));
  expect(new Set(colors).size).toBe(30);
});

describe("a strip of a case", () => {
  const volume = box([20, 30, 40], ([z]) => z === 12);
  test("shows slices between the first and last that are labeled or predicted", () => {
    const label = box([20, 30, 40], ([z]) => z === 12);
    const one = caseStrip(volume, { label, axis: 0 });
    expect(one.width).toBe(40 * 4 + 4);
    expect(one.data[3 * (one.width * 60 + 80)]).toBe(255); // slice 12, which is white
    expect(caseStrip(volume, { label, pred: box([20, 30, 40], ([z]) => z === 15), axis: 0 }).width).toBe(4 * (40 * 4 + 2) + 2);
    expect(caseStrip(volume, { axis: 0 }).width).toBe(6 * (40 * 4 + 2) + 2);
  });
  test("thins out large slices", () => {
    const wide = { data: new Float32Array(600 * 20), shape: [1, 20, 600] };
    expect(caseStrip(wide, { axis: 0 }).width).toBe(200 + 4);
  });
});
