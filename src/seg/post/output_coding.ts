/**
 * @file What the outputs of a segmentation network mean: the one place that turns stored label values into what a loss compares with, and logits into
 * label values. Training, validation, prediction and pictures all ask here.
 */

import { expectWord } from "../../host/words.ts";
import { expectItems } from "../../host/kinds.ts";
import { foregroundOf, ignoredValue, type LabelClass } from "../../data/labels.ts";
import type { HostArray, TypedArray } from "../../host/array.ts";
import { argmaxPlanes } from "../../host/argmax.ts";
import { ConfigError, ShapeError } from "../../host/errors.ts";

/**
 * - `sigmoid`: two classes, one channel; foreground where its probability exceeds ½.
 * - `softmax`: one channel per class; the likeliest class, the first of equals.
 * - `regions`: one channel per region, several of which may hold at a voxel (nnU-Net's region training), each where its probability exceeds ½. The value
 *   written is the one that is in just these regions; where there is none, or the dataset has an order of its own (`regions_class_order`), that of
 *   the last region that holds.
 */
export type OutputKind = "sigmoid" | "softmax" | "regions";

/** What a network's outputs mean: label values to what a loss compares with, and logits to label values. */
export interface OutputCoding {
  /** What the channels mean. */
  readonly kind: OutputKind;
  /** Channels of the network's output. */
  readonly channels: number;
  /** Classes or regions that are segmented, without the background. */
  readonly foreground: readonly LabelClass[];
  /**
   * Stored label values `[1, …]` → what a loss compares with: class indices `[1, …]` (0 is the background, then `foreground` in order), or masks
   * `[regions, …]`.
   */
  target(label: HostArray): HostArray<Float32Array>;
  /** The label value of voxels that neither train nor score, if the dataset has one. */
  readonly ignore?: number | undefined;
  /** 1 at voxels of the value `ignore`, else 0, `[1, …]`; undefined for a dataset that has none. */
  ignored(label: HostArray): HostArray<Float32Array> | undefined;
  /** Logits `[1, channels, …]` → stored label values `[1, …]`. Throws `ShapeError` for another number of channels. */
  decide(logits: HostArray): HostArray<Uint8Array | Int32Array>;
  /** The part of it that is done where the logits are: which class is the largest, or which channels are positive (bit c for channel c). */
  readonly decision: "largest" | "positive";
  /** And the rest: classes, or sets of channels, → stored label values. Shapes `[1, …]`. */
  valuesOf(codes: HostArray<Uint8Array | Uint32Array>): HostArray<Uint8Array | Int32Array>;
}

/** How labels are coded unless a recipe says otherwise. */
export function outputKindOf(labels: readonly LabelClass[]): OutputKind {
  expectItems("outputKindOf", "labels", labels, { name: "text", values: "numbers" });
  const foreground = foregroundOf(labels);
  if (foreground.some((l) => l.values.length > 1)) return "regions";
  return foreground.length === 1 ? "sigmoid" : "softmax";
}

/**
 * The coding of a dataset's labels. The background is the class of value 0, wherever it is listed.
 * @throws ConfigError if there is no foreground, or "sigmoid" is asked for more than one foreground class
 */
export function outputCodingOf(kind: OutputKind, labels: readonly LabelClass[]): OutputCoding {
  expectWord("outputCodingOf", "kind", kind, ["softmax", "sigmoid", "regions"]);
  expectItems("outputCodingOf", "labels", labels, { name: "text", values: "numbers" });
  const foreground = foregroundOf(labels);
  const ignore = ignoredValue(labels);
  if (foreground.length === 0)
    throw new ConfigError("the dataset names no class beside the background: there is nothing to segment");
  if (kind === "sigmoid" && foreground.length !== 1)
    throw new ConfigError(`outputs of kind "sigmoid" tell one class from the background, the dataset has ${foreground.length}`);
  const channels = kind === "softmax" ? foreground.length + 1 : foreground.length;
  const values = [0, ...foreground.map((_, i) => writtenValue(foreground, i))];
  const table = kind === "regions" ? regionTable(foreground, values.slice(1)) : undefined;
  const empty = (voxels: number) =>
    [...values, ...(table ?? [])].every((v) => v < 256) ? new Uint8Array(voxels) : new Int32Array(voxels);
  return {
    kind,
    channels,
    foreground,
    decision: kind === "softmax" ? "largest" : "positive",
    valuesOf({ data: codes, shape }) {
      const data = empty(codes.length);
      const of = kind === "softmax" ? values : table;
      // Without a table the last channel of the set says it.
      for (let i = 0; i < data.length; i++) data[i] = of ? of[codes[i]] : values[32 - Math.clz32(codes[i])];
      return { data, shape };
    },
    ...(ignore === undefined ? {} : { ignore }),
    target: (label) => (kind === "regions" ? regionMasks(label, foreground) : classIndices(label, foreground)),
    ignored: (label) =>
      ignore === undefined ? undefined : { data: masked(label.data, new Set([ignore])), shape: [1, ...label.shape.slice(1)] },
    decide(logits) {
      if (logits.shape[0] !== 1 || logits.shape[1] !== channels)
        throw new ShapeError(
          `the network's output is [${logits.shape}], expected [1, ${channels}, …] for ${kind} of these labels`,
        );
      const shape = [1, ...logits.shape.slice(2)];
      const voxels = logits.data.length / channels;
      const data = empty(voxels);
      if (kind === "softmax") likeliest(logits.data, values, data);
      else if (table) byTable(logits.data, table, channels, data);
      else likely(logits.data, values, data);
      return { data, shape };
    },
  };
}

