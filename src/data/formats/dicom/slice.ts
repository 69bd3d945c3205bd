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
