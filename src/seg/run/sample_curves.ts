/** @file Curves of loss and Dice on training and validation samples, of the recipes that count. */

import { curveSvg, type Series } from "../pictures/curves.ts";
import { type EpochMetrics, files, type SampleScore } from "./files.ts";

type Scored = EpochMetrics & { readonly samples: NonNullable<EpochMetrics["samples"]> };

/** The curves that some epochs give, with their files; none of runs whose samples were not scored. */
export function sampleCurvesOf(
  epochs: readonly EpochMetrics[],
  classes: readonly string[],
): { readonly file: string; readonly svg: string }[] {
  const scored = epochs.filter((e): e is Scored => e.samples !== undefined);
  if (scored.length === 0) return [];
  const networks = Object.keys(scored[0].samples);
  const series = (name: string, value: (score: SampleScore) => number | null): Series[] =>
    networks.flatMap((network) =>
      (["train", "val"] as const).map((part) => ({
        name: `${networks.length > 1 ? `${network} ` : ""}${name}${part === "train" ? "training" : "validation"}`,
        points: scored.map((e) => [e.epoch, value(e.samples[network][part]) ?? NaN] as const),
      })),
    );
  const loss = series("", (s) => s.loss);
  const dice = classes.flatMap((name, c) => series(classes.length > 1 ? `${name} ` : "", (s) => s.dice[c]));
  const options = { title: "Dice of samples", xLabel: "epoch", yLabel: "Dice", yRange: [0, 1] as const };
  return [
    { file: files.sampleLossCurve, svg: curveSvg(loss, { title: "Loss of samples", xLabel: "epoch", yLabel: "loss" }) },
    { file: files.sampleDiceCurve, svg: curveSvg(dice, options) },
  ];
}
