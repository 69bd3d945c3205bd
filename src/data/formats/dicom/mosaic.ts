/**
 * @file Mosaics of Siemens scanners: the slices of a volume side by side in one picture, a square grid of them by rows, with empty places at the end. They are
 * taken apart, and each gets the place it has. How many there are and which way they go stands in private elements alone; a mosaic without them stays a picture.
 */

import type { TypedArray } from "../../../host/array.ts";
import { csaValues } from "./csa.ts";
import type { DataSet } from "./elements.ts";
import { along, type FrameFacts, normalOf, type Vector } from "./frames.ts";
import type { FrameReader, PixelLayout, Plane } from "./pixel_layout.ts";

/** Slices of a volume that is no nonsense. */
const mostTiles = 1024;

/** How the slices lie in the picture. */
export interface Mosaic {
  /** Of the picture. */
  readonly picture: PixelLayout;
  /** Of the slices, one a frame. */
  readonly tiles: PixelLayout;
  /** Slices beside each other. */
  readonly across: number;
  /** The direction of their order; +1 along row × column, or −1. */
  readonly sense: 1 | -1;
  /** Seconds from one mosaic of a series to the next, if it says how long a repetition takes: each is acquired in one. */
  readonly seconds?: number;
}

/** The mosaic that an image is; undefined for others, also for mosaics that do not say how many slices they have, with a note. */
export function mosaicOf(data: DataSet, picture: PixelLayout, notes: string[]): Mosaic | undefined {
  if (!data.text("imageType")?.split("\\").includes("MOSAIC") || picture.frames > 1) return undefined;
  const csa = (name: string): string[] => csaValues(data.bytes("csaImageHeader"), name);
  const count = data.number("numberOfImagesInMosaic") ?? Number(csa("NumberOfImagesInMosaic")[0]);
  const across = Math.ceil(Math.sqrt(count));
  const whole =
    Number.isInteger(count) && count > 0 && count <= mostTiles && picture.rows % across === 0 && picture.columns % across === 0;
  if (!whole) {
    const problem = Number.isNaN(count) ? "nothing says how many" : `${count} do not fit it`;
    notes.push(`a Siemens mosaic: the slices of a volume side by side in one picture, as stored, for ${problem}`);
    return undefined;
  }
  const tiles = { ...picture, rows: picture.rows / across, columns: picture.columns / across, frames: count };
  const normal = csa("SliceNormalVector").map(Number);
  const known = normal.length === 3 && normal.every(Number.isFinite);
  const axes = data.numbers("imageOrientation");
  const [x, y, z] = normalOf([axes.slice(0, 3), axes.slice(3)] as unknown as [Vector, Vector]);
  if (!known) notes.push("a Siemens mosaic without SliceNormalVector: its slices are taken to ascend along row × column");
  const sense = known && normal[0] * x + normal[1] * y + normal[2] * z < 0 ? -1 : 1;
  const repetition = data.number("repetitionTime") ?? 0;
  return { picture, tiles, across, sense, ...(repetition > 0 && { seconds: repetition / 1000 }) };
}

/**
 * The facts of each slice. The picture's position is where its corner would be if the whole picture lay centered on the slice, so the corner of the first
 * slice is half of what the picture is wider and higher than a slice away from it.
 */
export function tileFacts({ picture, tiles, sense }: Mosaic, facts: FrameFacts): readonly FrameFacts[] {
  const { position, orientation, pixelSpacing } = facts;
  if (!position || !orientation || !pixelSpacing) return new Array<FrameFacts>(tiles.frames).fill(facts);
  const [row, column] = orientation;
  const right = ((picture.columns - tiles.columns) / 2) * pixelSpacing[1];
  const down = ((picture.rows - tiles.rows) / 2) * pixelSpacing[0];
  const corner = along(along(position, row, right), column, down);
  const distance = facts.sliceDistance ?? facts.sliceThickness ?? 1;
  const normal = normalOf(orientation);
  return Array.from({ length: tiles.frames }, (_, k) => ({ ...facts, position: along(corner, normal, sense * k * distance) }));
}

/** Reads slices out of the picture, which is kept until the last of them is read. */
export function tileReader({ picture, tiles, across }: Mosaic, read: FrameReader): FrameReader {
  let whole: Promise<Plane> | undefined;
  return async (frame) => {
    const kept = (whole ??= read(0));
    if (frame === tiles.frames - 1) whole = undefined;
    const { data, planar } = await kept;
    const planes = planar ? tiles.samples : 1;
    const pixel = tiles.samples / planes;
    const [width, height] = [tiles.columns * pixel, tiles.rows];
    const corner = Math.floor(frame / across) * height * picture.columns * pixel + (frame % across) * width;
    const out: TypedArray = data.slice(0, width * height * planes);
    for (let plane = 0; plane < planes; plane++) {
      for (let y = 0; y < height; y++) {
        const from = corner + (plane * picture.rows + y) * picture.columns * pixel;
        out.set(data.subarray(from, from + width), (plane * height + y) * width);
      }
    }
    return { data: out, planar };
  };
}