/** The value of a region (or class) by itself: as the dataset says, else one that no later region has, so that these can still be told from it. */
function writtenValue(regions: readonly LabelClass[], at: number): number {
  const { values, writes } = regions[at];
  const later = new Set(regions.slice(at + 1).flatMap((r) => r.values));
  return writes ?? values.findLast((v) => v !== 0 && !later.has(v)) ?? values.at(-1)!;
}

// Regions up to which the table of all their combinations is small.
const mostInTable = 16;

/** The value for each set of regions that may hold at a voxel, region r being bit r; undefined for too many regions. */
function regionTable(regions: readonly LabelClass[], written: readonly number[]): Int32Array | undefined {
  if (regions.length > mostInTable) return undefined;
  const table = new Int32Array(2 ** regions.length);
  // The highest bit is the last region of the set.
  for (let set = 1; set < table.length; set++) table[set] = written[31 - Math.clz32(set)];
  if (regions.some((r) => r.writes !== undefined)) return table;
  const setOf = (value: number) => regions.reduce((set, r, i) => (r.values.includes(value) ? set | (1 << i) : set), 0);
  // Of values that are in the same regions the one that a region writes by itself, which comes last here.
  for (const value of [...regions.flatMap((r) => r.values), ...written]) table[setOf(value)] = value;
  return table;
}

function byTable(logits: TypedArray, table: Int32Array, regions: number, out: Uint8Array | Int32Array): void {
  const voxels = out.length;
  for (let i = 0; i < voxels; i++) {
    let set = 0;
    for (let r = 0; r < regions; r++) if (logits[r * voxels + i] > 0) set |= 1 << r;
    out[i] = table[set];
  }
}

function classIndices(label: HostArray, foreground: readonly LabelClass[]): HostArray<Float32Array> {
  const index = new Map(foreground.flatMap((l, i) => l.values.map((v) => [v, i + 1] as const)));
  const data = new Float32Array(label.data.length);
  for (let i = 0; i < data.length; i++) {
    const v = label.data[i];
    if (v !== 0) data[i] = index.get(v) ?? 0;
  }
  return { data, shape: label.shape };
}

function regionMasks(label: HostArray, regions: readonly LabelClass[]): HostArray<Float32Array> {
  const voxels = label.data.length;
  const data = new Float32Array(regions.length * voxels);
  regions.forEach(({ values }, r) => masked(label.data, new Set(values), data.subarray(r * voxels, (r + 1) * voxels)));
  return { data, shape: [regions.length, ...label.shape.slice(1)] };
}

/** 1 where a value is among some, else 0. */
function masked(data: TypedArray, values: ReadonlySet<number>, out = new Float32Array(data.length)): Float32Array<ArrayBuffer> {
  for (let i = 0; i < out.length; i++) if (values.has(data[i])) out[i] = 1;
  return out;
}

function likeliest(logits: TypedArray, values: readonly number[], out: Uint8Array | Int32Array): void {
  argmaxPlanes(logits, values.length, out);
  if (values.every((v, i) => v === i)) return;
  for (let i = 0; i < out.length; i++) out[i] = values[out[i]];
}

// Probability above ½ is a logit above 0.
function likely(logits: TypedArray, values: readonly number[], out: Uint8Array | Int32Array): void {
  const voxels = out.length;
  for (let c = 1; c < values.length; c++) {
    for (let i = 0; i < voxels; i++) if (logits[(c - 1) * voxels + i] > 0) out[i] = values[c];
  }
}
