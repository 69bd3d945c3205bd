/** @file Pure shape arithmetic: no device, no tensor. Every rule throws a `ShapeError` that names the operation. */

import { ShapeError } from "./errors.ts";
import { expectArguments } from "./kinds.ts";

/** Sizes of the axes, the slowest first. */
export type Shape = readonly number[];

/** `[2, 3, 4]` → `"[2, 3, 4]"`, for messages. */
export function showShape(shape: Shape): string {
  return `[${shape.join(", ")}]`;
}

/** Sizes must be integers of at least 0. @throws ShapeError */
export function expectShape(op: string, shape: Shape): void {
  if (!Array.isArray(shape))
    throw new ShapeError(`${op}: a shape is a list of sizes, got ${shape === null ? "null" : typeof shape}`);
  if (!shape.every((d) => Number.isSafeInteger(d) && d >= 0)) {
    throw new ShapeError(`${op}: sizes must be integers of at least 0, got ${showShape(shape)}`);
  }
}

/** Whether two shapes have the same axes and sizes. */
export function sameShape(a: Shape, b: Shape): boolean {
  return a.length === b.length && a.every((d, i) => d === b[i]);
}

/** Row-major strides in elements. */
export function stridesOf(shape: Shape): number[] {
  const strides = new Array<number>(shape.length);
  let step = 1;
  for (let i = shape.length - 1; i >= 0; i--) {
    strides[i] = step;
    step *= shape[i];
  }
  return strides;
}

/** NumPy's broadcasting rule. @throws ShapeError when two sizes differ and neither is 1 */
export function broadcastShapes(op: string, a: Shape, b: Shape): number[] {
  const rank = Math.max(a.length, b.length);
  const out = new Array<number>(rank);
  for (let i = 0; i < rank; i++) {
    const x = a[a.length - rank + i] ?? 1;
    const y = b[b.length - rank + i] ?? 1;
    if (x !== y && x !== 1 && y !== 1) {
      throw new ShapeError(
        `${op}: shapes ${showShape(a)} and ${showShape(b)} do not broadcast: axis ${i} from the left has sizes ${x} and ${y}; ` +
          `they must be equal or one of them 1`,
      );
    }
    out[i] = x === 1 ? y : x;
  }
  return out;
}

/** One axis or a list of them, as a list. @throws ConfigError for what is neither */
export function axisList(op: string, axes: number | readonly number[]): readonly number[] {
  if (typeof axes === "number") return [axes];
  expectArguments(op, "numbers", { axes });
  return axes;
}

/** Brings a possibly negative axis into `[0, rank)`. */
export function normalizeAxis(op: string, axis: number, rank: number): number {
  const a = axis < 0 ? axis + rank : axis;
  if (!Number.isInteger(axis) || a < 0 || a >= rank) {
    throw new ShapeError(`${op}: axis ${axis} is outside [-${rank}, ${rank}) of a tensor of rank ${rank}`);
  }
  return a;
}

/** One number for all spatial axes, or one per axis. */
export type Spatial = number | readonly number[];

/** Spreads a `Spatial` over `dims` axes and checks that each entry is an integer of at least `min`. */
export function spatial(op: string, name: string, value: Spatial, dims: number, min: number): number[] {
  if (typeof value !== "number") expectArguments(op, "numbers", { [name]: value });
  if (!Number.isInteger(dims)) throw new ShapeError(`${op}: the number of spatial axes must be whole, got ${dims}`);
  const list = typeof value === "number" ? new Array<number>(dims).fill(value) : [...value];
  if (list.length !== dims) {
    throw new ShapeError(
      `${op}: ${name} has ${list.length} entries for ${dims} spatial axes; give one number or ${dims} numbers`,
    );
  }
  for (const v of list) {
    if (!Number.isInteger(v) || v < min) {
      throw new ShapeError(`${op}: ${name} must be integers of at least ${min}, got ${showShape(list)}`);
    }
  }
  return list;
}
