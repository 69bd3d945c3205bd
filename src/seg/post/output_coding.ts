/**
 * @file What the outputs of a segmentation network mean: the one place that turns stored label values into what a loss compares with, and logits into
 * label values. Training, validation, prediction and pictures all ask here.
 */

import type { LabelClass } from "../../data/labels.ts";
import type { HostArray, TypedArray } from "../../host/array.ts";
import { argmaxPlanes } from "../../host/argmax.ts";
import { ConfigError, ShapeError } from "../../host/errors.ts";

/**
 * - `sigmoid`: two classes, one channel; foreground where its probability exceeds ½.
 * - `softmax`: one channel per class; the likeliest class, the first of equals.
 * - `regions`: one channel per region, several of which may hold at a voxel (nnU-Net's region training); where the probability exceeds ½ the
 *   region's value is written, later regions over earlier ones.
 */
export type OutputKind = "sigmoid" | "softmax" | "regions";

export interface OutputCoding {
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
  /** Logits `[1, channels, …]` → stored label values `[1, …]`. Throws `ShapeError` for another number of channels. */
  decide(logits: HostArray): HostArray<Uint8Array | Int32Array>;
}

/** How labels are coded unless a recipe says otherwise. */
export function outputKindOf(labels: readonly LabelClass[]): OutputKind {
  if (labels.some((l) => l.values.length > 1)) return "regions";
  return labels.length === 2 ? "sigmoid" : "softmax";
}

/**
 * The coding of a dataset's labels. The background is the class of value 0, wherever it is listed.
 * @throws ConfigError if there is no foreground, or "sigmoid" is asked for more than one foreground class
 */
export function outputCodingOf(kind: OutputKind, labels: readonly LabelClass[]): OutputCoding {
  const foreground = labels.filter((l) => !l.values.includes(0));
  if (foreground.length === 0)
    throw new ConfigError("the dataset names no class beside the background: there is nothing to segment");
  if (kind === "sigmoid" && foreground.length !== 1)
    throw new ConfigError(`outputs of kind "sigmoid" tell one class from the background, the dataset has ${foreground.length}`);
  const channels = kind === "softmax" ? foreground.length + 1 : foreground.length;
  const values = [0, ...foreground.map((l) => l.values.at(-1)!)];
  return {
    kind,
    channels,
    foreground,
    target: (label) => (kind === "regions" ? regionMasks(label, foreground) : classIndices(label, foreground)),
    decide(logits) {
      if (logits.shape[0] !== 1 || logits.shape[1] !== channels)
        throw new ShapeError(
          `the network's output is [${logits.shape}], expected [1, ${channels}, …] for ${kind} of these labels`,
        );
      const shape = [1, ...logits.shape.slice(2)];
      const voxels = logits.data.length / channels;
      const data = values.every((v) => v < 256) ? new Uint8Array(voxels) : new Int32Array(voxels);
      if (kind === "softmax") likeliest(logits.data, values, data);
      else likely(logits.data, values, data);
      return { data, shape };
    },
  };
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
  regions.forEach(({ values }, r) => {
    const inside = new Set(values);
    for (let i = 0; i < voxels; i++) if (inside.has(label.data[i])) data[r * voxels + i] = 1;
  });
  return { data, shape: [regions.length, ...label.shape.slice(1)] };
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
