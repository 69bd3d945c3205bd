/** @file The evaluation of the CHAOS challenge (Kavur et al. 2021). */

import { expectArguments } from "../../host/kinds.ts";
import { expectOptions } from "../../host/options.ts";
import { type CaseMetric, caseMetricsNamed } from "./case_metrics.ts";
import type { HostArray, TypedArray } from "../../host/array.ts";
import { ShapeError } from "../../host/errors.ts";
import { sameShape, showShape } from "../../host/shape.ts";
import { hausdorffOf } from "./hausdorff_distance.ts";
import { averageDistanceOf } from "./surface_distance.ts";
import { SurfacePair } from "./surfaces.ts";

/** The four numbers of the CHAOS challenge. */
export interface ChaosMetrics {
  /** Dice coefficient, 0 to 1. */
  readonly dice: number;
  /** Relative absolute volume difference in percent of the reference. */
  readonly ravd: number;
  /** Average and maximum symmetric surface distance, in the unit of the spacing. */
  readonly assd: number;
  /** Maximum symmetric surface distance, in the unit of the spacing. */
  readonly mssd: number;
}

const maskOf = (data: TypedArray): Uint8Array => {
  const mask = new Uint8Array(data.length);
  for (let i = 0; i < mask.length; i++) mask[i] = data[i] === 0 ? 0 : 1;
  return mask;
};

/**
 * Scores of one organ as the CHAOS challenge gives them. A mask that meets the end of the volume has no edge there.
 * @param prediction what is not 0 belongs to the organ; 1 to 3 axes
 * @param reference of the same shape
 * @param spacing size of a voxel along each axis
 * @throws ShapeError, ConfigError
 */
export function computeChaosMetrics(
  prediction: HostArray,
  reference: HostArray,
  options: { readonly spacing?: number | readonly number[] } = {},
): ChaosMetrics {
  expectOptions("computeChaosMetrics", options, "spacing:spread");
  expectArguments("computeChaosMetrics", "array", { prediction, reference });
  const { spacing } = options;
  const { shape } = reference;
  if (!sameShape(prediction.shape, shape))
    throw new ShapeError(
      `computeChaosMetrics: the prediction has the shape ${showShape(prediction.shape)}, the reference ${showShape(shape)}`,
    );
  const [p, r] = [prediction, reference].map((a) => maskOf(a.data));
  let [both, found, wanted] = [0, 0, 0];
  for (let i = 0; i < r.length; i++) {
    found += p[i];
    wanted += r[i];
    both += p[i] & r[i];
  }
  const pair = new SurfacePair(p, r, shape, { spacing, border: "inside" });
  return {
    dice: (2 * both) / (found + wanted),
    ravd: (100 * Math.abs(wanted - found)) / wanted,
    assd: averageDistanceOf(pair, true),
    mssd: hausdorffOf(pair),
  };
}

/** The challenge's scores as metrics of a case: Dice, RAVD in percent, ASSD and MSSD in millimeters. */
export const chaosScores: readonly CaseMetric[] = [
  .../* @__PURE__ */ caseMetricsNamed(["dice", "ravd"]),
  { name: "assd", unit: "mm", best: 0, of: ({ openSurfaces }) => averageDistanceOf(openSurfaces, true) },
  { name: "mssd", unit: "mm", best: 0, of: ({ openSurfaces }) => hausdorffOf(openSurfaces) },
];
