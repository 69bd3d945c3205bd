/** @file Lines of constant value in a plane of samples (marching squares): the outlines of labels as closed lines. */
import { expectKinds } from "../kinds.ts";
import type { TypedArray } from "../array.ts";
import { ShapeError } from "../errors.ts";
import { showShape } from "../shape.ts";

/**
 * Closed lines between samples above a level and the others, by linear interpolation. Beyond the plane everything is below. What is above is on the left
 * of a line that goes on, seen with rows downward; samples above that touch only at a corner are parted.
 * @param plane samples `[rows, columns]`, row-major; NaN counts as below
 * @param level 0.5 for a mask of 0 and 1, whose lines run half way between its samples and the others
 * @returns lines as row, column, row, column …; the last point joins the first
 * @throws ShapeError for another number of axes
 * @param shape of the plane, rows and columns
 */
export function contourLines(plane: TypedArray, shape: readonly number[], level: number): Float64Array[] {
  expectKinds("contourLines", { values: { plane }, numbers: { shape }, number: { level } });
  const [rows, columns] = shape;
  if (shape.length !== 2 || rows * columns !== plane.length)
    throw new ShapeError(`contourLines: ${plane.length} samples do not fill a plane of shape ${showShape(shape)}`);
  const at = (r: number, c: number): number => (r < 0 || c < 0 || r >= rows || c >= columns ? -Infinity : plane[r * columns + c]);
  // An edge between two samples has a number: twice its first sample's, plus 1 if it goes along the row.
  const wide = columns + 2;
  const next = new Map<number, number>();
  for (let r = -1; r < rows; r++) {
    for (let c = -1; c < columns; c++) {
      const first = at(r, c) > level;
      // Most places lie on no line; they make no lists.
      if (at(r + 1, c) > level === first && at(r + 1, c + 1) > level === first && at(r, c + 1) > level === first) continue;
      const corners = [at(r, c), at(r + 1, c), at(r + 1, c + 1), at(r, c + 1)].map((v) => v > level);
      const i = (r + 1) * wide + c + 1;
      const sides = [2 * i, 2 * (i + wide) + 1, 2 * (i + 1), 2 * i + 1];
      for (let k = 0; k < 4; k++) {
        if (corners[k] || !corners[(k + 1) % 4]) continue;
        let last = (k + 1) % 4;
        while (corners[(last + 1) % 4]) last = (last + 1) % 4;
        next.set(sides[last], sides[k]);
      }
    }
  }
  const lines: Float64Array[] = [];
  for (const first of next.keys()) {
    const line: number[] = [];
    for (let edge = first; next.has(edge);) {
      const i = edge >> 1;
      const [r, c] = [Math.floor(i / wide) - 1, (i % wide) - 1];
      const [dr, dc] = edge % 2 === 1 ? [0, 1] : [1, 0];
      const t = crossing(at(r, c), at(r + dr, c + dc), level);
      line.push(r + dr * t, c + dc * t);
      const to = next.get(edge)!;
      next.delete(edge);
      edge = to;
    }
    lines.push(Float64Array.from(line));
  }
  return lines;
}

/** Half way to what is beyond the plane or not finite. */
const crossing = (a: number, b: number, level: number): number =>
  Number.isFinite(a) && Number.isFinite(b) ? (level - a) / (b - a) : 0.5;
