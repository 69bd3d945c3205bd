/**
 * @file The voxels of one case: channel files joined, and the checks that image and label belong together. A label that was saved
 * flipped, resampled or with other class numbers trains without complaint and predicts nonsense; here it is an error.
 */

import { holdsIntegers } from "../../host/array.ts";
import { expectItems, expectKinds } from "../../host/kinds.ts";
import { DataError, ShapeError } from "../../host/errors.ts";
import type { LabelClass } from "../labels.ts";
import { inMillimeters, makeVolume, type Volume } from "../volume.ts";

/**
 * Joins the channel files of a case and checks that image and label belong together.
 * @returns image `[C, nx, ny, nz]` and label `[1, nx, ny, nz]` in their stored element types; label values a hair from an integer are made one, and the
 * label says of itself that it is one (`meta.kind`), so that transforms take its voxels from the nearest
 * @throws ConfigError for labels without values; ShapeError if sizes differ; DataError if voxel size, axis directions or place of two files differ (one was saved flipped, shifted or
 * resampled), or a label value is not among `labels`.
 * @param id name of the case for error messages
 */
export function joinCase(
  id: string,
  images: readonly Volume[],
  label: Volume | undefined,
  labels: readonly LabelClass[],
): { image: Volume; label?: Volume } {
  expectKinds("joinCase", { text: { id }, volumes: { images }, "volume?": { label }, objects: { labels } });
  expectItems("joinCase", "labels", labels, { name: "text", values: "numbers" });
  const image = joinChannels(`joinCase: case "${id}"`, images);
  if (!label) return { image };
  const where = `case "${id}" (${label.meta.source ?? "label"})`;
  const [want, got] = [image.shape.slice(1), label.shape.slice(1)];
  if (want.join() !== got.join())
    throw new ShapeError(`joinCase: ${where}: the label's size is [${got}], the image's [${want}]; they must lie on one grid`);
  if (label.shape[0] !== 1)
    throw new ShapeError(
      `joinCase: ${where}: the label has ${label.shape[0]} channels; expected 1 with a class number per voxel`,
    );
  const apart = gridDifference({ name: "label", ...label }, { name: "image", ...image });
  if (apart) throw new DataError(`joinCase: ${where}: ${apart}`);
  return { image, label: marked(checkedLabel(where, wholeLabels(inUnitOf(image, label)), labels)) };
}

/** The label as one that no transform mixes, whether or not it is named to them. */
const marked = (label: Volume): Volume =>
  label.meta.kind === "label" ? label : { ...label, meta: { ...label.meta, kind: "label" } };

/** A label whose file counts in another unit than the image's, or names none, has the image's: both were found to lie on one grid. */
const inUnitOf = ({ affine, units = "mm" }: Volume, label: Volume): Volume =>
  units === (label.units ?? "mm") ? label : makeVolume(label, affine, { ...label.meta, units });

type Grid = Pick<Volume, "affine" | "spacing" | "shape" | "units"> & { readonly name: string };

/**
 * How the grids of two volumes of one size differ, in words, lengths in millimeters; undefined if each voxel of one lies on that of the other. Of two files that name other units
 * the numbers may be the same, as programs write that take no note of units, or the places.
 */
export const gridDifference = (a: Grid, b: Grid): string | undefined =>
  differenceOf(a, b) && differenceOf({ ...a, ...inMillimeters(a) }, { ...b, ...inMillimeters(b) });

function differenceOf(a: Grid, b: Grid): string | undefined {
  for (let axis = 0; axis < 3; axis++) {
    if (Math.abs(a.spacing[axis] - b.spacing[axis]) > 1e-2 * b.spacing[axis])
      return `the ${a.name}'s voxel size is [${a.spacing}] mm, the ${b.name}'s [${b.spacing}] mm; resample one to the other`;
    const cosine =
      [0, 1, 2].reduce((sum, r) => sum + a.affine[r][axis] * b.affine[r][axis], 0) / (a.spacing[axis] * b.spacing[axis]);
    if (cosine < 0.99) {
      const degrees = ((Math.acos(Math.max(-1, cosine)) * 180) / Math.PI).toFixed(0);
      return `array axis ${axis} of ${a.name} and ${b.name} point ${degrees}° apart; bring both to one orientation`;
    }
  }
  const shifts = cornersOf(b.shape.slice(1)).map((corner) => voxelsApart(a, b, corner));
  const [first] = shifts;
  if (most(first) > mostShift)
    return `the ${a.name} lies [${told(first)}] voxels from the ${b.name}: their affines have other origins; save both with one affine`;
  // What is small beside one voxel adds up along the axes.
  const worst = shifts.reduce((w, s) => (most(s) > most(w) ? s : w));
  if (most(worst) > mostShift)
    return `the ${a.name} lies [${told(worst)}] voxels from the ${b.name} at a corner: their affines have other voxel sizes or directions; save both with one affine, or resample one to the other`;
  return undefined;
}

