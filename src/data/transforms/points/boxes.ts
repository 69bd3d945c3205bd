/** @file Axis-aligned boxes in the notations of detection: `convertBoxMode`, and as the points of their corners. */
import { expectArguments } from "../../../host/kinds.ts";
import { holdsIntegers, type HostArray } from "../../../host/array.ts";
import { ConfigError, ShapeError } from "../../../host/errors.ts";
import { showShape } from "../../../host/shape.ts";
import { emptyLike } from "../../../host/strided.ts";
import type { Transform } from "../transform.ts";
import { allOptions } from "../options.ts";

/**
 * What a row of 4 (2-D) or 6 (3-D) numbers says, in MONAI's names: corners "xyxy" and "xyzxyz", "xxyy" and "xxyyzz", "xyxyzz" (2-D: "xyxy"), first corner
 * and size "xywh" and "xyzwhd", center and size "ccwh" and "cccwhd".
 */
export type BoxMode = "xyxy" | "xyzxyz" | "xxyy" | "xxyyzz" | "xyxyzz" | "xywh" | "xyzwhd" | "ccwh" | "cccwhd";

/** Columns of the lower and of the upper corners, or, for the last two, of what a size belongs to and of the sizes. */
interface Layout {
  readonly kind: "corners" | "cornerSize" | "centerSize";
  readonly first: readonly number[];
  readonly second: readonly number[];
}

const layouts: Readonly<Record<BoxMode, Layout>> = {
  xyxy: { kind: "corners", first: [0, 1], second: [2, 3] },
  xyzxyz: { kind: "corners", first: [0, 1, 2], second: [3, 4, 5] },
  xxyy: { kind: "corners", first: [0, 2], second: [1, 3] },
  xxyyzz: { kind: "corners", first: [0, 2, 4], second: [1, 3, 5] },
  xyxyzz: { kind: "corners", first: [0, 1, 4], second: [2, 3, 5] },
  xywh: { kind: "cornerSize", first: [0, 1], second: [2, 3] },
  xyzwhd: { kind: "cornerSize", first: [0, 1, 2], second: [3, 4, 5] },
  ccwh: { kind: "centerSize", first: [0, 1], second: [2, 3] },
  cccwhd: { kind: "centerSize", first: [0, 1, 2], second: [3, 4, 5] },
};

/** The layout of a mode for rows of so many numbers; the two-dimensional names stand for the three-dimensional ones too. */
function layoutOf(op: string, mode: BoxMode, width: number): Layout {
  if (!Object.hasOwn(layouts, mode))
    throw new ConfigError(`${op}: unknown box mode "${String(mode)}"; known: ${Object.keys(layouts).join(", ")}`);
  const layout = layouts[mode];
  if (layout.first.length * 2 !== width)
    throw new ShapeError(`${op}: mode "${mode}" is for boxes of ${layout.first.length * 2} numbers, got ${width}`);
  return layout;
}

function widthOf(op: string, boxes: HostArray): number {
  const width = boxes.shape.at(-1);
  if (boxes.shape.length !== 2 || (width !== 4 && width !== 6))
    throw new ShapeError(`${op}: expected boxes [N, 4] or [N, 6], got ${showShape(boxes.shape)}`);
  return width;
}

/** Corners of a row: the lower ones, then the upper ones. Halves of integer sizes are cut, as the row's element type would. */
function cornersOf(row: ArrayLike<number>, { kind, first, second }: Layout, whole: boolean): number[] {
  const at = first.map((c) => Number(row[c]));
  const other = second.map((c) => Number(row[c]));
  if (kind === "corners") return [...at, ...other];
  const cut = (v: number): number => (whole ? Math.trunc(v) : v);
  const sizes = other.map((v) => Math.max(v, 0));
  if (kind === "cornerSize") return [...at, ...at.map((v, a) => v + sizes[a])];
  return [...at.map((v, a) => v - cut(sizes[a] / 2)), ...at.map((v, a) => v + cut(sizes[a] / 2))];
}

function fromCorners(corners: readonly number[], { kind, first, second }: Layout): number[] {
  const dims = first.length;
  const [low, high] = [corners.slice(0, dims), corners.slice(dims)];
  const row = new Array<number>(2 * dims);
  first.forEach((c, a) => (row[c] = kind === "centerSize" ? (low[a] + high[a]) / 2 : low[a]));
  second.forEach((c, a) => (row[c] = kind === "corners" ? high[a] : high[a] - low[a]));
  return row;
}

