/** @file Curves of loss and Dice on training and validation samples, of the recipes that count. */

import { curveSvg, type Series } from "../pictures/curves.ts";
import { type EpochMetrics, files, type SampleScore } from "./files.ts";
import type { RunStore } from "./store.ts";

type Scored = EpochMetrics & { readonly samples: NonNullable<EpochMetrics["samples"]> };

/** Writes them if there are any; returns their files. */
export async function writeSampleCurves(
  store: RunStore,
  epochs: readonly EpochMetrics[],
  classes: readonly string[],
): Promise<string[]> {
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
  const loss = curveSvg(
    series("", (s) => s.loss),
    { title: "Loss of samples", xLabel: "epoch", yLabel: "loss" },
  );
  const dice = curveSvg(
    classes.flatMap((name, c) => series(classes.length > 1 ? `${name} ` : "", (s) => s.dice[c])),
    { title: "Dice of samples", xLabel: "epoch", yLabel: "Dice", yRange: [0, 1] },
  );
  await store.write(files.sampleLossCurve, loss);
  await store.write(files.sampleDiceCurve, dice);
  return [files.sampleLossCurve, files.sampleDiceCurve];
}
