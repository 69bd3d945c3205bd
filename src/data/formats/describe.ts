/** @file What an image is, in sentences: geometry, values, and what is odd about it. */

import { counted } from "../../host/text.ts";
import type { TypedArray } from "../../host/array.ts";
import { extent, quantiles } from "../../host/stats.ts";
import { axisCodes } from "../axis_codes.ts";
import type { Volume } from "../volume.ts";

/** What `voxgrad info` shows of an image. */
export interface ImageDescription {
  /** Facts by name. */
  readonly facts: readonly (readonly [name: string, value: string])[];
  /** What is odd about it. */
  readonly odd: readonly string[];
}

/** Values that are sorted for percentiles; of more every n-th is taken. */
const mostSorted = 1 << 21;
/** Sizes of voxels that differ more make it anisotropic, as for nnU-Net. */
const anisotropy = 3;
const mostLabels = 32;

const short = (v: number): string => String(Number(v.toPrecision(6)));

/** Describes an image: one pass over its values, and one over some of them. */
export function describeImage(volume: Volume): ImageDescription {
  const { data, shape, spacing, affine, meta } = volume;
  const [channels, ...size] = shape;
  const unit = volume.units === undefined || volume.units === "unknown" ? "" : ` ${volume.units}`;
  const { min, max, firstNaN } = extent(data);
  const labels = labelsOf(data, min, max);
  const { step, values } = sampled(data);
  const percents = [0.5, 1, 5, 25, 50, 75, 95, 99, 99.5];
  const found = quantiles(
    values,
    percents.map((p) => p / 100),
  );
  const scaled = meta.fields?.scl_slope === undefined ? [] : [`scaled by ${meta.fields.scl_slope} and ${meta.fields.scl_inter}`];
  const extents = size.map((n, i) => short(n * spacing[i])).join(" × ");
  const facts: [string, string][] = [
    ["format", [meta.format ?? "unknown", `stored as ${meta.dtype ?? "unknown"}`, ...scaled].join(", ")],
    ["size", `${size.join(" × ")} voxels, ${counted(channels, "channel")}`],
    ...(meta.timeStep === undefined ? [] : [["time", `${short(meta.timeStep)} s from channel to channel`] as [string, string]]),
    ["voxel", `${spacing.map(short).join(" × ")}${unit}`],
    ["extent", `${extents}${unit}`],
    ["orientation", axisCodes(affine)],
    [
      "origin",
      `${affine
        .slice(0, 3)
        .map((row) => short(row[3]))
        .join(", ")} (RAS)`,
    ],
    [
      "affine",
      affine
        .slice(0, 3)
        .map((row) => `[${row.map(short).join(" ")}]`)
        .join(" "),
    ],
    ["values", `${short(min)} to ${short(max)}`],
    [step > 1 ? `percentiles of every ${step}th` : "percentiles", percents.map((p, i) => `${p}: ${short(found[i])}`).join(", ")],
    ...(labels ? [["labels", labels.join(", ")] as [string, string]] : []),
  ];
  return { facts, odd: [...(meta.notes ?? []), ...oddities(volume, min, max, firstNaN)] };
}

function oddities({ data, spacing, affine, shape }: Volume, min: number, max: number, firstNaN: number): string[] {
  const odd: string[] = [];
  const cosines = [0, 1, 2].map((c) => [0, 1, 2].map((r) => affine[r][c] / spacing[c]));
  const dot = (a: number, b: number) => cosines[a].reduce((sum, v, r) => sum + v * cosines[b][r], 0);
  const skew = Math.max(Math.abs(dot(0, 1)), Math.abs(dot(0, 2)), Math.abs(dot(1, 2)));
  if (skew > 1e-3)
    odd.push(
      `the axes are not at right angles (cosine ${short(skew)}): writers of ITK's formats keep that, most programs do not`,
    );
  const turned = cosines.some((column) => Math.max(...column.map(Math.abs)) < 1 - 1e-4);
  if (turned && skew <= 1e-3) odd.push("the axes are oblique to those of the patient");
  const ratio = Math.max(...spacing) / Math.min(...spacing);
  if (ratio >= anisotropy) odd.push(`the voxels are anisotropic: the largest side is ${short(ratio)} times the smallest`);
  if (shape.slice(1).some((n) => n === 1)) odd.push("there is one slice only");
  if (firstNaN >= 0) odd.push("there are NaNs among the values");
  if (min === -Infinity || max === Infinity) odd.push("there are infinities among the values");
  if (min === max && data.length > 1) odd.push(`all values are ${short(min)}`);
  return odd;
}

/** Every n-th value that is a number. */
function sampled(data: TypedArray): { step: number; values: Float64Array } {
  const step = Math.ceil(data.length / mostSorted);
  const values = new Float64Array(Math.ceil(data.length / step));
  let n = 0;
  for (let i = 0; i < data.length; i += step) if (data[i] === data[i]) values[n++] = data[i];
  return { step, values: values.subarray(0, n) };
}

/** The values of what looks like a label map: few, integers, from 0. */
function labelsOf(data: TypedArray, min: number, max: number): number[] | undefined {
  if (!(min >= 0 && max <= 65535)) return undefined;
  const found = new Set<number>();
  const seen = new Uint8Array(65536);
  for (let i = 0; i < data.length; i++) {
    const v = data[i];
    if (!Number.isInteger(v)) return undefined;
    if (seen[v]) continue;
    seen[v] = 1;
    found.add(v);
    if (found.size > mostLabels) return undefined;
  }
  return [...found].sort((a, b) => a - b);
}
