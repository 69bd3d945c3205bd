/**
 * @file Connected components of masks and label maps in any number of axes. The rows of the grid are cut into runs of equal values, and a union-find
 * joins the runs, not the voxels (He, Chao, Suzuki: "A run-based two-scan labeling algorithm", 2008): what touches is found by walking along two rows
 * at once. A component is its runs, so that to count, keep, drop or fill needs no map of labels.
 */
import { expectKinds, expectFields } from "../kinds.ts";
import { expectOptions } from "../options.ts";
import { sizeOf, type TypedArray } from "../array.ts";
import { ShapeError } from "../errors.ts";
import { showShape } from "../shape.ts";
import { connectivityRank, earlierRows, type NeighborRow } from "./connectivity.ts";

/** How components are found. */
export interface ComponentOptions {
  /** A rank, 1 to the number of axes, or 4, 8, 6, 18, 26 neighbors. Default: all around. */
  readonly connectivity?: number | null;
  /** Whether different values part components, as in scikit-image's `label`; else all that is not 0 belongs together, as in SciPy's. Default false. */
  readonly byValue?: boolean;
}

/** The connected components of a grid, as runs along its last axis in row-major order. */
export interface Components {
  /** Voxels along each axis of the grid. */
  readonly shape: readonly number[];
  /** How many there are. */
  readonly count: number;
  /** Voxels of each; component k has `sizes[k]`, and `sizes[0]` is 0. */
  readonly sizes: Int32Array;
  /** Index of the first element of each run. */
  readonly starts: Int32Array;
  /** Index behind the last element of each run. */
  readonly ends: Int32Array;
  /** Component of each run, from 1 in the order of their first elements. */
  readonly of: Int32Array;
}

/**
 * The components of what is not 0. They are numbered in the order of their first elements, as in SciPy and scikit-image.
 * @param grid a mask or label map, row-major
 * @param shape its axes; at least one
 * @throws ShapeError if data and shape do not agree; ConfigError for an unknown connectivity
 */
export function connectedComponents(grid: TypedArray, shape: readonly number[], options: ComponentOptions = {}): Components {
  expectOptions("connectedComponents", options, "connectivity byValue:boolean");
  expectKinds("connectedComponents", { values: { grid }, numbers: { shape } });
  if (shape.length === 0 || grid.length !== sizeOf(shape))
    throw new ShapeError(`connectedComponents: ${grid.length} elements do not fill the shape ${showShape(shape)}`);
  if (grid.length >= 2 ** 31)
    throw new ShapeError(`connectedComponents: ${grid.length} elements; at most 2³¹ − 1 can be indexed`);
  const rank = connectivityRank("connectedComponents", options.connectivity, shape.length);
  const byValue = options.byValue ?? false;
  const runs = findRuns(grid, shape.at(-1)!, byValue);
  joinRows(runs, shape, earlierRows(shape.length, rank), byValue ? grid : undefined);
  return { ...numberRuns(runs), shape, starts: runs.starts, ends: runs.ends, of: runs.parent };
}

interface Runs {
  readonly starts: Int32Array;
  readonly ends: Int32Array;
  /** Each run's parent in the union-find forest; a root is its own and has the least index of its tree. */
  readonly parent: Int32Array;
  /** First run of each row, and the number of runs behind the last. */
  readonly rows: Int32Array;
}

/**
 * How many runs there are. Whether a voxel begins one is added as a number: on noise a processor guesses branches wrong half of the time, and what is
 * computed without them takes a fraction of the time.
 */
function countRuns(grid: TypedArray, width: number, byValue: boolean): number {
  let count = 0;
  for (let row = 0; row < grid.length; row += width) {
    const stop = row + width;
    let before = 0;
    if (byValue) {
      for (let i = row; i < stop; i++) {
        const v = grid[i];
        count += Number(v !== 0) & Number(v !== before);
        before = v;
      }
    } else {
      for (let i = row; i < stop; i++) {
        const v = Number(grid[i] !== 0);
        count += v & ~before;
        before = v;
      }
    }
  }
  return count;
}

function findRuns(grid: TypedArray, width: number, byValue: boolean): Runs {
  const count = countRuns(grid, width, byValue);
  // One more than there are: the scan writes where the next run would begin before it knows that there is none.
  const starts = new Int32Array(count + 1);
  const ends = new Int32Array(count + 1);
  const rows = new Int32Array((width === 0 ? 0 : grid.length / width) + 1);
  let begun = 0;
  let ended = 0;
  for (let row = 0, i = 0; row < rows.length - 1; row++) {
    rows[row] = begun;
    const stop = i + width;
    let before = 0;
    if (byValue) {
      for (; i < stop; i++) {
        const v = grid[i];
        const changes = Number(v !== before);
        starts[begun] = i;
        ends[ended] = i;
        begun += changes & Number(v !== 0);
        ended += changes & Number(before !== 0);
        before = v;
      }
    } else {
      for (; i < stop; i++) {
        const v = Number(grid[i] !== 0);
        starts[begun] = i;
        ends[ended] = i;
        begun += v & ~before;
        ended += ~v & before;
        before = v;
      }
    }
    if (ended < begun) ends[ended++] = stop;
  }
  rows[rows.length - 1] = begun;
  const parent = new Int32Array(count);
  for (let run = 0; run < count; run++) parent[run] = run;
  return { starts: starts.subarray(0, count), ends: ends.subarray(0, count), parent, rows };
}

/** The root of a run's tree; every other run on the way is hung higher. */
function rootOf(parent: Int32Array, run: number): number {
  let r = run;
  let p = parent[r];
  while (p !== r) {
    const above = parent[p];
    parent[r] = above;
    r = above;
    p = parent[r];
  }
  return r;
}

