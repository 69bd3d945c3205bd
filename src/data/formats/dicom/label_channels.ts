/** @file Which classes the voxels of labels are of: by their values in a label map, by their channel where each class has a mask. */

import { DataError } from "../../../host/errors.ts";
import { sizeOf } from "../../../host/array.ts";
import { foregroundOf, type LabelClass } from "../../labels.ts";
import type { Volume } from "../../volume.ts";

/** The classes beside the background, and a walk over their voxels. */
export interface Foreground {
  readonly classes: readonly LabelClass[];
  /** Calls `see` for the classes of a voxel, by their places in `classes`. @throws DataError for a value of no class */
  at(voxel: number, see: (place: number) => void): void;
}

/** @throws DataError for masks that are not as many as the classes, and where there is no class */
export function foregroundIn({ data, shape }: Volume, all: readonly LabelClass[], op: string): Foreground {
  const classes = foregroundOf(all);
  if (classes.length === 0) throw new DataError(`${op}: there is no class beside the background`);
  const voxels = sizeOf(shape.slice(1));
  if (shape[0] > 1) {
    if (shape[0] !== classes.length)
      throw new DataError(`${op}: ${shape[0]} masks for ${classes.length} classes: ${classes.map((c) => c.name).join(", ")}`);
    const at: Foreground["at"] = (voxel, see) => {
      for (let c = 0; c < classes.length; c++) if (data[c * voxels + voxel] !== 0) see(c);
    };
    return { classes, at };
  }
  const places = new Map<number, number[]>();
  for (const { values } of all) for (const v of values) places.set(v, []);
  for (const [c, { values }] of classes.entries()) for (const v of values) places.get(v)!.push(c);
  const at: Foreground["at"] = (voxel, see) => {
    const value = data[voxel];
    if (value === 0) return;
    const found = places.get(value);
    if (!found) throw new DataError(`${op}: the labels have the value ${value}, which is no class's`);
    for (const c of found) see(c);
  };
  return { classes, at };
}