/** The first and last voxel along each axis. */
const cornersOf = (size: readonly number[]): number[][] =>
  Array.from({ length: 8 }, (_, bits) => [0, 1, 2].map((axis) => (bits & (1 << axis) ? (size[axis] ?? 1) - 1 : 0)));

/** How far a voxel of `a` lies from that of `b`, in voxels along the axes of `b`. */
function voxelsApart(a: Grid, b: Grid, voxel: readonly number[]): number[] {
  const apart = [0, 1, 2].map((r) => [...voxel, 1].reduce((sum, v, c) => sum + v * (a.affine[r][c] - b.affine[r][c]), 0));
  return [0, 1, 2].map((axis) => [0, 1, 2].reduce((sum, r) => sum + apart[r] * b.affine[r][axis], 0) / b.spacing[axis] ** 2);
}

const most = (shift: readonly number[]): number => Math.max(...shift.map(Math.abs));
const told = (shift: readonly number[]): number[] => shift.map((v) => Number(v.toFixed(2)));

// Less than half a voxel, by which origins at a voxel's corner and at its center differ; what is less comes from headers that round.
const mostShift = 0.49;

/**
 * Channel files of one image, made one of float32; a single one stays as it is.
 * @param where what an error begins with
 * @throws ShapeError if sizes differ, DataError if voxel size, directions or place do
 */
export function joinChannels(where: string, images: readonly Volume[]): Volume {
  const [first] = images;
  if (images.length === 1) return first;
  for (const [i, { shape, meta, affine, spacing, units }] of images.entries()) {
    if (shape.slice(1).join() !== first.shape.slice(1).join()) {
      throw new ShapeError(
        `${where}: ${meta.source ?? "a channel"} has shape [${shape}], the first channel [${first.shape}]; all channels must lie on one grid`,
      );
    }
    const nameOf = ({ source }: Volume["meta"], channel: number) => `channel ${channel}${source ? ` (${source})` : ""}`;
    const apart = gridDifference(
      { name: nameOf(meta, i), shape, affine, spacing, units },
      { ...first, name: nameOf(first.meta, 0) },
    );
    if (apart) throw new DataError(`${where}: ${apart}`);
  }
  const data = new Float32Array(images.reduce((n, v) => n + v.data.length, 0));
  let at = 0;
  for (const { data: channel } of images) {
    data.set(channel, at);
    at += channel.length;
  }
  const channels = images.reduce((n, { shape }) => n + shape[0], 0);
  return makeVolume({ data, shape: [channels, ...first.shape.slice(1)] }, first.affine, first.meta);
}

// Scaling in the file, or a tool that computes in floats, leaves 0.9999 for 1.
const hair = 1e-3;

/** A label map whose values are whole where they were so but for rounding; the same map if all are, and others stay to be refused. */
export function wholeLabels(label: Volume): Volume {
  const { data } = label;
  if (holdsIntegers(data)) return label;
  let out: typeof data | undefined;
  for (let i = 0; i < data.length; i++) {
    const v = data[i];
    const whole = Math.round(v);
    if (v === whole || !(Math.abs(v - whole) <= hair)) continue;
    out ??= data.slice();
    out[i] = whole;
  }
  return out ? { ...label, data: out } : label;
}

/** The label. Throws `DataError` for a value that is no class. */
function checkedLabel(where: string, label: Volume, labels: readonly LabelClass[]): Volume {
  const { data } = label;
  const known = new Set(labels.flatMap((l) => l.values));
  let last = 0;
  for (let i = 0; i < data.length; i++) {
    const v = data[i];
    if (v === last) continue;
    if (!known.has(v))
      throw new DataError(
        `joinCase: ${where}: voxel value ${v} is not a class of the dataset; its labels (in a folder, dataset.json) have ${[...known].sort((a, b) => a - b).join(", ")}`,
      );
    last = v;
  }
  return label;
}
