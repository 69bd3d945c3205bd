/** @file Connected components and morphology are those of SciPy and scikit-image, in any number of axes. */
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { ConfigError, ShapeError } from "../../../src/host/errors.ts";
import { componentLabels, connectedComponents, largestComponents } from "../../../src/host/grid/components.ts";
import {
  binaryClosing,
  binaryDilation,
  binaryErosion,
  binaryFillHoles,
  binaryOpening,
} from "../../../src/host/grid/morphology.ts";

interface Stored {
  readonly shape: readonly number[];
  readonly grid: string;
  readonly rank: number;
  readonly labels: readonly number[];
  readonly byValue: readonly number[] | null;
  readonly [operation: string]: unknown;
}

const cases: Stored[] = JSON.parse(readFileSync(new URL("../../fixtures/grid.json", import.meta.url), "utf8"));
const digits = (text: string) => Uint8Array.from(text, Number);

describe.each(cases)("$shape of rank $rank", ({ shape, rank, labels, byValue, ...stored }) => {
  const grid = digits(stored.grid);

  test("components, numbered by their first voxels", () => {
    expect([...componentLabels(connectedComponents(grid, shape, { connectivity: rank }))]).toEqual(labels);
    if (byValue)
      expect([...componentLabels(connectedComponents(grid, shape, { connectivity: rank, byValue: true }))]).toEqual(byValue);
  });

  test("sizes are the counts", () => {
    const { sizes, count } = connectedComponents(grid, shape, { connectivity: rank });
    const counts = Array.from({ length: count + 1 }, (_, k) => (k === 0 ? 0 : labels.filter((l) => l === k).length));
    expect([...sizes]).toEqual(counts);
  });

  test("holes, erosion, dilation, opening, closing", () => {
    const options = { connectivity: rank };
    expect(binaryFillHoles(grid, shape, rank).join("")).toBe(stored.filled);
    expect(binaryErosion(grid, shape, options).join("")).toBe(stored.eroded);
    expect(binaryErosion(grid, shape, { ...options, borderValue: true }).join("")).toBe(stored.erodedInside);
    expect(binaryDilation(grid, shape, { ...options, iterations: 2 }).join("")).toBe(stored.dilated);
    expect(binaryOpening(grid, shape, options).join("")).toBe(stored.opened);
    expect(binaryClosing(grid, shape, options).join("")).toBe(stored.closed);
  });
});

/** Components by flooding, the slow way. */
function flooded(grid: Uint8Array, [d, h, w]: readonly number[], rank: number): Int32Array {
  const labels = new Int32Array(grid.length);
  let count = 0;
  for (let i = 0; i < grid.length; i++) {
    if (grid[i] === 0 || labels[i] > 0) continue;
    labels[i] = ++count;
    for (const stack = [i]; stack.length > 0;) {
      const at = stack.pop()!;
      const [x, y, z] = [Math.floor(at / (h * w)), Math.floor(at / w) % h, at % w];
      for (let code = 0; code < 27; code++) {
        const step = [Math.floor(code / 9) - 1, (Math.floor(code / 3) % 3) - 1, (code % 3) - 1];
        const [a, b, c] = [x + step[0], y + step[1], z + step[2]];
        if (step.filter((s) => s !== 0).length > rank || a < 0 || b < 0 || c < 0 || a >= d || b >= h || c >= w) continue;
        const to = (a * h + b) * w + c;
        if (grid[to] !== grid[at] || labels[to] > 0) continue;
        labels[to] = count;
        stack.push(to);
      }
    }
  }
  return labels;
}

test.each([1, 2, 3])("a larger grid of three labels, rank %i, against flooding", (connectivity) => {
  const shape = [13, 17, 19];
  let seed = 5;
  const grid = Uint8Array.from({ length: 13 * 17 * 19 }, () => ((seed = (seed * 1103515245 + 12345) % 2 ** 31) / 2 ** 31) * 4);
  const labels = componentLabels(connectedComponents(grid, shape, { connectivity, byValue: true }));
  expect(labels).toEqual(flooded(grid, shape, connectivity));
});

test("numbers of neighbors name ranks", () => {
  const grid = digits("100010001");
  const count = (connectivity?: number) => connectedComponents(grid, [3, 3], { connectivity }).count;
  expect([count(4), count(1), count(8), count(2), count()]).toEqual([3, 3, 1, 1, 1]);
  for (const connectivity of [0, 3, 5, 6, 26, 1.5]) expect(() => count(connectivity)).toThrow(ConfigError);
  expect(() => connectedComponents(grid, [3, 4])).toThrow(ShapeError);
});

test("of equal components the later is the larger, as in MONAI", () => {
  const components = connectedComponents(digits("110110010"), [9]);
  expect([...largestComponents(components, 1)]).toEqual([0, 0, 1, 0]);
  expect([...largestComponents(components, 9)]).toEqual([0, 1, 1, 1]);
});

test("empty grids and other element types", () => {
  expect(connectedComponents(new Uint8Array(0), [0, 4]).count).toBe(0);
  expect(connectedComponents(new Uint8Array(0), [4, 0]).count).toBe(0);
  expect(connectedComponents(Float32Array.of(0, 0.25, -1, 0, 2), [5]).count).toBe(2);
});
