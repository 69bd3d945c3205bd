/** @file DICOM RT structure sets (PS3.3 section A.19): named contours, listed, and filled on the grid of the image that they were drawn on. */

import type { Fail } from "../../../host/bytes/budget.ts";
import { expectArguments, expectKinds } from "../../../host/kinds.ts";
import { DataError, FormatError } from "../../../host/errors.ts";
import { fillPolygons } from "../../../host/grid/polygons.ts";
import { inverseOf } from "../../../host/matrix.ts";
import { expectOptions } from "../../../host/options.ts";
import { counted } from "../../../host/text.ts";
import { makeVolume, millimetersOf } from "../../volume.ts";
import { unpackedFile } from "../byte_source.ts";
import type { ImageFile, ImageGrid } from "../format.ts";
import type { DataSet } from "./elements.ts";
import { withDataSet } from "./header.ts";
import {
  expectMissing,
  expectOverlap,
  expectStructures,
  firstName,
  missingNote,
  noStructure,
  type Overlap,
  painterOf,
  structureClasses,
  type StructureNames,
  structureOf,
} from "./paint.ts";
import type { DicomSegmentation } from "./segmentation.ts";
import { isStructureSet, structureTags as tags } from "./structure_tags.ts";

/** A structure of a structure set. */
export interface DicomStructure {
  /** ROINumber, by which the file knows it. */
  readonly number: number;
  /** ROIName. */
  readonly name: string;
  /** RTROIInterpretedType, such as "ORGAN", "GTV" or "EXTERNAL"; empty if the file has none. */
  readonly type: string;
  /** Red, green and blue from 0 to 255, if the file says them. */
  readonly color?: readonly number[];
  /** FrameOfReferenceUID of the images that it was drawn on, if the file says it. */
  readonly frameOfReference?: string;
  /** Closed lines in a plane, each `[3 · points]`: x, y, z, x … in RAS millimeters. */
  readonly contours: readonly Float64Array[];
  /** Lines that are not closed, and points: they enclose nothing. */
  readonly open: number;
}

/** How contours become a label map. */
export interface ReadStructuresOptions {
  /** The grid of the image that they were drawn on. */
  readonly like: ImageGrid;
  /**
   * Names of the structures to take: the first one has the value 1. A list in place of a name has the names that a structure may have; the first that the file has
   * contours of is taken. Default all that have closed contours, in the file's order.
   */
  readonly structures?: readonly (string | readonly string[])[];
  /** A structure that the file does not have, or no closed contour of: an error (default), or no voxels of its value and a note ("empty"). */
  readonly missing?: "error" | "empty";
  /** Voxels of two structures: an error (default), a mask per structure ("onehot"), or the later one in the list ("last"). */
  readonly overlap?: Overlap;
}

/** Share of a slice that a contour may be off it. */
const most = 0.1;

/**
 * The structures of a DICOM RT structure set with their contours.
 * @throws FormatError for another file and a damaged one
 */
export async function listDicomStructures(file: ImageFile): Promise<DicomStructure[]> {
  expectArguments("listDicomStructures", "file", { file });
  return structuresIn(file, "listDicomStructures");
}

/**
 * Fills the contours of a DICOM RT structure set: voxels whose centers they enclose. Where contours of one structure lie within each other in a slice the inner
 * one is a hole, as in other readers. Those beyond the grid are left out, which `labels.meta.notes` says,
 * as it says that the contours were drawn in another frame of reference than that of the image.
 * @returns labels `[1, nx, ny, nz]` or masks `[structures, nx, ny, nz]` on the grid of `like`, and their names
 * @throws FormatError for another file and a damaged one; DataError for a structure that the file does not have or that has no closed contour, for contours
 *   that lie between slices of the image or across them, and for structures that overlap; ConfigError for an unknown option
 */
