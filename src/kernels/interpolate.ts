/** @file Interpolation of images to another size: per mode the weights along one axis, as PyTorch defines them. */

import { expectWord } from "../host/words.ts";
import { ConfigError, ShapeError } from "../host/errors.ts";
import { type Shape, showShape, type Spatial, spatial } from "../host/shape.ts";
import { cornerPosition, cubicTaps, linearTaps, nearestIndex, type Tap } from "../host/taps.ts";
import { type AxisMap, type AxisMaps, areaMap, expectMapped, mapRow } from "./resample.ts";

/** How `interpolate` fills in between, by the names of PyTorch. */
export type InterpolateMode = "nearest" | "nearest-exact" | "linear" | "bilinear" | "trilinear" | "bicubic" | "area";

/** Options of `interpolate`, `Upsample`. */
export interface InterpolateOptions {
  /** Spatial size of the result; this or `scaleFactor`. */
  readonly size?: Spatial;
  /** Result size is ⌊size · factor⌋; positions are scaled by the factor itself, as in PyTorch. */
  readonly scaleFactor?: number | readonly number[];
  /** With `scaleFactor`: whether positions are scaled by the ratio of the sizes instead of the factor; default false. */
  readonly recomputeScaleFactor?: boolean;
  /** Default "nearest". `linear`, `bilinear` and `trilinear` are for 1, 2 and 3 spatial axes, `bicubic` for 2. */
  readonly mode?: InterpolateMode;
  /** Linear and cubic modes: whether the centers of the corner elements, rather than their outer edges, stay in place. Default false. */
  readonly alignCorners?: boolean;
}

/** The names of these options. @internal */
export const interpolateNames = "size:spread scaleFactor:spread recomputeScaleFactor:boolean mode:text alignCorners:boolean";

export interface InterpolateGeometry {
  readonly outShape: Shape;
  readonly maps: AxisMaps;
}

const axesOf: Readonly<Record<InterpolateMode, readonly number[]>> = {
  nearest: [1, 2, 3],
  "nearest-exact": [1, 2, 3],
  area: [1, 2, 3],
  linear: [1],
  bilinear: [2],
  trilinear: [3],
  bicubic: [2],
};

function nearestMap(from: number, to: number, factor: number | undefined, exact: boolean): AxisMap {
  const scale = factor === undefined ? from / to : 1 / factor;
  return { from, rows: Array.from({ length: to }, (_, o) => mapRow([[nearestIndex(o, from, scale, exact), 1]])) };
}

// Position in the input of output o. Linear modes hold it inside; cubic ones repeat the border elements instead.
function position(o: number, from: number, to: number, factor: number | undefined, align: boolean): number {
  return align ? cornerPosition(o, from, to) : (o + 0.5) * (factor === undefined ? from / to : 1 / factor) - 0.5;
}

function neighborMap(
  taps: (position: number, from: number) => Tap[],
  from: number,
  to: number,
  factor: number | undefined,
  align: boolean,
): AxisMap {
  return { from, rows: Array.from({ length: to }, (_, o) => mapRow(taps(position(o, from, to, factor, align), from))) };
}

function axisMap(
  mode: InterpolateMode,
  dims: number,
  from: number,
  to: number,
  factor: number | undefined,
  align: boolean,
): AxisMap | undefined {
  switch (mode) {
    case "nearest":
    case "nearest-exact": {
      // For images, not for signals and volumes, PyTorch's "nearest" ignores the factor when the size stays or doubles.
      const used = mode === "nearest" && dims === 2 && (to === from || to === 2 * from) ? undefined : factor;
      return from === to && (used ?? 1) === 1 ? undefined : nearestMap(from, to, used, mode === "nearest-exact");
    }
    case "bicubic":
      return from === to && (align || (factor ?? 1) === 1) ? undefined : neighborMap(cubicTaps, from, to, factor, align);
    default:
      // These copy an axis that keeps its size, whatever the factor was.
      if (from === to) return undefined;
      return mode === "area" ? areaMap(from, to) : neighborMap(linearTaps, from, to, factor, align);
  }
}

/** Shape rule and weights of `interpolate`. Throws `ShapeError`, `TensorTooLargeError`, and `ConfigError` for options that do not fit together. */
export function interpolateShape(
  x: Shape,
  { size, scaleFactor, recomputeScaleFactor = false, mode = "nearest", alignCorners }: InterpolateOptions,
): InterpolateGeometry {
  const op = "interpolate";
  const dims = x.length - 2;
  if (dims < 1 || dims > 3)
    throw new ShapeError(`${op}: input must be [N, C, spatial…] with 1 to 3 spatial axes, got ${showShape(x)}`);
  expectWord(op, "mode", mode, axesOf);
  if (!axesOf[mode].includes(dims)) {
    throw new ShapeError(
      `${op}: mode ${mode} is for ${axesOf[mode].join(" or ")} spatial axes, the input ${showShape(x)} has ${dims}`,
    );
  }
  if (alignCorners !== undefined && axesOf[mode].length > 1) {
    throw new ConfigError(`${op}: alignCorners has no meaning for mode ${mode}; leave it out`);
  }
  if ((size === undefined) === (scaleFactor === undefined)) throw new ConfigError(`${op}: give either size or scaleFactor`);
  if (recomputeScaleFactor && scaleFactor === undefined)
    throw new ConfigError(`${op}: recomputeScaleFactor needs a scaleFactor, not a size`);
  const from = x.slice(2);
  if (from.some((n) => n < 1)) throw new ShapeError(`${op}: the input ${showShape(x)} has an empty spatial axis`);
  let to: number[];
  let factors: readonly number[] | undefined;
  if (size === undefined) {
    factors = typeof scaleFactor === "number" ? new Array<number>(dims).fill(scaleFactor) : scaleFactor!;
    if (factors.length !== dims)
      throw new ShapeError(`${op}: scaleFactor has ${factors.length} entries for ${dims} spatial axes`);
    to = from.map((n, i) => Math.floor(n * factors![i]));
    if (to.some((n) => !(n >= 1))) {
      throw new ShapeError(
        `${op}: scaleFactor ${showShape(factors)} makes ${showShape(to)} of the input size ${showShape(from)}`,
      );
    }
  } else {
    to = spatial(op, "size", size, dims, 1);
  }
  expectMapped(op, to);
  return {
    outShape: [x[0], x[1], ...to],
    maps: from.map((n, i) =>
      axisMap(mode, dims, n, to[i], recomputeScaleFactor ? undefined : factors?.[i], alignCorners ?? false),
    ),
  };
}
