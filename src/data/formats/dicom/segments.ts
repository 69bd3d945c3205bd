/** @file The table of segments of a DICOM segmentation (PS3.3 section C.8.20). */

import type { Fail } from "../../../host/bytes/budget.ts";
import type { DataSet } from "./elements.ts";

/** A segment. */
export interface Segment {
  readonly number: number;
  readonly label: string;
}

/** What a segmentation says of its frames. */
export interface SegmentTable {
  /** Masks of one bit, shares of a voxel, or segment numbers. */
  readonly type: "BINARY" | "FRACTIONAL" | "LABELMAP";
  /** The value of a whole voxel, of FRACTIONAL. */
  readonly most: number;
  readonly segments: readonly Segment[];
}

/** The table of a data set. @throws FormatError (by `fail`) for segments without a number, or two of one */
export function segmentTable(data: DataSet, fail: Fail): SegmentTable {
  const type = data.text("segmentationType") ?? "BINARY";
  if (type !== "BINARY" && type !== "FRACTIONAL" && type !== "LABELMAP")
    throw fail(`SegmentationType is ${JSON.stringify(type)}; expected BINARY, FRACTIONAL or LABELMAP`);
  const segments: Segment[] = [];
  for (const item of data.items("segmentSequence")) {
    const number = item.number("segmentOfTable");
    if (number === undefined || !Number.isInteger(number) || number < 0 || number > 65535)
      throw fail(`segment ${segments.length + 1} has the SegmentNumber ${number}; expected an integer from 0 to 65535`);
    if (segments.some((s) => s.number === number)) throw fail(`two segments have the SegmentNumber ${number}`);
    segments.push({ number, label: item.text("segmentLabel") ?? `segment ${number}` });
  }
  return { type, most: data.number("maximumFractionalValue") ?? 255, segments };
}
