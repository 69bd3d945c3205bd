/** @file A case in columns: truth, prediction and image of each slice beside one another. */

import type { HostArray } from "../../host/array.ts";
import type { Picture } from "../../host/bytes/png.ts";
import { extent } from "../../host/stats.ts";
import { type CaseStripOptions, shownSlices } from "./case_strip.ts";
import { takeSlice } from "./drawing.ts";
import { montage, overlay } from "./pictures.ts";

/** Slices of a volume `[D, H, W]`, a row each: truth (black if there is none), prediction, image. At most `count`, default 8, where something is. */
export function caseColumns(volume: HostArray, { label, pred, axis, count = 8 }: CaseStripOptions): Picture {
  const size = volume.shape;
  const { min, max } = extent(volume.data);
  const scale = Math.max(1, Math.floor(180 / Math.max(...size.toSpliced(axis, 1))));
  const dark = (slice: HostArray): HostArray => ({ data: new Float32Array(slice.data.length), shape: slice.shape });
  const pictures = shownSlices([label, pred], size, axis, count).flatMap((k) => {
    const slice = takeSlice(volume, size, axis, k);
    const mask = (a: HostArray | undefined) =>
      overlay(dark(slice), undefined, a && takeSlice(a, size, axis, k), { scale, alpha: 1, window: [0, 1] });
    return [mask(label), mask(pred), overlay(slice, undefined, undefined, { scale, window: [min, max] })];
  });
  return montage(pictures, { columns: 3, margin: 2 });
}
