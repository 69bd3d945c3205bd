/** @file Whether a volume goes into a file as an image of two axes. */

import type { Volume } from "../volume.ts";

/** Whether a volume is one slice of a file with two axes. */
export const isPlanar = ({ shape, meta }: Volume): boolean => meta.planar === true && shape[3] === 1;

/** Whether it also lies as one whose third axis nobody states. */
export const liesFlat = (volume: Volume): boolean =>
  isPlanar(volume) &&
  [0, 1].every((i) => volume.affine[2][i] === 0 && volume.affine[i][2] === 0) &&
  volume.affine[2][2] === 1 &&
  volume.affine[2][3] === 0;
