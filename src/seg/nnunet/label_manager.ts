/** @file What the outputs of a network of nnU-Net mean, by its `dataset.json`: classes, or regions that are written in an order. */

import { argmaxPlanes } from "../../host/argmax.ts";
import { type HostArray, sizeOf } from "../../host/array.ts";
import { FormatError } from "../../host/errors.ts";

type Labels = Readonly<Record<string, number | readonly number[]>>;

/** What the labels of an nnU-Net dataset mean: classes or regions, and the label to ignore. */
export interface LabelManager {
  /** Channels of the network's output. */
  readonly heads: number;
  /** Whether a label of the dataset has several values, so that heads are regions that may overlap. */
  readonly hasRegions: boolean;
  /** Values that the regions write, in the order of the heads. */
  readonly regionsClassOrder: readonly number[];
  /** Names of the heads: background and classes, or regions. */
  readonly names: readonly string[];
}

/** nnU-Net's `LabelManager` of a `dataset.json`. @throws FormatError without labels, or with regions without `regions_class_order` */
export function labelManager(dataset: Readonly<Record<string, unknown>>, name = "dataset.json"): LabelManager {
  const labels = dataset.labels as Labels | undefined;
  if (typeof labels !== "object" || labels === null || Object.keys(labels).length === 0)
    throw new FormatError(`${name}: "labels" is missing`);
  const entries = Object.entries(labels).filter(([key]) => key !== "ignore");
  const hasRegions = entries.some(([, v]) => Array.isArray(v) && v.length > 1);
  const isBackground = (v: number | readonly number[]) => [v].flat().every((x) => Number(x) === 0);
  if (!hasRegions) {
    const byValue = entries.map(([key, v]) => [key, Number([v].flat()[0])] as const).sort((a, b) => a[1] - b[1]);
    return { heads: byValue.length, hasRegions, regionsClassOrder: [], names: byValue.map(([key]) => key) };
  }
  const order = dataset.regions_class_order as readonly number[] | undefined;
  const regions = entries.filter(([, v]) => !isBackground(v));
  if (!Array.isArray(order) || order.length !== regions.length)
    throw new FormatError(
      `${name}: has regions, so "regions_class_order" must have ${regions.length} values, got ${JSON.stringify(order)}`,
    );
  return {
    heads: regions.length,
    hasRegions,
    regionsClassOrder: order.map(Number),
    names: regions.map(([key]) => key),
  };
}

/** Logits `[heads, …]` → label values `[…]`: the likeliest class, or regions above ½ written one over the other. */
export function labelsOfLogits(
  { data, shape }: HostArray<Float32Array>,
  manager: LabelManager,
): HostArray<Uint8Array | Int16Array> {
  const [heads, ...size] = shape;
  const voxels = sizeOf(size);
  const most = manager.hasRegions ? Math.max(...manager.regionsClassOrder) : heads - 1;
  const out = most < 256 ? new Uint8Array(voxels) : new Int16Array(voxels);
  if (!manager.hasRegions) {
    if (out instanceof Uint8Array) argmaxPlanes(data, heads, out);
    else out.set(argmaxPlanes(data, heads, new Int32Array(voxels)));
    return { data: out, shape: size };
  }
  for (const [r, value] of manager.regionsClassOrder.entries())
    for (let i = 0; i < voxels; i++) if (data[r * voxels + i] > 0) out[i] = value;
  return { data: out, shape: size };
}
