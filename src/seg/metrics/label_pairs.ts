/** @file Voxels of two label maps counted by pairs of values, in one pass for all classes and regions. */

import { expectArguments } from "../../host/kinds.ts";
import type { HostArray } from "../../host/array.ts";
import { ShapeError } from "../../host/errors.ts";
import { sameShape, showShape } from "../../host/shape.ts";
import type { Confusion } from "./confusion_matrix.ts";

interface Pair {
  readonly prediction: number;
  readonly truth: number;
  voxels: number;
}

/** How often each value of a prediction meets each value of the truth. */
export class LabelPairs {
  private readonly pairs: readonly Pair[];

  /**
   * @param ignore truth value of voxels that do not count
   * @throws ShapeError
   */
  constructor(op: string, prediction: HostArray, truth: HostArray, ignore?: number) {
    expectArguments(op, "array", { prediction, truth });
    if (!sameShape(prediction.shape, truth.shape))
      throw new ShapeError(
        `${op}: the prediction has the shape ${showShape(prediction.shape)}, the truth ${showShape(truth.shape)}`,
      );
    const rows = new Map<number, Map<number, Pair>>();
    let last: Pair | undefined;
    for (let i = 0; i < truth.data.length; i++) {
      const [p, t] = [prediction.data[i], truth.data[i]];
      // Labels come in runs: most voxels are as the one before.
      if (last === undefined || last.prediction !== p || last.truth !== t) {
        let row = rows.get(p);
        if (row === undefined) rows.set(p, (row = new Map()));
        last = row.get(t);
        if (last === undefined) row.set(t, (last = { prediction: p, truth: t, voxels: 0 }));
      }
      last.voxels++;
    }
    this.pairs = [...rows.values()].flatMap((row) => [...row.values()]).filter(({ truth: t }) => t !== ignore);
  }

  /** Counts of a class or region: of the voxels whose value is among `values`. */
  confusion(values: readonly number[]): Confusion {
    const inside = new Set(values);
    let [tp, fp, tn, fn] = [0, 0, 0, 0];
    for (const { prediction, truth, voxels } of this.pairs) {
      const [p, t] = [inside.has(prediction), inside.has(truth)];
      if (p && t) tp += voxels;
      else if (p) fp += voxels;
      else if (t) fn += voxels;
      else tn += voxels;
    }
    return { tp, fp, tn, fn };
  }

  /** Voxels of one pair of values. */
  voxels(prediction: number, truth: number): number {
    return this.pairs.find((p) => p.prediction === prediction && p.truth === truth)?.voxels ?? 0;
  }

  /** Voxels of each value of one of the maps. */
  totals(of: "prediction" | "truth"): ReadonlyMap<number, number> {
    const sums = new Map<number, number>();
    for (const pair of this.pairs) sums.set(pair[of], (sums.get(pair[of]) ?? 0) + pair.voxels);
    return sums;
  }

  /** Values of the truth that are not 0 and not ignored, in order. */
  truthValues(): number[] {
    return [...new Set(this.pairs.map((p) => p.truth))].filter((v) => v !== 0).sort((a, b) => a - b);
  }
}
