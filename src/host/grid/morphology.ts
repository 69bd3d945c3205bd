/** @file Morphology of masks in any number of axes: erosion, dilation, opening, closing and the filling of holes. */
import { expectKinds } from "../kinds.ts";
import { expectOptions } from "../options.ts";
import { sizeOf, type TypedArray } from "../array.ts";
import { ShapeError } from "../errors.ts";
import { expectIntegers } from "../integers.ts";
import { showShape } from "../shape.ts";
import { type Components, connectedComponents, paintComponents } from "./components.ts";
import { connectivityRank, neighborRows } from "./connectivity.ts";

/** The neighborhood of a morphological operation, and what lies around the grid. */
export interface MorphologyOptions {
  /** A rank, 1 to the number of axes, or 4, 8, 6, 18, 26 neighbors. Default 1, as in SciPy. */
  readonly connectivity?: number | null;
  /** How often; default 1. */
  readonly iterations?: number;
  /** Whether what lies outside of the grid counts as part of the mask. Default false, as in SciPy. */
  readonly borderValue?: boolean;
}

/**
 * Whether each voxel and all its neighbors are in the mask: SciPy's `binary_erosion`. `mask` fills the grid `shape`, and so does the result. @throws
 * ShapeError, ConfigError
 */
export function binaryErosion(mask: TypedArray, shape: readonly number[], options: MorphologyOptions = {}): Uint8Array {
  expectOptions("binaryErosion", options, "connectivity iterations:number borderValue");
  expectKinds("binaryErosion", { values: { mask }, numbers: { shape } });
  return repeated("binaryErosion", mask, shape, options, true);
}

/**
 * Whether a voxel or one of its neighbors is in the mask: SciPy's `binary_dilation`. `mask` fills the grid `shape`, and so does the result. @throws
 * ShapeError, ConfigError
 */
export function binaryDilation(mask: TypedArray, shape: readonly number[], options: MorphologyOptions = {}): Uint8Array {
  expectOptions("binaryDilation", options, "connectivity iterations:number borderValue");
  expectKinds("binaryDilation", { values: { mask }, numbers: { shape } });
  return repeated("binaryDilation", mask, shape, options, false);
}

/**
 * Erosions, then as many dilations: what is thinner than the neighborhood goes. SciPy's `binary_opening`. `mask` fills the grid `shape`, and so does the
 * result. @throws ShapeError, ConfigError
 */
export function binaryOpening(
  mask: TypedArray,
  shape: readonly number[],
  options: Omit<MorphologyOptions, "borderValue"> = {},
): Uint8Array {
  expectOptions("binaryOpening", options, "connectivity iterations:number");
  expectKinds("binaryOpening", { values: { mask }, numbers: { shape } });
  return binaryDilation(binaryErosion(mask, shape, options), shape, options);
}

/**
 * Dilations, then as many erosions: gaps thinner than the neighborhood are closed. SciPy's `binary_closing`. `mask` fills the grid `shape`, and so does the
 * result. @throws ShapeError, ConfigError
 */
export function binaryClosing(
  mask: TypedArray,
  shape: readonly number[],
  options: Omit<MorphologyOptions, "borderValue"> = {},
): Uint8Array {
  expectOptions("binaryClosing", options, "connectivity iterations:number");
  expectKinds("binaryClosing", { values: { mask }, numbers: { shape } });
  return binaryErosion(binaryDilation(mask, shape, options), shape, options);
}

/**
 * The mask with its holes: components of the background that touch no border of the grid. SciPy's `binary_fill_holes`. `mask` fills the grid `shape`, and
 * so does the result.
 * @param connectivity of the background; default 1, as in SciPy
 * @throws ShapeError, ConfigError
 */
export function binaryFillHoles(mask: TypedArray, shape: readonly number[], connectivity: number | null = 1): Uint8Array {
  expectKinds("binaryFillHoles", { values: { mask }, numbers: { shape } });
  const filled = new Uint8Array(mask.length).fill(1);
  paintComponents(...holesOpen(mask, shape, connectivity), filled, 0);
  return filled;
}

