/** @file Filled lines: what a voxel's center tells, holes, areas side by side, lines beyond the plane. */

import * as fc from "fast-check";
import { expect, test } from "vitest";
import { fillPolygons, type Polygon } from "../../../src/host/grid/polygons.ts";

const size = [12, 9] as const;

function filled(...polygons: Polygon[]): string[] {
  const rows = Array.from({ length: size[1] }, () => new Array<number>(size[0]).fill(0));
  fillPolygons(polygons, size, (x, y) => rows[y][x]++);
  return rows.map((row) => row.join(""));
}

/** Lines crossed on the way up from a point. */
function crossings(points: Polygon, x: number, y: number): number {
  let count = 0;
  for (let i = 0; i < points.length; i += 2) {
    const [ax, ay, bx, by] = [0, 1, 2, 3].map((k) => points[(i + k) % points.length]);
    if (ax <= x !== bx <= x && ay + ((x - ax) / (bx - ax)) * (by - ay) > y) count++;
  }
  return count;
}

const coordinate = fc.integer({ min: -4000, max: 16000 }).map((v) => (v + 0.5) / 1003);
const polygon = fc.array(coordinate, { minLength: 6, maxLength: 20 }).map((v) => v.slice(0, v.length & ~1));

test("centers that random lines enclose an odd number of times, whichever way one counts", () => {
  fc.assert(
    fc.property(fc.array(polygon, { minLength: 1, maxLength: 3 }), (polygons) => {
      const expected = Array.from({ length: size[1] }, (_, y) =>
        Array.from({ length: size[0] }, (_, x) => polygons.reduce((n, p) => n + crossings(p, x, y), 0) % 2).join(""),
      );
      expect(filled(...polygons)).toEqual(expected);
    }),
    { numRuns: 300 },
  );
});

test("areas that share a line through centers share no sample and leave none out", () => {
  const left = [1, 1, 5, 1, 8, 4, 5, 7, 1, 7];
  const right = [5, 1, 10, 1, 10, 7, 5, 7, 8, 4];
  const both = filled([1, 1, 10, 1, 10, 7, 1, 7]);
  expect(filled(left).map((row, y) => [...row].map((v, x) => Number(v) + Number(filled(right)[y][x])).join(""))).toEqual(both);
  expect(both.join("").replaceAll("0", "")).toHaveLength(9 * 6);
});

test("a line within is a hole, with lines of its own or by a channel that is passed twice", () => {
  const [outer, inner] = [
    [0.5, 0.5, 8.5, 0.5, 8.5, 7.5, 0.5, 7.5],
    [2.5, 2.5, 5.5, 2.5, 5.5, 5.5, 2.5, 5.5],
  ];
  const keyhole = [0.5, 0.5, 8.5, 0.5, 8.5, 7.5, 0.5, 7.5, 0.5, 2.5, ...inner, 2.5, 2.5, 0.5, 2.5];
  expect(filled(outer, inner)).toEqual(filled(keyhole));
  expect(filled(outer, inner)[3]).toBe("011000111000");
});

test("a line that goes up and down again and again takes the memory of the plane", () => {
  const points = Float64Array.from({ length: 2e5 }, (_, i) => (i % 2 === 0 ? ((i * 7919) % 997) / 125 : i % 4 === 1 ? -1 : 600));
  const before = process.memoryUsage.rss();
  let count = 0;
  fillPolygons([points], [8, 512], () => count++);
  expect(count).toBeGreaterThan(0);
  // A number for each crossing would be 400 MB.
  expect(process.memoryUsage.rss() - before).toBeLessThan(2e8);
});