export async function readDicomStructures(file: ImageFile, options: ReadStructuresOptions): Promise<DicomSegmentation> {
  const op = "readDicomStructures";
  expectOptions(op, options, "like:object! structures missing:text overlap:text");
  expectArguments(op, "file", { file });
  const { like, structures: names, missing = "error", overlap = "error" } = options;
  expectOverlap(op, overlap);
  expectMissing(op, missing);
  expectStructures(op, names);
  expectKinds(op, { affine: { "options.like.affine": like.affine } });
  const who = `${op}: ${file.name}`;
  const notes: string[] = [];
  const taken = chosen(await structuresIn(file, op), { names, missing, notes, who });
  const { frameOfReference } = like.meta ?? {};
  const elsewhere = taken.find((s) => frameOfReference && s.frameOfReference && s.frameOfReference !== frameOfReference);
  if (elsewhere)
    notes.push(
      `${elsewhere.name} was drawn in another frame of reference than the image's; is it the image that it was drawn on?`,
    );
  const size = like.shape.slice(-3);
  const place = placing(like);
  const axis = sliceAxis(taken, place, who);
  const [a, b] = [0, 1, 2].filter((k) => k !== axis);
  const strides = [size[1] * size[2], size[2], 1];
  const table = taken.map(({ name }, i) => ({ number: i + 1, label: name }));
  const paint = painterOf(overlap, table, size, who);
  for (const [i, { name, contours }] of taken.entries()) {
    const lines = contours.map((contour) => place(contour));
    const slices = Map.groupBy(lines, (points) => sliceOf(points, axis, `${who}: a contour of ${name}`));
    let beyond = 0;
    for (const [slice, inSlice] of slices) {
      if (slice < 0 || slice >= size[axis]) beyond += inSlice.length;
      else {
        beyond += inSlice.filter((points) => isBeyond(points, a, size[a]) || isBeyond(points, b, size[b])).length;
        const polygons = inSlice.map((points) => points.filter((_, k) => k % 3 !== axis));
        const first = slice * strides[axis];
        fillPolygons(polygons, [size[a], size[b]], (x, y) => paint.set(first + x * strides[a] + y * strides[b], i + 1));
      }
    }
    if (beyond > 0) notes.push(`${counted(beyond, "contour")} of ${name} of ${contours.length} lie beyond the image`);
  }
  const meta = { source: file.name, format: "dicom", kind: "label", ...(notes.length > 0 && { notes }) } as const;
  const volume = makeVolume(paint.result, like.affine, { ...meta, ...(like.units && { units: like.units }) });
  return { labels: volume, classes: structureClasses(table) };
}

async function structuresIn(file: ImageFile, op: string): Promise<DicomStructure[]> {
  const fail: Fail = (problem) => new FormatError(`${op}: ${file.name}: ${problem}`);
  const known = new Map(Object.values(tags).map(({ tag, vr }) => [tag, vr]));
  const { blob } = await unpackedFile(file);
  return withDataSet(
    blob,
    fail,
    (data, origin) => {
      const sopClass = data.text(tags.sopClass) ?? origin.sopClass;
      if (!isStructureSet(sopClass)) throw fail("is no RT structure set; read images with readImage");
      return structuresOf(data, fail);
    },
    known,
  );
}

function structuresOf(data: DataSet, fail: Fail): DicomStructure[] {
  const types = new Map<number | undefined, string>();
  for (const item of data.items(tags.observations)) types.set(item.number(tags.referencedNumber), item.text(tags.type) ?? "");
  const drawn = new Map<number | undefined, DataSet>();
  for (const item of data.items(tags.contoursOfStructures)) drawn.set(item.number(tags.referencedNumber), item);
  const found: DicomStructure[] = [];
  for (const item of data.items(tags.structures)) {
    const number = item.number(tags.number);
    if (number === undefined) throw fail(`structure ${found.length + 1} has no ROINumber`);
    if (found.some((s) => s.number === number)) throw fail(`two structures have the ROINumber ${number}`);
    const name = item.text(tags.name) ?? `structure ${number}`;
    const lines = drawn.get(number);
    const color = lines?.numbers(tags.color) ?? [];
    const contours: Float64Array[] = [];
    let open = 0;
    for (const line of lines?.items(tags.contours) ?? []) {
      const kind = line.text(tags.kind) ?? "";
      const points = Float64Array.from(line.numbers(tags.points));
      if (points.length % 3 !== 0 || !points.every(Number.isFinite))
        throw fail(`a contour of ${name} has ${points.length} coordinates, of which not all are numbers in threes`);
      if (!/^CLOSED_?PLANAR/.test(kind)) open++;
      // Of fewer than three points nothing is enclosed.
      else if (points.length >= 9) contours.push(toRas(points));
    }
    const frameOfReference = item.text(tags.frameOfReference);
    found.push({
      number,
      name,
      type: types.get(number) ?? "",
      ...(frameOfReference && { frameOfReference }),
      ...(color.length === 3 && { color }),
      contours,
      open,
    });
  }
  return found;
}

