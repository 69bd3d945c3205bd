/** @file nnU-Net's cleaning of label maps: all but the largest component of a label, or of a region of labels, goes. */
import { expectArguments } from "../../host/kinds.ts";
import type { HostArray, TypedArray } from "../../host/array.ts";
import { connectedComponents, paintComponents } from "../../host/grid/components.ts";

/** Labels, or regions of several labels. */
export type LabelsOrRegions = number | readonly (number | readonly number[])[];

/** The labels of all of them. */
const flatLabels = (labels: LabelsOrRegions): readonly number[] =>
  typeof labels === "number" ? [labels] : (labels.flat() as readonly number[]);

/**
 * Sets all of a foreground to the background label that is not in its largest connected component, all around; several components of the largest size
 * all stay. nnU-Net's `remove_all_but_largest_component_from_segmentation`.
 * @param segmentation label map of any shape
 * @param labelsOrRegions what together is the foreground
 * @param backgroundLabel what the rest becomes. Default 0
 */
export function removeAllButLargestComponentFromSegmentation<A extends TypedArray>(
  segmentation: HostArray<A>,
  labelsOrRegions: LabelsOrRegions,
  backgroundLabel = 0,
): HostArray<A> {
  expectArguments("removeAllButLargestComponentFromSegmentation", "array", { segmentation });
  if (typeof labelsOrRegions !== "number")
    expectArguments("removeAllButLargestComponentFromSegmentation", "list", { labelsOrRegions });
  const foreground = new Set(flatLabels(labelsOrRegions));
  const mask = new Uint8Array(segmentation.data.length);
  const data = segmentation.data.slice() as A;
  let last = 0;
  let inside = foreground.has(0);
  for (let i = 0; i < mask.length; i++) {
    if (data[i] !== last) inside = foreground.has((last = data[i]));
    mask[i] = Number(inside);
  }
  const components = connectedComponents(mask, segmentation.shape);
  const largest = components.sizes.reduce((a, b) => Math.max(a, b), 0);
  const dropped = Uint8Array.from(components.sizes, (size) => Number(size < largest));
  paintComponents(components, dropped, data, backgroundLabel);
  return { ...segmentation, data };
}