/** Joins two trees; the lesser root stays one, so that roots come in the order of first elements. */
function unite(parent: Int32Array, a: number, b: number): void {
  const x = rootOf(parent, a);
  const y = rootOf(parent, b);
  if (x < y) parent[y] = x;
  else parent[x] = y;
}

function joinRows(runs: Runs, shape: readonly number[], neighbors: readonly NeighborRow[], values: TypedArray | undefined): void {
  const outer = shape.slice(0, -1);
  const width = shape.at(-1)!;
  const index = outer.map(() => 0);
  const strides = outer.map((_, axis) => sizeOf(outer.slice(axis + 1)));
  const offsets = neighbors.map(({ steps }) => steps.reduce((sum, s, axis) => sum + s * strides[axis], 0));
  for (let row = 0; row < runs.rows.length - 1; row++) {
    if (runs.rows[row] < runs.rows[row + 1]) {
      for (let k = 0; k < neighbors.length; k++) {
        if (!inside(index, neighbors[k].steps, outer)) continue;
        if (values) joinEqual(runs, row, row + offsets[k], width, neighbors[k].reach, values);
        else joinPair(runs, row, row + offsets[k], width, neighbors[k].reach);
      }
    }
    for (let axis = index.length - 1; axis >= 0 && ++index[axis] === outer[axis]; axis--) index[axis] = 0;
  }
}

function inside(index: readonly number[], steps: readonly number[], sizes: readonly number[]): boolean {
  for (let axis = 0; axis < index.length; axis++) {
    const at = index[axis] + steps[axis];
    if (at < 0 || at >= sizes[axis]) return false;
  }
  return true;
}

/** Joins the runs of a row with those of an earlier one that they touch. */
function joinPair({ starts, ends, parent, rows }: Runs, row: number, other: number, width: number, reach: number): void {
  const shift = (row - other) * width;
  const stopA = rows[row + 1];
  const stopB = rows[other + 1];
  let a = rows[row];
  let b = rows[other];
  while (a < stopA && b < stopB) {
    const endA = ends[a] - shift;
    const endB = ends[b];
    const touch = Number(endB > starts[a] - shift - reach) & Number(starts[b] < endA + reach);
    // One branch, which is rarely taken: most pairs that touch have met before, by way of other rows.
    if (touch & Number(parent[a] !== parent[b])) unite(parent, a, b);
    // What ends first can touch no further run of the other row.
    const first = Number(endB < endA);
    b += first;
    a += 1 - first;
  }
}

/** As `joinPair`, for runs of equal values only. Runs follow each other without a gap here, so a run may also touch the one behind that ends with it. */
function joinEqual(runs: Runs, row: number, other: number, width: number, reach: number, values: TypedArray): void {
  const { starts, ends, parent, rows } = runs;
  const shift = (row - other) * width;
  const stopB = rows[other + 1];
  let b = rows[other];
  for (let a = rows[row]; a < rows[row + 1]; a++) {
    const startA = starts[a] - shift - reach;
    const endA = ends[a] - shift + reach;
    while (b < stopB && ends[b] <= startA) b++;
    // From the first that reaches this run; `b` stays, since the next run of the row may touch it too.
    for (let t = b; t < stopB && starts[t] < endA; t++) {
      if (values[starts[t]] === values[starts[a]]) unite(parent, a, t);
    }
  }
}

/** Writes component numbers over the forest and counts voxels. */
function numberRuns({ starts, ends, parent }: Runs): { count: number; sizes: Int32Array } {
  let count = 0;
  // A parent comes before its children and has its number already.
  for (let run = 0; run < parent.length; run++) {
    const p = parent[run];
    parent[run] = p === run ? ++count : parent[p];
  }
  const sizes = new Int32Array(count + 1);
  for (let run = 0; run < parent.length; run++) sizes[parent[run]] += ends[run] - starts[run];
  return { count, sizes };
}

/** A map of component numbers, 0 elsewhere: `scipy.ndimage.label`. The map has `shape` of the components. */
export function componentLabels(components: Components): Int32Array {
  expectFields("componentLabels", "components", components, { shape: "numbers", starts: "values", ends: "values", of: "values" });
  const { shape, starts, ends, of } = components;
  const labels = new Int32Array(sizeOf(shape));
  for (let run = 0; run < of.length; run++) {
    const label = of[run];
    const end = ends[run];
    for (let i = starts[run]; i < end; i++) labels[i] = label;
  }
  return labels;
}

/**
 * Sets the elements of some components to a value, in place.
 * @param chosen one entry per component and one for 0 in front; the components whose entry is not 0
 * @param grid at least as large as the components' own
 */
export function paintComponents(
  { starts, ends, of }: Components,
  chosen: ArrayLike<number>,
  grid: TypedArray,
  value: number,
): void {
  for (let run = 0; run < of.length; run++) if (chosen[of[run]] !== 0) grid.fill(value, starts[run], ends[run]);
}

/**
 * 1 for the largest components, else 0; the entry 0 in front is 0. Of components of the same size the one numbered last counts as larger, as in MONAI.
 * @param keep how many
 */
export function largestComponents({ count, sizes }: Components, keep: number): Uint8Array {
  const chosen = new Uint8Array(count + 1);
  const order = Int32Array.from({ length: count }, (_, i) => i + 1).sort((a, b) => sizes[b] - sizes[a] || b - a);
  for (let i = 0; i < Math.min(keep, count); i++) chosen[order[i]] = 1;
  return chosen;
}
