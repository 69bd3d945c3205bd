/** @file What segmenting gives, as files of a store. */

import { encodeNiftiChannels } from "../../data/formats/nifti/nifti.ts";
import { writeImage } from "../../data/formats/read_image.ts";
import { withGeometryOf } from "../../data/volume.ts";
import { deflatePieces } from "../../host/bytes/inflate.ts";
import { ConfigError } from "../../host/errors.ts";
import { expectFields } from "../../host/kinds.ts";
import { scoresInMemory } from "../inference/score_map.ts";
import type { Segmented } from "./segment.ts";
import { expectStore, type RunStore, writePieces } from "./store.ts";

/**
 * Writes a label map in the geometry of its image, as the ending of `file`, its name in the store, says.
 * @throws ConfigError for an ending of no format that is written, ShapeError for an image that the format cannot hold
 */
export async function writePrediction(store: RunStore, file: string, found: Segmented): Promise<void> {
  expectStore("writePrediction", store);
  expectFields("writePrediction", "found", found, { source: "object", labels: "array" });
  const { source, labels } = found;
  const dtype = labels.data instanceof Uint8Array ? "u8" : /\.png$/i.test(file) ? "u16" : "i32";
  const written = await writeImage(file, withGeometryOf(source.image, labels), { dtype });
  for (const { name, bytes } of written.toReversed()) await store.write(name, bytes);
}

/**
 * Writes probabilities as NIfTI of several channels in the geometry of their image, a channel at a time. Throws `ConfigError` if they were not asked for.
 * `file` is its name in the store.
 */
export async function writeProbabilities(store: RunStore, file: string, found: Segmented): Promise<void> {
  expectStore("writeProbabilities", store);
  expectFields("writeProbabilities", "found", found, { source: "object", probabilities: "array?" });
  const { id, source, probabilities } = found;
  const map = found.probabilityMap ?? (probabilities && scoresInMemory(probabilities));
  if (!map) throw new ConfigError(`case "${id}" was segmented without probabilities`);
  await writePieces(store, file, deflatePieces(encodeNiftiChannels(source.image, map.channels, map.channel), "gzip"));
}
