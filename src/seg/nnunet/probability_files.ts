/**
 * @file What Python's nnU-Net writes of a case with `--save_probabilities`, which its ensembles read: `<id>.npz` with the array `probabilities`
 * `[K, z, y, x]`, and `<id>.pkl` with what its writers need of the geometry.
 */

import { axisCodes, type Turn, turnArray, turnTo, turnVolume } from "../../data/axis_codes.ts";
import { encodeBlock } from "../../data/formats/voxel_block.ts";
import { npyHeader } from "../../data/formats/numpy/npy.ts";
import { type CaseProperties, nnunetArray } from "../../data/nnunet/preprocess.ts";
import type { Volume } from "../../data/volume.ts";
import { zipOfPieces } from "../../host/bytes/zip_pieces.ts";
import { stridesOf } from "../../host/shape.ts";
import { type TorchValue, writePickle } from "../../weights/torch/write.ts";
import type { ScoreMap } from "../inference/score_map.ts";

/** The turn of readers that bring every image to RAS, and predictions back. */
export const turnOfReader = (reader: string, image: Volume): Turn | undefined =>
  /^\w+IOWithReorient$/.test(reader) ? turnTo(image.affine, "RAS") : undefined;

/** Endings of the files. */
export const probabilityEndings = [".npz", ".pkl"] as const;

/**
 * The files by their endings, as they are written.
 * @param image as it was read
 * @param map probabilities `[x, y, z]` of each class there
 * @param reader nnU-Net's class that reads the images
 */
export function probabilityFiles(
  image: Volume,
  map: ScoreMap,
  reader: string,
  properties: CaseProperties,
): ReadonlyMap<string, () => AsyncIterable<Uint8Array>> {
  const turn = turnOfReader(reader, image);
  const seen = turn ? turnVolume(image, turn) : image;
  async function* pickle() {
    yield writePickle({
      ...geometryOf(reader, image, turn && seen),
      spacing: Float64Array.from(nnunetArray(seen).spacing),
      shape_before_cropping: properties.shapeBeforeCropping,
      bbox_used_for_cropping: properties.bboxUsedForCropping as TorchValue,
      shape_after_cropping_and_before_resampling: properties.shapeAfterCroppingAndBeforeResampling,
    });
  }
  return new Map<string, () => AsyncIterable<Uint8Array>>([
    [".npz", () => zipOfPieces("probabilities.npy", arrayOf(map, turn))],
    [".pkl", pickle],
  ]);
}

/** The `.npy` file of all classes, one at a time, with the axes turned around: x is the fastest. */
function* arrayOf(map: ScoreMap, turn: Turn | undefined): Generator<Uint8Array<ArrayBuffer>, void, undefined> {
  for (let c = 0; c < map.channels; c++) {
    const asRead = { data: map.channel(c), shape: [1, ...map.shape] };
    const { data, shape } = turn ? turnArray(asRead, turn) : asRead;
    const sizes = shape.slice(1);
    if (c === 0) yield npyHeader("f32", [map.channels, ...sizes.toReversed()]);
    yield encodeBlock(data, { sizes, strides: stridesOf(sizes) });
  }
}

/** The field that the reader's class keeps for its writer. */
function geometryOf(reader: string, image: Volume, turned: Volume | undefined): Readonly<Record<string, TorchValue>> {
  if (reader.startsWith("Nibabel")) {
    const rows = ({ affine }: Volume): TorchValue => affine.map((row) => Float64Array.from(row));
    return { nibabel_stuff: { original_affine: rows(image), ...(turned && { reoriented_affine: rows(turned) }) } };
  }
  if (!reader.startsWith("SimpleITK")) return {};
  const seen = turned ?? image;
  // ITK's axes go to the left and to the back where those of RAS go to the right and to the front.
  const lps = seen.affine.slice(0, 3).map((row, r) => (r < 2 ? row.map((v) => -v) : row));
  const axes = seen.meta.planar && seen.shape[3] === 1 ? [0, 1] : [0, 1, 2];
  const spacing = nnunetArray(seen).spacing.toReversed();
  const itk = {
    spacing: Float64Array.from(axes, (a) => spacing[a]),
    origin: Float64Array.from(axes, (r) => lps[r][3]),
    direction: Float64Array.from(axes.flatMap((r) => axes.map((a) => lps[r][a] / seen.spacing[a]))),
  };
  return { sitk_stuff: { ...itk, ...(turned && { original_orientation: axisCodes(image.affine) }) } };
}
