/** @file Detection in the report of a run whose segmenter finds things: candidates of each case against the list of the dataset, or the components of its mask. */

import { nodulesOfMask } from "../../data/nodules/mask_nodules.ts";
import { type DetectionSummary, detectionSummary, lunaRates, matchCandidates } from "../metrics/detection.ts";
import type { Detections } from "../metrics/froc.ts";
import { curveSvg } from "../pictures/pictures.ts";
import { files } from "./files.ts";
import type { Segmented } from "./segment.ts";
import type { RunStore } from "./store.ts";

/** Matches cases one by one, so that none is kept. */
export class DetectionTally {
  private readonly matches: Detections[] = [];
  private readonly rows: string[] = ["id,x,y,z,diameter_mm,score"];

  /** Does nothing for cases without candidates to speak of, or without a truth. */
  add({ id, source, candidates }: Segmented): void {
    if (!candidates) return;
    for (const { center, diameter, score } of candidates)
      this.rows.push([id, ...[...center, diameter].map((v) => v.toFixed(2)), score.toFixed(4)].join(","));
    const targets = source.nodules ?? (source.label && nodulesOfMask(source.label));
    if (targets) this.matches.push(matchCandidates(candidates, targets));
  }

  /** The table of candidates (RAS mm), the curve, and what is said of all. Undefined for runs that look for nothing. */
  async write(store: RunStore): Promise<DetectionSummary | undefined> {
    if (this.matches.length === 0) return undefined;
    const summary = detectionSummary(this.matches);
    await store.write(files.candidates, `${this.rows.join("\n")}\n`);
    const most = Math.max(...lunaRates);
    const points = summary.curve.filter(([x]) => x <= most);
    const series = [{ name: `${summary.targets} targets in ${summary.images} scans`, points: [...points, [most, summary.sensitivity] as const] }];
    const axes = { xLabel: "false positives per scan", yLabel: "sensitivity", yRange: [0, 1] as const };
    await store.write(files.frocCurve, curveSvg(series, { title: "Free-response curve", ...axes }));
    return summary;
  }
}