/**
 * Boxes in another notation, in their own element type (integers cut). MONAI's `convert_box_mode`.
 * @param boxes `[N, 4]` or `[N, 6]`
 * @param srcMode what they are now; default corners, first the lower ones
 * @param dstMode what they become; the same default
 * @throws ShapeError for other rows, ConfigError for an unknown mode
 */
export function convertBoxMode(boxes: HostArray, srcMode?: BoxMode | null, dstMode?: BoxMode | null): HostArray {
  expectArguments("convertBoxMode", "array", { boxes });
  const op = "convertBoxMode";
  const width = widthOf(op, boxes);
  const usual: BoxMode = width === 4 ? "xyxy" : "xyzxyz";
  const from = layoutOf(op, srcMode ?? usual, width);
  const to = layoutOf(op, dstMode ?? usual, width);
  const data = emptyLike(boxes.data, boxes.data.length);
  for (let i = 0; i < data.length; i += width) {
    data.set(fromCorners(cornersOf(boxes.data.subarray(i, i + width), from, holdsIntegers(boxes.data)), to), i);
  }
  return { ...boxes, data };
}

/** Which of the lower (0) and upper (1) corners a point has along each axis, around each face in turn, the lower last axis first. */
const square = [
  [0, 0],
  [1, 0],
  [1, 1],
  [0, 1],
];
const cube = [...square.map((s) => [...s, 0]), ...square.map((s) => [...s, 1])];

/**
 * The corners of boxes as points, for transforms of points. MONAI's `ConvertBoxToPoints`.
 *
 * Shapes: `[N, 4]` → `[N, 4, 2]`, `[N, 6]` → `[N, 8, 3]`.
 * Geometry: dropped.
 * @throws ShapeError for other rows, ConfigError for an unknown mode or option
 */
export class ConvertBoxToPoints implements Transform {
  private readonly mode: BoxMode | null;

  constructor(options: { readonly mode?: BoxMode | null } = {}) {
    this.mode = allOptions("ConvertBoxToPoints", options, "mode", { mode: null }).mode;
  }

  apply(x: HostArray): HostArray {
    expectArguments("ConvertBoxToPoints", "array", { x });
    const width = widthOf("ConvertBoxToPoints", x);
    const dims = width / 2;
    const layout = layoutOf("ConvertBoxToPoints", this.mode ?? (width === 4 ? "xyxy" : "xyzxyz"), width);
    const points = dims === 2 ? square : cube;
    const data = emptyLike(x.data, x.shape[0] * points.length * dims);
    for (let n = 0, to = 0; n < x.shape[0]; n++) {
      const corners = cornersOf(x.data.subarray(n * width, (n + 1) * width), layout, holdsIntegers(x.data));
      for (const sides of points) for (let a = 0; a < dims; a++) data[to++] = corners[sides[a] * dims + a];
    }
    return { data, shape: [x.shape[0], points.length, dims] };
  }
}

/**
 * The boxes around sets of points, as corners, first the lower ones. MONAI's `ConvertPointsToBoxes`.
 *
 * Shapes: `[N, points, 2]` → `[N, 4]`, `[N, points, 3]` → `[N, 6]`.
 * Geometry: dropped.
 * @throws ShapeError for other shapes and sets without a point
 */
export class ConvertPointsToBoxes implements Transform {
  apply(x: HostArray): HostArray {
    expectArguments("ConvertPointsToBoxes", "array", { x });
    const [count, points, dims] = x.shape;
    if (x.shape.length !== 3 || (dims !== 2 && dims !== 3) || points === 0)
      throw new ShapeError(`ConvertPointsToBoxes: expected points [N, points, 2 or 3], got ${showShape(x.shape)}`);
    const data = emptyLike(x.data, count * 2 * dims);
    for (let n = 0; n < count; n++) {
      for (let a = 0; a < dims; a++) {
        let low = Infinity;
        let high = -Infinity;
        for (let p = 0; p < points; p++) {
          const v = x.data[(n * points + p) * dims + a];
          low = Math.min(low, v);
          high = Math.max(high, v);
        }
        data[n * 2 * dims + a] = low;
        data[n * 2 * dims + dims + a] = high;
      }
    }
    return { data, shape: [count, 2 * dims] };
  }
}