/** The components of the background, and which of them reach the border. */
function holesOpen(mask: TypedArray, shape: readonly number[], connectivity: number | null): [Components, Uint8Array] {
  const background = new Uint8Array(mask.length);
  for (let i = 0; i < mask.length; i++) background[i] = Number(mask[i] === 0);
  const components = connectedComponents(background, shape, { connectivity });
  return [components, reachBorder(components)];
}

/** 1 for the components that have an element at the border of the grid, else 0; one entry per component and one for 0 in front. */
export function reachBorder({ shape, starts, ends, of, count }: Components): Uint8Array {
  const width = shape.at(-1)!;
  const reach = new Uint8Array(count + 1);
  for (let run = 0; run < of.length; run++) {
    const column = starts[run] % width;
    if (column === 0 || column + ends[run] - starts[run] === width || rowAtBorder((starts[run] - column) / width, shape))
      reach[of[run]] = 1;
  }
  return reach;
}

function rowAtBorder(row: number, shape: readonly number[]): boolean {
  let rest = row;
  for (let axis = shape.length - 2; axis >= 0; axis--) {
    const at = rest % shape[axis];
    if (at === 0 || at === shape[axis] - 1) return true;
    rest = (rest - at) / shape[axis];
  }
  return false;
}

function repeated(
  op: string,
  mask: TypedArray,
  shape: readonly number[],
  options: MorphologyOptions,
  erode: boolean,
): Uint8Array {
  const { connectivity = 1, iterations = 1, borderValue = false } = options;
  if (shape.length === 0 || mask.length !== sizeOf(shape))
    throw new ShapeError(`${op}: ${mask.length} elements do not fill the shape ${showShape(shape)}`);
  expectIntegers(op, { iterations }, 1);
  const rank = connectivityRank(op, connectivity, shape.length);
  // An erosion is a dilation of what is not in the mask.
  let now = new Uint8Array(mask.length);
  const inverted = Number(erode);
  for (let i = 0; i < mask.length; i++) now[i] = Number(mask[i] !== 0) ^ inverted;
  for (let i = 0; i < iterations; i++) now = dilateOnce(now, shape, rank, Number(borderValue !== erode));
  if (erode) for (let i = 0; i < now.length; i++) now[i] ^= 1;
  return now;
}

function dilateOnce(mask: Uint8Array, shape: readonly number[], rank: number, outside: number): Uint8Array<ArrayBuffer> {
  const out = new Uint8Array(mask.length);
  const outer = shape.slice(0, -1);
  const width = shape.at(-1)!;
  const neighbors = neighborRows(shape.length, rank);
  const index = outer.map(() => 0);
  const strides = outer.map((_, axis) => width * sizeOf(outer.slice(axis + 1)));
  for (let row = 0; row < out.length; row += width) {
    for (const { steps, reach } of neighbors) {
      let from = row;
      let inside = true;
      for (let axis = 0; axis < outer.length; axis++) {
        const at = index[axis] + steps[axis];
        inside &&= at >= 0 && at < outer[axis];
        from += steps[axis] * strides[axis];
      }
      if (inside) orRow(out, row, mask, from, width, reach, outside);
      else if (outside) out.fill(1, row, row + width);
    }
    for (let axis = index.length - 1; axis >= 0 && ++index[axis] === outer[axis]; axis--) index[axis] = 0;
  }
  return out;
}

/** Ors a row into another, and with `reach` also shifted by one to each side. */
function orRow(out: Uint8Array, to: number, mask: Uint8Array, from: number, width: number, reach: number, outside: number): void {
  if (reach === 0) {
    for (let i = 0; i < width; i++) out[to + i] |= mask[from + i];
    return;
  }
  const last = from + width - 1;
  if (width === 1) {
    out[to] |= outside | mask[from];
    return;
  }
  out[to] |= outside | mask[from] | mask[from + 1];
  for (let i = from + 1, o = to + 1; i < last; i++, o++) out[o] |= mask[i - 1] | mask[i] | mask[i + 1];
  out[to + width - 1] |= mask[last - 1] | mask[last] | outside;
}
