/** @file A case at a glance: a few slices in a row, where truth or prediction are. */

import type { HostArray } from "../../host/array.ts";
import type { Picture } from "../../host/bytes/png.ts";
import { extent } from "../../host/stats.ts";
import { takeSlice } from "./drawing.ts";
import { montage, overlay } from "./pictures.ts";

export interface CaseStripOptions {
  /** Class indices `[D, H, W]`. */
  readonly label?: HostArray | undefined;
  readonly pred?: HostArray | undefined;
  /** Axis across the slices. */
  readonly axis: number;
  /** Most slices to show; default 6. */
  readonly count?: number;
}

// Longer sides are thinned out.
const mostPixels = 256;

/** Slices of a volume `[D, H, W]`, evenly spread over what is labeled or predicted, with both drawn. */
export function caseStrip(volume: HostArray, { label, pred, axis, count = 6 }: CaseStripOptions): Picture {
  const size = volume.shape;
  const at = shownSlices([label, pred], size, axis, count);
  const { min, max } = extent(volume.data);
  const step = Math.ceil(Math.max(...size.toSpliced(axis, 1)) / mostPixels);
  const scale = Math.max(1, Math.floor(180 / Math.max(...size.toSpliced(axis, 1))));
  const take = (a: HostArray | undefined, k: number) => a && thinned(takeSlice(a, size, axis, k), step);
  const slices = at.map((k) => overlay(take(volume, k)!, take(label, k), take(pred, k), { scale, window: [min, max] }));
  return montage(slices, { columns: slices.length, margin: 2 });
}

/** Slices evenly spread over what some label maps have, at most `count`; over all slices if they have nothing. */
export function shownSlices(
  labels: readonly (HostArray | undefined)[],
  size: readonly number[],
  axis: number,
  count: number,
): number[] {
  const [first, last] = labeledRange(labels, size, axis);
  const shown = Math.min(count, last - first + 1);
  return Array.from({ length: shown }, (_, i) => Math.round(first + ((last - first) * (i + 0.5)) / shown - 0.5 + 1e-9));
}

/** First and last slice with a label; all of them without any. */
function labeledRange(labels: readonly (HostArray | undefined)[], size: readonly number[], axis: number): [number, number] {
  const inner = size.slice(axis + 1).reduce((n, s) => n * s, 1);
  const found = new Uint8Array(size[axis]);
  for (const a of labels) {
    if (!a) continue;
    for (let i = 0; i < a.data.length; i++) if (a.data[i] > 0) found[Math.floor(i / inner) % size[axis]] = 1;
  }
  const first = found.indexOf(1);
  return first < 0 ? [0, size[axis] - 1] : [first, found.lastIndexOf(1)];
}

function thinned({ data, shape: [h, w] }: HostArray, step: number): HostArray {
  if (step === 1) return { data, shape: [h, w] };
  const [rows, columns] = [Math.ceil(h / step), Math.ceil(w / step)];
  const out = new Float32Array(rows * columns);
  for (let y = 0; y < rows; y++) for (let x = 0; x < columns; x++) out[y * columns + x] = data[y * step * w + x * step];
  return { data: out, shape: [rows, columns] };
}
