/** @file The three ways of cutting a volume into slices, as QuickNAT names and orders them. */

import type { HostArray, TypedArray } from "../host/array.ts";
import { ConfigError, ShapeError } from "../host/errors.ts";
import { stridesOf } from "../host/shape.ts";
import { copyView } from "../host/strided.ts";

/** Coronal, axial and sagittal slices. */
export type SliceOrientation = "COR" | "AXI" | "SAG";

/** For each view the axes of the volume that become slice, row and column. */
const axesOf: Readonly<Record<SliceOrientation, readonly [number, number, number]>> = {
  COR: [2, 0, 1],
  AXI: [1, 2, 0],
  SAG: [0, 1, 2],
};

/** The axes of a volume `[X, Y, Z]` that are slice, row and column in a view. @throws ConfigError for an unknown one */
export function orientationAxes(orientation: SliceOrientation): readonly [number, number, number] {
  const axes = Object.hasOwn(axesOf, orientation) ? axesOf[orientation] : undefined;
  if (!axes) throw new ConfigError(`orientation must be "COR", "AXI" or "SAG", got ${JSON.stringify(orientation)}`);
  return axes;
}

/**
 * A volume `[X, Y, Z]`, as FreeSurfer's conform writes it, as a stack of slices `[slice, row, column]` of a view.
 * @throws ShapeError, ConfigError for an unknown view
 */
export function rotateOrientation<A extends TypedArray>(volume: HostArray<A>, orientation: SliceOrientation): HostArray<A> {
  const axes = orientationAxes(orientation);
  if (volume.shape.length !== 3) throw new ShapeError(`rotateOrientation: the volume is [${volume.shape}]; expected [X, Y, Z]`);
  const strides = stridesOf(volume.shape);
  return copyView(
    volume.data,
    axes.map((a) => volume.shape[a]),
    axes.map((a) => strides[a]),
    0,
  );
}
