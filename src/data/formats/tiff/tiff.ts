/** @file TIFF pictures as volumes: `[C, width, height, pages]`, samples as stored. */

import { failing } from "../../../host/bytes/budget.ts";
import { nativeNames } from "../../../host/elements.ts";
import { identityAffine, makeVolume } from "../../volume.ts";
import { dataAs } from "../cast.ts";
import type { ImageFormat } from "../format.ts";
import { stackOf } from "../stack.ts";

export const tiffFormat: ImageFormat = {
  title: "TIFF",
  endings: [".tif", ".tiff"],
  placeless: true,
  matches: (head) => /^(II[*+]\0|MM\0[*+])/.test(String.fromCharCode(...head.subarray(0, 4))),
  async read({ name, blob }) {
    const { decodeTiff } = await import("./decode.ts");
    const { data, shape, dtype, notes } = await decodeTiff(blob, failing(`readImage: ${name}`));
    return makeVolume({ data, shape }, identityAffine, {
      source: name,
      format: "tiff",
      dtype,
      units: "unknown",
      ...(shape[3] === 1 && { planar: true }),
      unplaced: true,
      notes: [...notes, "a picture has no geometry: pixels of 1 at the origin are assumed"],
    });
  },
  readAll: (files, options) => stackOf(tiffFormat, files, options),
  async write(volume, name, { dtype, compress = true }) {
    const { encodeTiff } = await import("./encode.ts");
    const data = dataAs("TIFF", volume, dtype, nativeNames);
    return [{ name, bytes: await encodeTiff(volume.shape, data, compress) }];
  },
};
