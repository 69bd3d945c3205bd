/** @file PNG pictures as slices: `[C, width, height, 1]`, samples as stored. */

import { encodePng } from "../../../host/bytes/png.ts";
import { failing } from "../../../host/bytes/budget.ts";
import { ShapeError } from "../../../host/errors.ts";
import { dataAs } from "../cast.ts";
import type { ImageFormat } from "../format.ts";
import { rasterOfVolume, volumeOfRaster } from "../picture.ts";
import { stackOf } from "../stack.ts";
import { decodePng } from "./decode.ts";

const signature = [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a];

export const pngFormat: ImageFormat = {
  title: "PNG",
  endings: [".png"],
  placeless: true,
  matches: (head) => signature.every((b, i) => head[i] === b),
  async read({ name, blob }) {
    const { palette, ...raster } = await decodePng(new Uint8Array(await blob.arrayBuffer()), failing(`readImage: ${name}`));
    return volumeOfRaster(raster, { source: name, format: "png", ...(palette && { fields: { palette } }) });
  },
  readAll: (files, options) => stackOf(pngFormat, files, options),
  async write(volume, name, { dtype }) {
    const [channels, width, height, slices] = volume.shape;
    if (slices !== 1 || channels > 4) {
      throw new ShapeError(
        `writeImage: ${name}: a PNG is one slice of 1 to 4 channels, the volume has the shape [${volume.shape}]; write slices apart`,
      );
    }
    const data = dataAs("PNG", volume, dtype, ["u8", "u16"]) as Uint8Array | Uint16Array;
    const raster = rasterOfVolume(volume, data);
    return [
      {
        name,
        bytes: await encodePng({
          width,
          height,
          channels: channels as 1 | 2 | 3 | 4,
          data: raster.data as Uint8Array | Uint16Array,
        }),
      },
    ];
  },
};
