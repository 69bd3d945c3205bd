/** @file What networks refuse alike: numbers of axes that they do not take, and images that their strides do not divide. */

import { ConfigError, ShapeError } from "../../host/errors.ts";
import { showShape, type Spatial, spatial } from "../../host/shape.ts";
import type { Tensor } from "../../tensor/tensor.ts";

/** Throws `ConfigError` for another number of spatial axes, which JavaScript can ask for. */
export function expectSpatialDims(op: string, spatialDims: number, allowed: readonly number[] = [1, 2, 3]): void {
  if (allowed.includes(spatialDims)) return;
  const names = `${allowed.slice(0, -1).join(", ")} or ${allowed.at(-1)}`;
  throw new ConfigError(`${op}: spatialDims must be ${names}, got ${String(spatialDims)}`);
}

/** The product of strides along each axis. Throws `ShapeError` for strides of other axes. */
export function strideProducts(op: string, strides: readonly Spatial[], spatialDims: number): number[] {
  const steps = strides.map((s) => spatial(op, "strides", s, spatialDims, 1));
  return Array.from({ length: spatialDims }, (_, axis) => steps.reduce((n, s) => n * s[axis], 1));
}

/**
 * Throws `ShapeError` unless the strides of a network divide its image.
 * @param multiples product of the strides along each axis
 * @param fits whether a size will do, for networks that are less strict
 */
export function expectMultiples(
  op: string,
  x: Tensor,
  multiples: readonly number[],
  fits = (size: number, axis: number): boolean => size % multiples[axis] === 0,
): void {
  if (x.shape.slice(2).every(fits)) return;
  const wanted = multiples.every((m) => m === multiples[0]) ? String(multiples[0]) : showShape(multiples);
  throw new ShapeError(
    `${op}: the spatial sizes of ${showShape(x.shape)} must be multiples of ${wanted}, the product of the strides; pad or crop it`,
  );
}
