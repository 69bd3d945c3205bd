/** @file DICOM segmentations (SEG) as label maps: frames, each the mask of a segment at a place, put together on one grid, with the names of the segments. */

import { expectArguments, expectKinds } from "../../../host/kinds.ts";
import type { TypedArray } from "../../../host/array.ts";
import { ConfigError, DataError } from "../../../host/errors.ts";
import { inverseOf } from "../../../host/matrix.ts";
import { expectOptions } from "../../../host/options.ts";
import type { LabelClass } from "../../labels.ts";
import { type Affine, inMillimeters, makeVolume, type Volume } from "../../volume.ts";
import { unpackedFile } from "../byte_source.ts";
import type { ImageFile, ImageGrid } from "../format.ts";
import { type FrameFacts, normalOf } from "./frames.ts";
import { type DicomHeader, readHeader } from "./header.ts";
import {
  expectMissing,
  expectOverlap,
  expectStructures,
  firstName,
  missingNote,
  noStructure,
  type Overlap,
  type Painter,
  painterOf,
  structureClasses,
  structureOf,
} from "./paint.ts";
import { openFrames } from "./pixels.ts";
import type { SegmentTable } from "./segments.ts";
import { affineOf } from "./stack.ts";

/** How a segmentation becomes a label map. */
export interface ReadSegmentationOptions {
  /** Voxels of two segments: an error (default), a mask per segment ("onehot"), or the later one in the file's list ("last"). */
  readonly overlap?: Overlap;
  /**
   * Labels of the segments to take: the first one has the value 1. A list in place of a label has those that a segment may have; the first that is there is taken.
   * Default all, by their numbers.
   */
  readonly structures?: readonly (string | readonly string[])[];
  /** A segment that the file does not have: an error (default), or no voxels of its value and a note ("empty"). */
  readonly missing?: "error" | "empty";
  /** The grid of the image that was segmented, to lie on; default: from the first to the last frame, since empty slices are often left out. */
  readonly like?: ImageGrid;
  /** Share of a voxel from which on it belongs to a segment, where the file has shares. Default 0.5. */
  readonly threshold?: number;
}

/** A label map with the names of its values. */
export interface DicomSegmentation {
  /** Segment numbers `[1, nx, ny, nz]`, or masks `[segments, …]` in the order of `classes` without the background. */
  readonly labels: Volume<Uint8Array | Uint16Array>;
  /** The background, and each segment: its label, and its number. */
  readonly classes: readonly LabelClass[];
}

/** Share of a slice or voxel that a frame may be off the grid. */
const most = 0.1;
/** Slices of which most are empty may be as many. */
const mostSlices = 4096;

/**
 * Reads a DICOM segmentation of binary masks, fractions or a label map. `readImage` gives its frames as they are stored.
 * @throws FormatError for another DICOM object and a damaged one; DataError for frames that lie on no grid, or not on that of `like`, and for segments that
 *   overlap, and for a label that is not there; ConfigError for an unknown option
 */
