/** @file TIFF pictures as volumes: `[C, width, height, slices]`, samples as stored; pages are slices, unless a description says that some are channels. */

import { failing } from "../../../host/bytes/budget.ts";
import { nativeNames } from "../../../host/elements.ts";
import { identityAffine, makeVolume } from "../../volume.ts";
import { dataAs } from "../cast.ts";
import type { ImageFormat } from "../format.ts";
import { stackOf } from "../stack.ts";
import { decodeTiff } from "./decode.ts";
import { encodeTiff } from "./encode.ts";

export const tiffFormat: ImageFormat = {
  title: "TIFF",
  endings: [".tif", ".tiff"],
  placeless: true,
  matches: (head) => /^(II[*+]\0|MM\0[*+])/.test(String.fromCharCode(...head.subarray(0, 4))),
  async read({ name, blob }) {
    const {
      data,
      shape,
      dtype,
      notes,
      spacing = [1, 1, 1],
      units,
      timeStep,
    } = await decodeTiff(blob, failing(`readImage: ${name}`));
    const affine = identityAffine.map((row, r) => row.map((v) => v * (spacing[r] ?? 1)));
    const place = units
      ? "the sizes of voxels are those of the description; how they lie in space a picture does not say"
      : "a picture has no geometry: pixels of 1 at the origin are assumed";
    return makeVolume({ data, shape }, affine, {
      source: name,
      format: "tiff",
      dtype,
      units: units ?? "unknown",
      ...(timeStep !== undefined && { timeStep }),
      ...(shape[3] === 1 && { planar: true }),
      unplaced: true,
      notes: [...notes, place],
    });
  },
  readAll: (files, options) => stackOf(tiffFormat, files, options),
  async write(volume, name, { dtype, compress = true }) {
    const data = dataAs("TIFF", volume, dtype, nativeNames);
    const { spacing: sides, meta } = volume;
    const units = volume.units ?? meta.units ?? "mm";
    // A picture's pixels have no size that it could be told of.
    const voxel = units === "unknown" ? undefined : { sides, units };
    return [{ name, bytes: await encodeTiff(volume.shape, data, compress, voxel) }];
  },
};
