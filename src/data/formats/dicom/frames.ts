/**
 * @file Place, scaling and order of each frame: of the file where it has one image, of shared and per-frame functional groups where it is enhanced
 * (PS3.3 section C.7.6.16), of the offsets of an RT dose grid.
 */

import type { Fail } from "../../../host/bytes/budget.ts";
import type { DataSet } from "./elements.ts";
import type { Keyword } from "./tags.ts";

/** A point or direction in patient space, LPS as DICOM has it. */
export type Vector = readonly [number, number, number];

/** What tells the frames at one place apart, by its name: echo time, b-value, … */
export type Marks = Readonly<Record<string, string | number>>;

/** What is known of a frame. */
export interface FrameFacts {
  /** Center of the first pixel, mm. */
  readonly position?: Vector;
  /** Directions of a row and of a column of pixels. */
  readonly orientation?: readonly [Vector, Vector];
  /** Distance of rows, and of columns, in mm. */
  readonly pixelSpacing?: readonly [number, number];
  readonly sliceThickness?: number;
  readonly sliceDistance?: number;
  readonly sliceLocation?: number;
  readonly instance?: number;
  readonly slope: number;
  readonly intercept: number;
  readonly marks: Marks;
}

/** A frame's facts without those of its scaling, which always has a value. */
type Known = Partial<FrameFacts>;

/**
 * The facts of each frame.
 * @param notes gets what is odd
 */
export function frameFacts(data: DataSet, frames: number, fail: Fail, notes: string[]): FrameFacts[] {
  const own = { ...planeOf(data, fail), ...scalingOf(data, fail), instance: data.number("instanceNumber"), ...marked(data) };
  if (own.pixelSpacing === undefined) {
    const imager = pair(data.numbers("imagerPixelSpacing"));
    if (imager) {
      own.pixelSpacing = imager;
      notes.push("PixelSpacing is missing; ImagerPixelSpacing, measured at the detector, is taken");
    }
  }
  const shared = data.first("sharedGroups");
  const common = { ...own, ...(shared && groupsOf(shared, fail)) };
  const each: FrameFacts[] = [];
  for (const groups of data.items("perFrameGroups")) {
    if (each.length === frames) break;
    each.push(complete(common, groupsOf(groups, fail)));
  }
  if (each.length === frames) return each;
  if (each.length > 0) throw fail(`has ${frames} frames, but functional groups of ${each.length}; the file is damaged`);
  const offsets = data.numbers("gridFrameOffsets");
  const { position, orientation } = common;
  if (frames > 1 && position && orientation && offsets.length === frames && offsets.every(Number.isFinite))
    return offsets.map((offset) => complete(common, { position: along(position, normalOf(orientation), offset - offsets[0]) }));
  // One object for all frames: a file of many frames may be small.
  return new Array<FrameFacts>(frames).fill(complete(common, {}));
}

const complete = (common: Known, own: Known): FrameFacts => ({
  slope: 1,
  intercept: 0,
  ...common,
  ...own,
  marks: { ...common.marks, ...own.marks },
});

/** The direction through the slices: rows × columns. */
export function normalOf([r, c]: readonly [Vector, Vector]): Vector {
  return [r[1] * c[2] - r[2] * c[1], r[2] * c[0] - r[0] * c[2], r[0] * c[1] - r[1] * c[0]];
}

/** A point moved along a direction. */
export const along = (p: Vector, d: Vector, by: number): Vector => [p[0] + by * d[0], p[1] + by * d[1], p[2] + by * d[2]];

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

/** Plane and pixel sizes of a data set or of the item of a functional group. */
function planeOf(data: DataSet, fail: Fail): Mutable<Known> {
  const position = data.numbers("imagePosition");
  const o = data.numbers("imageOrientation");
  const known: Mutable<Known> = {};
  if (position.length === 3 && position.every(Number.isFinite)) known.position = position as unknown as Vector;
  if (o.length === 6 && o.every(Number.isFinite)) known.orientation = unitAxes(o, fail);
  const spacing = pair(data.numbers("pixelSpacing"));
  if (spacing) known.pixelSpacing = spacing;
  set(known, "sliceThickness", positive(data.number("sliceThickness")));
  set(known, "sliceDistance", positive(data.number("spacingBetweenSlices")));
  set(known, "sliceLocation", data.number("sliceLocation"));
  return known;
}

