/** @file Pictures as volumes: `[C, width, height, 1]`, x to the right, y down as the rows go; without geometry. */

import { bytesOf, type TypedArray } from "../../host/array.ts";
import { nativeOf } from "../../host/elements.ts";
import { identityAffine, makeVolume, type Volume } from "../volume.ts";
import { encodeBlock, type FileOrder } from "./voxel_block.ts";
import { moveElements, bitsOf } from "./strided_move.ts";
import { stridesOf } from "../../host/shape.ts";

/** Samples as files have them: the channels of a pixel side by side, pixels in rows, rows from the top. */
export interface Raster {
  readonly width: number;
  readonly height: number;
  readonly channels: number;
  readonly data: TypedArray;
}

const orderOf = ({ width, height, channels }: Omit<Raster, "data">): FileOrder => ({
  sizes: [channels, width, height],
  strides: [width * height, height, 1],
});

/** The volume of a picture. */
export function volumeOfRaster(
  raster: Raster,
  meta: { readonly source: string; readonly format: string; readonly fields?: Volume["meta"]["fields"] },
): Volume {
  const { width, height, channels, data } = raster;
  const out = new (data.constructor as new (length: number) => TypedArray)(data.length);
  const { sizes, strides } = orderOf(raster);
  const inFile = stridesOf([...sizes].reverse()).reverse();
  const bits = (a: TypedArray) => bitsOf(bytesOf(a), a.BYTES_PER_ELEMENT);
  moveElements(
    bits(data),
    bits(out),
    sizes.map((size, a) => ({ size, from: inFile[a], to: strides[a] })),
    { from: 0, to: 0 },
  );
  return makeVolume({ data: out, shape: [channels, width, height, 1] }, identityAffine, {
    ...meta,
    dtype: nativeOf(data),
    units: "unknown",
    planar: true,
    unplaced: true,
    notes: ["a picture has no geometry: pixels of 1 at the origin are assumed"],
  });
}

/** The samples of a volume of one slice. */
export function rasterOfVolume({ shape: [channels, width, height] }: Volume, data: TypedArray): Raster {
  const bytes = encodeBlock(data, orderOf({ channels, width, height }));
  const ofType = data.constructor as new (buffer: ArrayBufferLike) => TypedArray;
  return { channels, width, height, data: new ofType(bytes.buffer) };
}
