/** @file Dice of stored label maps, class by class or region by region: what a run validates and reports. */

import { expectArguments, expectItems } from "../../host/kinds.ts";
import type { LabelClass } from "../../data/labels.ts";
import type { HostArray } from "../../host/array.ts";
import { ShapeError } from "../../host/errors.ts";

/**
 * Dice `2|P∩T| / (|P|+|T|)` of each of `foreground`, a voxel belonging to a class (or region) if its value is among the class's.
 * @param prediction stored label values `[1, …]`
 * @param truth of the same shape
 * @param ignore truth value of voxels that do not count
 * @returns a number per class; NaN where the truth has none of it
 * @throws ShapeError
 */
export function diceOfLabels(
  prediction: HostArray,
  truth: HostArray,
  foreground: readonly LabelClass[],
  ignore?: number,
): number[] {
  expectArguments("diceOfLabels", "array", { prediction, truth });
  expectItems("diceOfLabels", "foreground", foreground, { values: "numbers" });
  if (prediction.shape.join() !== truth.shape.join())
    throw new ShapeError(`the prediction has the size [${prediction.shape.slice(1)}], the truth [${truth.shape.slice(1)}]`);
  return foreground.map(({ values }) => {
    const inside = new Set(values);
    const empty = !inside.has(0);
    let both = 0;
    let sum = 0;
    let wanted = 0;
    for (let i = 0; i < truth.data.length; i++) {
      const [p, t] = [prediction.data[i], truth.data[i]];
      if ((p === 0 && t === 0 && empty) || t === ignore) continue; // most voxels
      const [inP, inT] = [inside.has(p), inside.has(t)];
      if (inT) wanted++;
      if (inP && inT) both++;
      sum += (inP ? 1 : 0) + (inT ? 1 : 0);
    }
    return wanted > 0 ? (2 * both) / sum : NaN;
  });
}