const positive = (value: number | undefined): number | undefined =>
  value === undefined || value === 0 ? undefined : Math.abs(value);

const pair = (values: number[]): readonly [number, number] | undefined =>
  values.length >= 2 && values[0] > 0 && values[1] > 0 && values.every(Number.isFinite) ? [values[0], values[1]] : undefined;

function set<K extends keyof Known>(known: Mutable<Known>, key: K, value: Known[K]): void {
  if (value !== undefined) known[key] = value;
}

/** Directions of length 1, at right angles within what rounding leaves. */
function unitAxes(values: readonly number[], fail: Fail): [Vector, Vector] | undefined {
  const [r, c] = [values.slice(0, 3), values.slice(3)];
  const [rl, cl] = [Math.hypot(...r), Math.hypot(...c)];
  // All zeros stand for "not known" in some secondary captures.
  if (rl === 0 && cl === 0) return undefined;
  const dot = (r[0] * c[0] + r[1] * c[1] + r[2] * c[2]) / (rl * cl);
  if (!(Math.abs(rl - 1) < 0.05 && Math.abs(cl - 1) < 0.05 && Math.abs(dot) < 0.05))
    throw fail(`ImageOrientationPatient is [${values.join(", ")}]; expected two directions of length 1 at right angles`);
  const unit = (v: number[], length: number) => v.map((x) => x / length) as unknown as Vector;
  return [unit(r, rl), unit(c, cl)];
}

function scalingOf(data: DataSet, fail: Fail): Mutable<Known> {
  const [slope, intercept] = [data.numbers("rescaleSlope"), data.numbers("rescaleIntercept")].map((v) => v[0]);
  const known: Mutable<Known> = {};
  for (const [key, value] of [["slope", slope] as const, ["intercept", intercept] as const]) {
    if (value === undefined || Number.isNaN(value)) continue;
    if (!Number.isFinite(value) || (key === "slope" && value === 0))
      throw fail(`rescale ${key} is ${value}; expected a number${key === "slope" ? " other than 0" : ""}`);
    known[key] = value;
  }
  return known;
}

/** Attributes that can tell frames at one place apart, the most telling first. */
const numberMarks = [
  "diffusionBValue",
  "temporalPosition",
  "temporalPositionIndex",
  "echoTime",
  "effectiveEchoTime",
  "echoNumbers",
  "triggerTime",
  "acquisitionNumber",
] as const satisfies readonly Keyword[];
const textMarks = ["imageType", "acquisitionTime", "contentTime"] as const satisfies readonly Keyword[];

function marked(data: DataSet): { marks: Marks } {
  const marks: Record<string, string | number> = {};
  for (const key of numberMarks) {
    const value = data.number(key);
    if (value !== undefined) marks[key] = value;
  }
  for (const key of textMarks) {
    const value = data.text(key);
    if (value !== undefined) marks[key] = value;
  }
  const direction = data.numbers("gradientOrientation");
  if (direction.length === 3) marks.gradientOrientation = direction.join("\\");
  return { marks };
}

/** The facts in the functional groups of a frame, or of all frames. */
function groupsOf(groups: DataSet, fail: Fail): Known {
  let marks: Marks = {};
  const known: Mutable<Known> = {};
  const add = (keyword: Keyword, facts: (group: DataSet) => Known) => {
    const group = groups.first(keyword);
    if (group) Object.assign(known, facts(group));
  };
  for (const keyword of ["planePositionSequence", "planeOrientationSequence", "pixelMeasuresSequence"] as const)
    add(keyword, (group) => planeOf(group, fail));
  add("pixelValueTransformation", (group) => scalingOf(group, fail));
  for (const keyword of ["frameContentSequence", "mrDiffusionSequence", "mrEchoSequence", "segmentIdentification"] as const) {
    const group = groups.first(keyword);
    if (!group) continue;
    marks = { ...marks, ...marked(group).marks };
    const direction = group.first("gradientSequence");
    if (direction) marks = { ...marks, ...marked(direction).marks };
    const segment = group.number("segmentNumber");
    if (segment !== undefined) marks = { ...marks, segment };
  }
  return { ...known, marks };
}
