/** @file Labels slice by slice of a series, as the pixels of each class: by their values in a label map, by their channel where each class has a mask. */

import { DataError } from "../../../host/errors.ts";
import { copyView } from "../../../host/strided.ts";
import { foregroundOf, type LabelClass } from "../../labels.ts";
import type { Volume } from "../../volume.ts";
import { type Source, stepsIn } from "./derived.ts";

/** The classes beside the background. @throws DataError where there is none, and for masks that are not as many */
export function foregroundIn({ shape }: Volume, all: readonly LabelClass[], op: string): LabelClass[] {
  const classes = foregroundOf(all);
  if (classes.length === 0) throw new DataError(`${op}: there is no class beside the background`);
  if (shape[0] > 1 && shape[0] !== classes.length)
    throw new DataError(`${op}: ${shape[0]} masks for ${classes.length} classes: ${classes.map((c) => c.name).join(", ")}`);
  return classes;
}

/** The pixels of each class that a slice has some of, by its place among the classes; pixels are counted along rows. */
export type PixelsOf = (slice: number) => ReadonlyMap<number, readonly number[]>;

/** @throws DataError for labels on other voxels than those of the series; what it gives, for a value of no class */
export function classPixels(labels: Volume, all: readonly LabelClass[], source: Source, op: string): PixelsOf {
  const { columns, rows } = source.slices[0].header.layout;
  const { first, along } = stepsIn(labels, source, op);
  const [channels, ...size] = labels.shape;
  const voxels = size[0] * size[1] * size[2];
  const pixels = rows * columns;
  const shape = [channels, source.slices.length, rows, columns];
  const { data } = copyView(labels.data, shape, [voxels, along[2], along[1], along[0]], first);
  const places = new Map<number, number[]>();
  for (const { values } of all) for (const v of values) places.set(v, []);
  for (const [c, { values }] of foregroundOf(all).entries()) for (const v of values) places.get(v)!.push(c);
  return (slice) => {
    const found = new Map<number, number[]>();
    const listsOf = (value: number, channel: number): number[][] => {
      const classes = channels > 1 ? [channel] : places.get(value);
      if (!classes) throw new DataError(`${op}: the labels have the value ${value}, which is no class's`);
      for (const c of classes) if (!found.has(c)) found.set(c, []);
      return classes.map((c) => found.get(c)!);
    };
    for (let channel = 0; channel < channels; channel++) {
      const begin = channel * voxels + slice * pixels;
      let [before, lists] = [0, [] as number[][]];
      for (let pixel = 0; pixel < pixels; pixel++) {
        const value = data[begin + pixel];
        if (value === 0) continue;
        if (channels > 1 && value !== 1)
          throw new DataError(
            `${op}: mask ${channel} has the value ${value}; expected 0 and 1, what is no mask is to be decided first`,
          );
        if (value !== before) [before, lists] = [value, listsOf(value, channel)];
        for (const list of lists) list.push(pixel);
      }
    }
    return found;
  };
}
