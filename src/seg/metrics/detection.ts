/**
 * @file Detection of round things such as nodules by LUNA16's rule (Setio et al., Medical Image Analysis 42, 2017): a candidate hits a target when its
 * middle lies within the target's radius; a target that several hit counts once, with the best of them, and the others count as nothing.
 */

import { expectItems, expectFields } from "../../host/kinds.ts";
import { counted } from "../../host/text.ts";
import { ShapeError } from "../../host/errors.ts";
import { computeFrocCurveData, computeFrocScore, type Detections } from "./froc.ts";

/** Something that was found. Lengths are in voxels or mm, as whoever hands it on says. */
export interface Candidate {
  /** Along each axis. */
  readonly center: readonly number[];
  /** In the same unit. */
  readonly diameter: number;
  /** How sure, above 0 and at most 1. */
  readonly score: number;
}

/** Something that is there. */
export type DetectionTarget = Pick<Candidate, "center" | "diameter">;

/** Sorts the candidates of an image into hits and false positives. Lengths of both in one unit. @throws ShapeError for different numbers of axes */
export function matchCandidates(candidates: readonly Candidate[], targets: readonly DetectionTarget[]): Detections {
  expectItems("matchCandidates", "candidates", candidates, { center: "numbers", diameter: "number", score: "number" });
  expectItems("matchCandidates", "targets", targets, { center: "numbers", diameter: "number" });
  const tpProbs = targets.map(() => 0);
  const fpProbs: number[] = [];
  for (const { center, score } of candidates) {
    let [hit, nearest] = [-1, Infinity];
    for (const [t, target] of targets.entries()) {
      if (target.center.length !== center.length)
        throw new ShapeError(`matchCandidates: a candidate has ${center.length} axes, a target ${target.center.length}`);
      const distance = Math.hypot(...center.map((c, a) => c - target.center[a]));
      if (distance <= target.diameter / 2 && distance < nearest) [hit, nearest] = [t, distance];
    }
    if (hit < 0) fpProbs.push(score);
    else tpProbs[hit] = Math.max(tpProbs[hit], score);
  }
  return { fpProbs, tpProbs, numTargets: targets.length };
}

/** The false positives per image at which LUNA16 averages the sensitivity. */
export const lunaRates: readonly number[] = [1 / 8, 1 / 4, 1 / 2, 1, 2, 4, 8];

/** What is said of a detector on some images. */
export interface DetectionSummary {
  /** How many images there were. */
  readonly images: number;
  /** How many things were to be found. */
  readonly targets: number;
  /** Of all candidates, whatever their scores. */
  readonly sensitivity: number;
  /** Of all candidates, whatever their scores. */
  readonly falsePositivesPerImage: number;
  /** Sensitivities at `lunaRates`, between points of the curve in proportion, and their mean. */
  readonly atRates: readonly number[];
  /** Mean of `atRates`. */
  readonly froc: number;
  /** False positives per image and sensitivity as the threshold falls, from 0, 0. */
  readonly curve: readonly (readonly [falsePositives: number, sensitivity: number])[];
}

/** Sums up the matches of all images; NaN sensitivities where there is no target. */
export function summarizeDetections(matches: readonly Detections[]): DetectionSummary {
  expectItems("summarizeDetections", "matches", matches, { fpProbs: "numbers", tpProbs: "numbers", numTargets: "number" });
  const images = matches.length;
  const targets = matches.reduce((n, m) => n + m.numTargets, 0);
  const [fp, tp] = [matches.flatMap((m) => m.fpProbs), matches.flatMap((m) => m.tpProbs)];
  // The curve leaves out the lowest threshold, which is meant to be the 0 of what was missed; with one more 0 it always is.
  const { fpsPerImage, totalSensitivity } = computeFrocCurveData(fp, [...tp, 0], targets, images);
  const atRates = lunaRates.map((rate) => computeFrocScore(fpsPerImage, totalSensitivity, [rate]));
  return {
    images,
    targets,
    sensitivity: tp.filter((score) => score > 0).length / targets,
    falsePositivesPerImage: fp.length / images,
    atRates,
    froc: atRates.reduce((sum, v) => sum + v, 0) / atRates.length,
    curve: fpsPerImage.map((x, i) => [x, totalSensitivity[i]] as const).toReversed(),
  };
}

/** Lines such as `sensitivity at 0.125 … 8 false positives per scan: 0.812 …`. */
export function detectionLines(summary: DetectionSummary): string[] {
  expectFields("detectionLines", "summary", summary, { images: "number", sensitivity: "number", atRates: "numbers" });
  const { images, targets, sensitivity, falsePositivesPerImage, atRates, froc } = summary;
  const rates = lunaRates.map((rate, i) => `${atRates[i].toFixed(3)} at ${rate}`).join(", ");
  return [
    `${counted(images, "scan")} with ${counted(targets, "target")}: of all candidates ${sensitivity.toFixed(3)} sensitivity, ${falsePositivesPerImage.toFixed(2)} false positives per scan`,
    `sensitivity by false positives per scan: ${rates}; mean (FROC) ${froc.toFixed(3)}`,
  ];
}
