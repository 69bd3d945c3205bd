/** @file A patch of an item: its arrays cut at one place. TorchIO's subjects are items here, their images arrays `[C, x, y, z]`. */

import { expectFull } from "../../host/kinds.ts";
import type { HostArray } from "../../host/array.ts";
import { ConfigError, ShapeError } from "../../host/errors.ts";
import { cropToBox } from "../nnunet/crop.ts";
import type { Item } from "../transforms/transform.ts";
import { makeVolume, type Volume } from "../volume.ts";

/** First positions x, y, z of a patch, then its last positions + 1. */
export type Location = readonly [number, number, number, number, number, number];

/** One number for three axes, or three. @throws ConfigError for anything but whole numbers from `least` up */
export function triplet(name: string, value: number | readonly number[], least: number): number[] {
  const list = typeof value === "number" ? [value, value, value] : Array.isArray(value) ? [...value] : [];
  if (list.length !== 3 || list.some((v) => !Number.isInteger(v) || v < least))
    throw new ConfigError(`${name} is ${JSON.stringify(value)}; expected one or three whole numbers from ${least} up`);
  return list;
}

/** The images of an item. */
export function arraysOf(item: Item): [string, HostArray][] {
  return Object.entries(item).filter((entry): entry is [string, HostArray] => {
    const value = entry[1] as Partial<HostArray> | null | undefined;
    return typeof value === "object" && value !== null && ArrayBuffer.isView(value.data) && value.shape?.length === 4;
  });
}

/** The spatial shape that all images of an item have. @throws ShapeError if they differ or there is none */
export function spatialShapeOf(op: string, item: Item): readonly number[] {
  const arrays = arraysOf(item);
  if (arrays.length === 0)
    throw new ShapeError(
      `${op}: the item has no image [C, x, y, z] (its keys: ${Object.keys(item).join(", ")}); load files first`,
    );
  const [[firstKey, first]] = arrays;
  for (const [key, x] of arrays) {
    expectFull(op, `item.${key}`, x);
    const { shape } = x;
    if (shape.slice(1).join() !== first.shape.slice(1).join())
      throw new ShapeError(`${op}: "${key}" is [${shape}], "${firstKey}" [${first.shape}]; their spatial shapes must be equal`);
  }
  return first.shape.slice(1);
}

/** An item with its images cut at a location, which is noted under `location`. Affines are kept true. */
export function cropItem(item: Item, location: Location): Item {
  const box = [0, 1, 2].map((a) => [location[a], location[a + 3]] as const);
  const cut = arraysOf(item).map(([key, x]) => {
    const part = cropToBox(x, box);
    return [key, "affine" in x ? moved(x as Volume, part, box) : part] as const;
  });
  return { ...item, ...Object.fromEntries(cut), location: [...location] };
}

function moved(volume: Volume, part: HostArray, box: readonly (readonly [number, number])[]): Volume {
  const affine = volume.affine.map((row, r) =>
    r === 3 ? row : [row[0], row[1], row[2], row[3] + box.reduce((sum, [from], a) => sum + row[a] * from, 0)],
  );
  return makeVolume(part, affine, volume.meta);
}
