/** @file A sheet of training samples: slices in gray, the outlines of each class in its color, a row per sample, a column per stage of its way. */

import type { HostArray } from "../../host/array.ts";
import type { Picture } from "../../host/bytes/png.ts";
import { ShapeError } from "../../host/errors.ts";
import { contourLines } from "../../host/grid/contours.ts";
import { extent } from "../../host/stats.ts";
import { colorsOf, type Rgb } from "../../data/class_colors.ts";
import { blank, drawLine, fillRect, paste, takeSlice } from "./drawing.ts";
import { drawText, lineOf, textSize } from "./lettering.ts";
import { overlay } from "./pictures.ts";

/** A sample at one stage. */
export interface SampleView {
  /** `[C, spatial…]` in two or three dimensions. */
  readonly image: HostArray;
  /** `[classes, spatial…]`, at least ½ where the class is, in the order of the sheet's classes; a smaller one lies in the middle of the image. */
  readonly masks: HostArray;
}

/** Rows of a sheet under one heading. */
export interface SheetSection {
  /** "" for none. */
  readonly heading: string;
  /** What the columns show. */
  readonly columns: readonly string[];
  readonly rows: readonly (readonly SampleView[])[];
}

export interface SampleSheet {
  readonly title: string;
  readonly classes: readonly string[];
  readonly sections: readonly SheetSection[];
}

const paper: Rgb = [24, 24, 24];
const ink: Rgb = [235, 235, 235];
const faint: Rgb = [150, 150, 150];
const margin = 8;
const letters = 2;
// Channels beyond are not shown.
const mostChannels = 4;
// The longer side of a slice becomes about so many pixels.
const side = 160;

/** All samples as one picture, with a legend of the classes and the range of intensities under each view. */
export function sampleSheet({ title, classes, sections }: SampleSheet): Picture {
  const cells = sections.map((s) => s.rows.map((row) => row.map((view) => cellOf(view))));
  const counts = sections.map((s) => s.columns.length);
  const widths = Array.from({ length: Math.max(0, ...counts) }, (_, c) =>
    cells.flatMap((section, s) => [
      ...section.map((row) => row[c]?.width ?? 0),
      textSize(sections[s].columns[c] ?? "", letters)[0],
    ]),
  ).map((all) => Math.max(...all));
  const legend = legendOf(classes);
  const body = widths.reduce((sum, w) => sum + w + margin, margin);
  const width = Math.max(body, textSize(title, letters)[0] + 2 * margin, legend.width + 2 * margin);
  const headings = (section: SheetSection): number => (section.heading ? 2 : 1) * (lineOf(letters) + margin / 2);
  const bodies = cells.map((rows, s) =>
    rows.reduce((sum, row) => sum + margin + Math.max(...row.map((c) => c.height)), headings(sections[s]) + margin),
  );
  const head = 2 * margin + lineOf(letters) + legend.height;
  const out = blank(width, bodies.reduce((sum, h) => sum + h, head) + margin);
  fillRect(out, 0, 0, out.width, out.height, paper);
  drawText(out, margin, margin, title, ink, letters);
  paste(out, legend, margin, margin + lineOf(letters));
  let top = head;
  sections.forEach((section, s) => {
    top += margin;
    if (section.heading) {
      drawText(out, margin, top, section.heading, ink, letters);
      top += lineOf(letters) + margin / 2;
    }
    const lefts = widths.map((_, c) => widths.slice(0, c).reduce((sum, w) => sum + w + margin, margin));
    section.columns.forEach((name, c) => drawText(out, lefts[c], top, name, faint, letters));
    top += lineOf(letters) + margin / 2;
    for (const row of cells[s]) {
      row.forEach((cell, c) => paste(out, cell, lefts[c], top));
      top += Math.max(...row.map((c) => c.height)) + margin;
    }
  });
  return out;
}

function legendOf(classes: readonly string[]): Picture {
  const perLine = 4;
  const column = Math.max(0, ...classes.map((name) => textSize(name, letters)[0])) + 32;
  const lines = Math.ceil(classes.length / perLine);
  const out = blank(Math.min(classes.length, perLine) * column, lines * lineOf(letters));
  fillRect(out, 0, 0, out.width, out.height, paper);
  classes.forEach((name, i) => {
    const [left, top] = [(i % perLine) * column, Math.floor(i / perLine) * lineOf(letters)];
    fillRect(out, left, top + 6, 14, 3, colorsOf(i + 1).line);
    drawText(out, left + 20, top, name, ink, letters);
  });
  return out;
}

