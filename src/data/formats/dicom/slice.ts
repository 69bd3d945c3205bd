/** @file A slice: a frame of a file, with what is known of its place. */

import type { FrameFacts } from "./frames.ts";
import type { DicomHeader } from "./header.ts";

/** A frame of a file. */
export interface Slice {
  readonly header: DicomHeader;
  readonly frame: number;
  readonly facts: FrameFacts;
}

/** All frames of files. */
export const slicesOf = (headers: readonly DicomHeader[]): Slice[] =>
  headers.flatMap((header) => header.frames.map((facts, frame) => ({ header, frame, facts })));

/** Whether two slices can be of one volume. */
export function alike({ header: a, facts: f }: Slice, { header: b, facts: g }: Slice): boolean {
  if (f === g) return true;
  const near = (x: readonly number[] | undefined, y: readonly number[] | undefined): boolean =>
    x === y || (x !== undefined && y !== undefined && x.every((v, i) => Math.abs(v - y[i]) < 1e-3 * Math.max(1, Math.abs(v))));
  return (
    a.layout.rows === b.layout.rows &&
    a.layout.columns === b.layout.columns &&
    a.layout.samples === b.layout.samples &&
    near(f.orientation?.flat(), g.orientation?.flat()) &&
    near(f.pixelSpacing, g.pixelSpacing)
  );
}
