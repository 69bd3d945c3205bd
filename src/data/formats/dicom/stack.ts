/**
 * @file Slices as a volume: sorted along their normal, with the affine that their positions give. What does not lie on a grid is an error, for a
 * volume of uneven slices has no voxel size; what a reader should know but can live with is a note.
 */

import { DataError } from "../../../host/errors.ts";
import type { Affine } from "../../volume.ts";
import { type FrameFacts, normalOf, type Vector } from "./frames.ts";
import { splitChannels } from "./channels.ts";
import type { Slice } from "./slice.ts";

/** Slices in their places. */
export interface Stack {
  /** By channel, then along the third axis. */
  readonly channels: readonly (readonly Slice[])[];
  readonly affine: Affine;
  /** See VolumeMeta. */
  readonly unplaced?: boolean;
  readonly notes: readonly string[];
}

/** What to do with slices that have no common distance. */
type Uneven = "refuse" | "accept";

/** Ways of arranging. */
export interface ArrangeOptions {
  readonly uneven: Uneven;
  /** Take the frames as they come if they do not lie on a grid: for one file of many frames that need not be slices. */
  readonly asStored?: boolean;
  /** Names the series in errors. */
  readonly who: string;
}

/** Share of the slice distance that a slice may be off its place: silently, and with a note. */
const [rounding, most] = [0.01, 0.1];

/**
 * Puts slices of one orientation and size in their places.
 * @throws DataError for slices that are missing, doubled or uneven
 */
export function arrange(slices: readonly Slice[], options: ArrangeOptions): Stack {
  const { facts } = slices[0];
  const placed = slices.filter((s) => s.facts.position && s.facts.orientation).length;
  if (placed > 0 && placed < slices.length)
    throw new DataError(`${options.who}: ${slices.length - placed} of ${slices.length} slices have no position; leave them out`);
  const still = slices.length > 1 && slices.every((s) => s.facts === facts);
  if (placed === 0 || still) return unplaced(slices, options);
  try {
    return onGrid(slices, options);
  } catch (error) {
    if (!options.asStored || !(error instanceof DataError)) throw error;
    const own = affineOf(facts, facts.position, stepAlongNormal(facts));
    return {
      channels: [slices],
      affine: own,
      notes: [`the frames are no evenly spaced slices and are kept in the file's order`],
    };
  }
}

const dot = (a: Vector, b: Vector): number => a[0] * b[0] + a[1] * b[1] + a[2] * b[2];
const minus = (a: Vector, b: Vector): Vector => [a[0] - b[0], a[1] - b[1], a[2] - b[2]];
const scaled = (a: Vector, f: number): Vector => [a[0] * f, a[1] * f, a[2] * f];

const positionOf = (slice: Slice): Vector => slice.facts.position ?? [0, 0, 0];

function onGrid(slices: readonly Slice[], { uneven, who }: ArrangeOptions): Stack {
  const { facts } = slices[0];
  const normal = normalOf(facts.orientation ?? lps);
  const notes: string[] = [];
  const depth = new Map(slices.map((s) => [s, dot(positionOf(s), normal)]));
  const at = (s: Slice): number => depth.get(s) ?? 0;
  const order = inOrder(slices, at);
  const places = placesOf(order, at);
  const channels = splitChannels(places, who, notes);
  const line = channels[0];
  if (line.length === 1) return { channels, affine: affineOf(facts, positionOf(line[0]), stepAlongNormal(facts)), notes };
  const [first, last] = [positionOf(line[0]), positionOf(line[line.length - 1])];
  const step = scaled(minus(last, first), 1 / (line.length - 1));
  checkGrid(line, first, step, uneven, who, notes);
  noteTilt(step, normal, notes);
  return { channels, affine: affineOf(facts, first, step), notes };
}

/** Along the normal; one file's frames keep their order if it goes straight against it. */
function inOrder(slices: readonly Slice[], at: (s: Slice) => number): readonly Slice[] {
  const oneFile = slices.every((s) => s.header === slices[0].header);
  if (oneFile && slices.every((s, i) => i === 0 || at(s) < at(slices[i - 1]))) return slices;
  return slices.toSorted((a, b) => at(a) - at(b) || (a.facts.instance ?? 0) - (b.facts.instance ?? 0) || a.frame - b.frame);
}