export async function readDicomSegmentation(file: ImageFile, options: ReadSegmentationOptions = {}): Promise<DicomSegmentation> {
  expectOptions("readDicomSegmentation", options, "overlap:text structures missing:text like threshold:number");
  expectArguments("readDicomSegmentation", "file", { file });
  const { overlap = "error", structures, missing = "error", like, threshold = 0.5 } = options;
  expectOverlap("readDicomSegmentation", overlap);
  expectMissing("readDicomSegmentation", missing);
  expectStructures("readDicomSegmentation", structures);
  if (like) expectKinds("readDicomSegmentation", { affine: { "options.like.affine": like.affine } });
  if (!(threshold > 0 && threshold <= 1))
    throw new ConfigError(`readDicomSegmentation: threshold must be above 0 and at most 1, got ${threshold}`);
  const { blob } = await unpackedFile(file);
  const header = await readHeader(file.name, blob);
  const { segments: table, layout } = header;
  if (!table) throw header.fail("is no segmentation; read it with readImage");
  if (layout.samples !== 1 || layout.kind !== "int") throw header.fail("a segmentation has one integer per voxel");
  const grid = like ? gridLike(header, like) : ownGrid(header);
  const least = table.type === "FRACTIONAL" ? threshold * table.most : 1;
  const who = `readDicomSegmentation: ${file.name}`;
  const notes: string[] = [];
  const taken =
    structures?.map((wanted) => {
      const found = structureOf(wanted, table.segments, who);
      if (!found && missing === "error") throw noStructure(wanted, table.segments, who);
      if (!found) notes.push(missingNote(wanted));
      return found ?? { number: undefined, label: firstName(wanted) };
    }) ?? table.segments;
  const named = taken.map(({ number, label }, i) => ({ number: structures || number === undefined ? i + 1 : number, label }));
  const { frameOfReference } = like?.meta ?? {};
  if (frameOfReference && header.frameOfReference && frameOfReference !== header.frameOfReference)
    notes.push("it is in another frame of reference than the image; is it the image that was segmented?");
  const values = new Map(taken.flatMap(({ number }, i) => (number === undefined ? [] : [[number, named[i].number]])));
  const paint = painterOf(overlap, named, grid.size, who);
  const read = await openFrames(header);
  for (const [frame, facts] of header.frames.entries()) {
    const { data } = await read(frame);
    const of = table.type === "LABELMAP" ? undefined : segmentOf(header, table, facts, frame);
    addFrame(paint, header, values, grid, { data, least, of, frame });
  }
  const meta = {
    source: file.name,
    format: "dicom",
    kind: "label",
    ...(like?.units && { units: like.units }),
    ...(notes.length > 0 && { notes }),
  } as const;
  return { labels: makeVolume(paint.result, grid.affine, meta), classes: structureClasses(named) };
}

function segmentOf(header: DicomHeader, { segments }: SegmentTable, { marks }: FrameFacts, frame: number): number {
  const number = marks.segment ?? (segments.length === 1 ? segments[0].number : undefined);
  if (!segments.some((s) => s.number === number))
    throw header.fail(`frame ${frame} is of segment ${number}, which its table of segments does not have`);
  return number as number;
}

/** Where each frame's pixels go. */
interface Grid {
  /** `[nx, ny, nz]` */
  readonly size: readonly number[];
  readonly affine: Affine;
  /** Per frame: the voxel of its first pixel, and how far the voxels of neighbors in a row and in a column are apart in the array. */
  readonly frames: readonly { readonly first: number; readonly alongRow: number; readonly alongColumn: number }[];
}

function ownGrid({ frames, layout, fail }: DicomHeader): Grid {
  const { rows, columns } = layout;
  const [facts] = frames;
  const placed = frames.filter((f) => f.position && f.orientation).length;
  if (placed === 0 && new Set(frames.map((f) => f.marks.segment)).size < frames.length)
    throw fail("its frames have no positions: nothing tells which slice a frame is");
  if (placed > 0 && placed < frames.length) throw fail(`${frames.length - placed} of ${frames.length} frames have no position`);
  const normal = placed > 0 ? normalOf(facts.orientation!) : undefined;
  const depths = frames.map((f) => (normal ? f.position!.reduce((sum, v, a) => sum + v * normal[a], 0) : 0));
  const places = [...new Set(depths.map((d) => Number(d.toFixed(3))))].sort((a, b) => a - b);
  const gaps = places.slice(1).map((d, i) => d - places[i]);
  const step = facts.sliceDistance ?? (gaps.length > 0 ? Math.min(...gaps) : (facts.sliceThickness ?? 1));
  const slices = depths.map((d) => (d - places[0]) / step);
  const apart = slices.find((s) => Math.abs(s - Math.round(s)) > most);
  if (apart !== undefined)
    throw new DataError(fail(`a frame lies ${apart.toFixed(2)} slices from the first; expected a whole number of them`).message);
  const nz = extreme(slices, Math.max) + 1;
  if (nz > mostSlices) throw fail(`its ${frames.length} frames lie over ${nz} slices; at most ${mostSlices} are read`);
  const [lowest, highest] = [Math.min, Math.max].map((which) => frames[depths.indexOf(extreme(depths, which))]);
  // Slices may be stacked beside their normal.
  const straight = nz === 1 || !lowest.position;
  const way = [0, 1, 2].map((a) =>
    straight ? (normal ?? [0, 0, 1])[a] * step : (highest.position![a] - lowest.position![a]) / (nz - 1),
  );
  const affine = affineOf(facts, lowest.position, way as [number, number, number]);
  const [width] = facts.pixelSpacing ?? [1];
  const beside = frames.find(({ position }, i) => {
    const off = position?.map((v, a) => v - lowest.position![a] - Math.round(slices[i]) * way[a]) ?? [];
    return Math.hypot(...off) > 2 * most * Math.max(step, width);
  });
  if (beside)
    throw new DataError(
      fail(`frame ${frames.indexOf(beside)} lies beside the line of the others; read it with the image as like`).message,
    );
  const places3 = slices.map((s) => ({ first: Math.round(s), alongRow: rows * nz, alongColumn: nz }));
  return { size: [columns, rows, nz], affine, frames: places3 };
}