/** DICOM's x and y point to the left and to the back. */
const toRas = (points: Float64Array): Float64Array => points.map((v, i) => (i % 3 === 2 ? v : -v));

interface Choice {
  readonly names: readonly StructureNames[] | undefined;
  readonly missing: "error" | "empty";
  /** Takes what is odd. */
  readonly notes: string[];
  readonly who: string;
}

function chosen(all: readonly DicomStructure[], { names, missing, notes, who }: Choice): readonly DicomStructure[] {
  const closed = all.filter((s) => s.contours.length > 0);
  if (!names && closed.length === 0)
    throw new DataError(`${who}: none of its structures has a closed contour: ${all.map((s) => s.name).join(", ")}`);
  if (!names) return closed;
  const labeled = all.map((structure) => ({ label: structure.name, structure }));
  return names.map((wanted) => {
    const found = structureOf(
      wanted,
      labeled.filter(({ structure }) => closed.includes(structure)),
      who,
    )?.structure;
    if (found) return found;
    if (missing === "empty") {
      notes.push(missingNote(wanted));
      return { number: 0, name: firstName(wanted), type: "", contours: [], open: 0 };
    }
    const bare = structureOf(wanted, labeled, who);
    throw bare ? new DataError(`${who}: ${bare.label} has no closed contour`) : noStructure(wanted, labeled, who);
  });
}

/** Points in RAS millimeters as voxel indices of an image. */
function placing(like: ImageGrid): (points: Float64Array) => Float64Array {
  const back = inverseOf(like.affine);
  if (!back) throw new DataError("readDicomStructures: the affine of the image cannot be inverted");
  const unit = millimetersOf(like as object);
  return (points) => {
    const out = new Float64Array(points.length);
    for (let i = 0; i < points.length; i += 3) {
      const [x, y, z] = [points[i] / unit, points[i + 1] / unit, points[i + 2] / unit];
      for (let k = 0; k < 3; k++) out[i + k] = back[k][0] * x + back[k][1] * y + back[k][2] * z + back[k][3];
    }
    return out;
  };
}

/** The axis across the contours' planes, the same for all. */
function sliceAxis(taken: readonly DicomStructure[], place: (points: Float64Array) => Float64Array, who: string): number {
  const spans = [0, 0, 0];
  for (const { contours } of taken) {
    for (const points of contours.map(place)) {
      for (let k = 0; k < 3; k++) spans[k] = Math.max(spans[k], spanOf(points, k));
    }
  }
  const axis = spans.indexOf(Math.min(...spans));
  if (spans[axis] > 2 * most)
    throw new DataError(
      `${who}: a contour goes through ${spans[axis].toFixed(2)} slices of the image; draw them on its slices, or give the image that they were drawn on`,
    );
  return axis;
}

function spanOf(points: Float64Array, axis: number): number {
  let [low, high] = [Infinity, -Infinity];
  for (let i = axis; i < points.length; i += 3) {
    low = Math.min(low, points[i]);
    high = Math.max(high, points[i]);
  }
  return high - low;
}

/** Whether all points lie on one side of the voxels along an axis. */
function isBeyond(points: Float64Array, axis: number, size: number): boolean {
  const along = points.filter((_, i) => i % 3 === axis);
  return along.every((v) => v < -0.5) || along.every((v) => v > size - 0.5);
}

function sliceOf(points: Float64Array, axis: number, what: string): number {
  const at = points[axis];
  const slice = Math.round(at);
  if (!(Math.abs(at - slice) <= most))
    throw new DataError(`${what} lies at slice ${at.toFixed(2)}, between two of the image; give the image that it was drawn on`);
  return slice;
}