/** Slices at one place together. */
function placesOf(order: readonly Slice[], at: (s: Slice) => number): Slice[][] {
  const same = 1e-3;
  const places: Slice[][] = [];
  for (const slice of order) {
    const last = places.at(-1);
    if (last && Math.abs(at(slice) - at(last[0])) < same) last.push(slice);
    else places.push([slice]);
  }
  return places;
}

function checkGrid(line: readonly Slice[], first: Vector, step: Vector, uneven: Uneven, who: string, notes: string[]): void {
  const distance = Math.hypot(...step);
  let worst = 0;
  for (const [i, slice] of line.entries()) {
    const off = minus(minus(positionOf(slice), first), scaled(step, i));
    worst = Math.max(worst, Math.hypot(...off) / distance);
  }
  if (worst <= rounding) return;
  const gaps = line.slice(1).map((s, i) => Math.hypot(...minus(positionOf(s), positionOf(line[i]))));
  const median = gaps.toSorted((a, b) => a - b)[gaps.length >> 1];
  const wide = gaps.findIndex((gap) => gap > 1.5 * median);
  const text =
    wide >= 0
      ? `slices are missing between ${line[wide].header.name} and ${line[wide + 1].header.name}: they are ${mm(gaps[wide])} apart, others ${mm(median)}`
      : `the slices are unevenly spaced: ${mm(Math.min(...gaps))} to ${mm(Math.max(...gaps))} apart, up to ${(100 * worst).toFixed(0)} % of a slice off an even grid`;
  if (worst > most && uneven === "refuse")
    throw new DataError(`${who}: ${text}; complete the series, or read it as it is with { uneven: "accept" }`);
  notes.push(text);
}

const mm = (length: number): string => `${Number(length.toPrecision(5))} mm`;

function noteTilt(step: Vector, normal: Vector, notes: string[]): void {
  const cosine = Math.abs(dot(step, normal)) / Math.hypot(...step);
  const degrees = (Math.acos(Math.min(1, cosine)) * 180) / Math.PI;
  if (degrees > 0.3)
    notes.push(`the slices are stacked ${degrees.toFixed(1)}° off their normal (gantry tilt); the affine is sheared accordingly`);
}

const lps: readonly [Vector, Vector] = [
  [1, 0, 0],
  [0, 1, 0],
];

/** One slice's way to the next, as far as a slice alone tells it. */
const stepAlongNormal = (facts: FrameFacts): Vector =>
  scaled(normalOf(facts.orientation ?? lps), facts.sliceDistance ?? facts.sliceThickness ?? 1);

/** Slices without positions of their own, in the order of their numbers. */
function unplaced(slices: readonly Slice[], { who }: ArrangeOptions): Stack {
  const notes: string[] = [];
  const { facts, header } = slices[0];
  let order = slices;
  let step = stepAlongNormal(facts);
  const oneFile = slices.every((s) => s.header === header);
  const nowhere = !facts.position || !facts.orientation;
  if (nowhere) notes.push("the image has no position in the patient");
  if (!oneFile) {
    const located = slices.every((s) => s.facts.sliceLocation !== undefined);
    const key = (s: Slice) => (located ? s.facts.sliceLocation : s.facts.instance);
    if (!slices.every((s) => key(s) !== undefined) || new Set(slices.map(key)).size < slices.length)
      throw new DataError(
        `${who}: its ${slices.length} slices have neither positions nor different numbers; their order is unknown`,
      );
    order = slices.toSorted((a, b) => (key(a) ?? 0) - (key(b) ?? 0));
    notes.push(`the slices are sorted by ${located ? "SliceLocation" : "InstanceNumber"}`);
    const span = located
      ? ((order.at(-1)?.facts.sliceLocation ?? 0) - (order[0].facts.sliceLocation ?? 0)) / (slices.length - 1)
      : 0;
    if (span > 0) step = scaled(step, span / Math.hypot(...step));
  }
  return { channels: [order], affine: affineOf(facts, facts.position, step), unplaced: nowhere, notes };
}

/** Voxel index → RAS mm: DICOM's x and y point to the left and to the back. */
export function affineOf({ orientation, pixelSpacing }: FrameFacts, origin: Vector = [0, 0, 0], step: Vector): Affine {
  const [row, column] = orientation ?? lps;
  const [rowDistance, columnDistance] = pixelSpacing ?? [1, 1];
  const line = (axis: 0 | 1 | 2, sign: number) =>
    [row[axis] * columnDistance, column[axis] * rowDistance, step[axis], origin[axis]].map((v) => sign * v + 0);
  return [line(0, -1), line(1, -1), line(2, 1), [0, 0, 0, 1]];
}