/** Of as many as there may be frames. */
const extreme = (values: readonly number[], which: (a: number, b: number) => number): number =>
  values.reduce((a, b) => which(a, b));

/** The frames in the voxels of another image: each must lie in one of its planes, pixel on voxel. */
function gridLike({ frames, layout, fail }: DicomHeader, { shape, affine, units }: ImageGrid): Grid {
  const size = shape.slice(-3);
  const strides = [size[1] * size[2], size[2], 1];
  const back = inverseOf(inMillimeters({ affine, ...(units && { units }) }).affine)!;
  const off = (text: string) => new DataError(fail(`${text}; resample one to the other`).message);
  const placed = frames.map((facts, frame) => {
    if (!facts.position || !facts.orientation) throw fail(`frame ${frame} has no position`);
    const own = affineOf(facts, facts.position, [0, 0, 0]);
    // Columns: a step along a row of pixels, along a column, nothing, and the first pixel, in voxels of the image.
    const column = (k: number) => [0, 1, 2].map((r) => back[r].reduce((sum, v, c) => sum + v * own[c][k], 0));
    const whole = (values: readonly number[], extent: number, what: string): number[] => {
      const rounded = values.map(Math.round);
      if (values.some((v, a) => Math.abs(v - rounded[a]) * extent > most))
        throw off(`frame ${frame} does not lie on the image's voxels: ${what} is [${values.map((v) => v.toFixed(3))}] of them`);
      return rounded;
    };
    const row = whole(column(0), layout.columns, "a step along a row");
    const col = whole(column(1), layout.rows, "a step along a column");
    const start = whole(column(3), 1, "its first pixel");
    const end = start.map((v, a) => v + row[a] * (layout.columns - 1) + col[a] * (layout.rows - 1));
    if ([start, end].some((p) => p.some((v, a) => v < 0 || v >= size[a])))
      throw off(`frame ${frame} reaches from [${start}] to [${end}], beyond the image's [${size}] voxels`);
    const at = (v: readonly number[]) => v.reduce((sum, x, a) => sum + x * strides[a], 0);
    return { first: at(start), alongRow: at(row), alongColumn: at(col) };
  });
  return { size, affine, frames: placed };
}

/** Sets the voxels of a frame. `of` is the segment that a value of `least` or more means; undefined where values are numbers of segments. */
function addFrame(
  paint: Painter,
  { layout, fail, segments: table }: DicomHeader,
  values: ReadonlyMap<number, number>,
  grid: Grid,
  { data, least, of, frame }: { data: TypedArray; least: number; of: number | undefined; frame: number },
): void {
  const { rows, columns } = layout;
  if (data.length < rows * columns) throw fail(`frame ${frame} has too few values; the file is damaged`);
  const known = new Set(table!.segments.map((s) => s.number));
  const { first, alongRow, alongColumn } = grid.frames[frame];
  for (let y = 0, i = 0; y < rows; y++) {
    for (let x = 0, to = first + y * alongColumn; x < columns; x++, i++, to += alongRow) {
      const v = data[i];
      if (v === 0 || (of !== undefined && v < least)) continue;
      const number = of ?? v;
      if (!known.has(number)) throw fail(`frame ${frame} has the value ${number}, which is no segment`);
      const value = values.get(number) ?? 0;
      if (value !== 0) paint.set(to, value);
    }
  }
}
