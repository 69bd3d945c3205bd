/** @file The place of a volume as a file has it: in mm where the format knows no other unit, in two axes where the image came from two. */

import { type Affine, spacingOf, type SpaceUnit, type Volume } from "../volume.ts";

/** Millimeters in a unit; one that is unknown is taken for mm, as all readers do. */
const millimeters: Readonly<Record<SpaceUnit, number>> = { mm: 1, unknown: 1, um: 1e-3, m: 1e3 };

/** For formats whose lengths are in mm. */
export function inMillimeters({ affine, units = "mm" }: Volume): {
  readonly affine: Affine;
  readonly spacing: readonly number[];
} {
  const factor = millimeters[units];
  const scaled = affine.map((row, r) => (r < 3 ? row.map((v) => v * factor) : row));
  return { affine: scaled, spacing: spacingOf(scaled) };
}

/** Whether a volume is one slice of a file with two axes. */
export const isPlanar = ({ shape, meta }: Volume): boolean => meta.planar === true && shape[3] === 1;

/** Whether it also lies as one whose third axis nobody states. */
export const liesFlat = (volume: Volume): boolean =>
  isPlanar(volume) &&
  [0, 1].every((i) => volume.affine[2][i] === 0 && volume.affine[i][2] === 0) &&
  volume.affine[2][2] === 1 &&
  volume.affine[2][3] === 0;