/** The slices of a view side by side, its channels below each other, and the range of its values. */
function cellOf({ image, masks }: SampleView): Picture {
  const size = image.shape.slice(1);
  if (size.length !== 2 && size.length !== 3)
    throw new ShapeError(`sampleSheet: the image is [${image.shape}], expected [C, y, x] or [C, z, y, x]`);
  if (masks.shape.length !== image.shape.length)
    throw new ShapeError(`sampleSheet: masks [${masks.shape}] do not lie on the image [${image.shape}]`);
  const { min, max } = extent(image.data);
  const scale = Math.max(1, Math.round(side / Math.max(...size)));
  const axes = size.length === 2 ? [-1] : [0, 1, 2];
  const channels = Math.min(image.shape[0], mostChannels);
  const lines = Array.from({ length: channels }, (_, c) => axes.map((axis) => sliceOf(image, masks, c, axis, scale)));
  const range = `${short(min)} … ${short(max)}`;
  const width = Math.max(...lines.map((l) => l.reduce((sum, p) => sum + p.width + 2, -2)), textSize(range)[0]);
  const heights = lines.map((l) => Math.max(...l.map((p) => p.height)));
  const out = blank(width, heights.reduce((sum, h) => sum + h + 2, 0) + lineOf(1));
  fillRect(out, 0, 0, out.width, out.height, paper);
  let top = 0;
  lines.forEach((line, i) => {
    let left = 0;
    for (const picture of line) {
      paste(out, picture, left, top);
      left += picture.width + 2;
    }
    top += heights[i] + 2;
  });
  drawText(out, 0, top + 1, range, faint);
  return out;
}

const short = (v: number): string =>
  (Math.abs(v) >= 1000 || v === 0 ? v.toFixed(0) : v.toPrecision(Math.abs(v) < 0.1 ? 1 : 3)).replace("-", "−");

/**
 * The slice across an axis with the most of all classes: what is small lies rarely in the middle. The middle one where there is none, and where masks are
 * smaller than the image.
 */
function fullestSlice({ shape: [, ...size] }: HostArray, masks: HostArray, axis: number): number {
  const middle = size[axis] >> 1;
  if (masks.shape.slice(1).join() !== size.join()) return middle;
  const counts = new Float64Array(size[axis]);
  const inner = size.slice(axis + 1).reduce((n, s) => n * s, 1);
  for (let i = 0; i < masks.data.length; i++) if (masks.data[i] >= 0.5) counts[Math.floor(i / inner) % size[axis]]++;
  return counts.reduce((best, n, k) => (n > counts[best] ? k : best), middle);
}

/** A slice of a channel across an axis (−1: the plane that it is), with the outline of each class. */
function sliceOf(image: HostArray, masks: HostArray, channel: number, axis: number, scale: number): Picture {
  const at = axis < 0 ? 0 : fullestSlice(image, masks, axis);
  const plane = planeOf(image, channel, axis, at);
  const same = masks.shape[axis + 1] === image.shape[axis + 1];
  const picture = overlay(plane, undefined, undefined, { scale });
  const [down, across] = [0, 1].map((a) => Math.floor((plane.shape[a] - planeShape(masks.shape.slice(1), axis)[a]) / 2));
  for (let c = 0; c < masks.shape[0]; c++) {
    const mask = planeOf(masks, c, axis, same ? at : masks.shape[axis + 1] >> 1);
    // Soft outlines: a mask that was resized is a half where it ends.
    for (const line of contourLines(mask.data, mask.shape, 0.499)) {
      const point = (k: number): [number, number] => [
        (line[2 * k + 1] + across + 0.5) * scale,
        (line[2 * k] + down + 0.5) * scale,
      ];
      const points = line.length / 2;
      for (let k = 0; k < points; k++)
        drawLine(picture, point(k), point((k + 1) % points), scale > 2 ? 2 : 1, colorsOf(c + 1).line);
    }
  }
  return picture;
}

const planeShape = (size: readonly number[], axis: number): readonly number[] => (axis < 0 ? size : size.toSpliced(axis, 1));

function planeOf(a: HostArray, channel: number, axis: number, at: number): HostArray {
  const size = a.shape.slice(1);
  const voxels = size.reduce((n, s) => n * s, 1);
  const part = { data: a.data.subarray(channel * voxels, (channel + 1) * voxels), shape: size };
  return axis < 0 ? part : takeSlice(part, size, axis, at);
}
