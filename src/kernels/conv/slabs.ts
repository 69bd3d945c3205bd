/** @file Slabs of a weight gradient: how its sums over positions are cut, so that they are precise and a device has enough to do. */

import { sizeOf } from "../../host/array.ts";
import type { Shape } from "../../host/shape.ts";
import type { Device } from "../../tensor/device.ts";
import { workgroupsToFill } from "../lib/occupancy.ts";
import type { ConvGeometry } from "./shape.ts";

// Products of a slab: their sums, in blocks, are added by `reduce`. Gives the device work.
const slabElements = 4096;
// At most this many products are added in sequence: bounds the f32 error, where they are all alike to 2e-6 of the sum.
export const blockElements = 128;
// Partial sums above this have four times as many terms each: 128 to 128 channels of 3³ taps at 64³ would take 113 MB.
const slabBytes = 2 ** 25;
// Multiply-adds that a GPU does while it writes and reads one partial sum.
const productsPerSum = 80;

/**
 * Slabs that give a device enough to do: of a GPU, whose small layers wait for memory, only so many that moving their sums (time in proportion to the slabs) takes no
 * longer than the products on what they leave idle (time in inverse proportion).
 */
function busySlabs(device: Device, across: number, terms: number, threads: number): number {
  const fill = workgroupsToFill(device, "weightGradient") / across;
  if (device.software) return Math.ceil(fill);
  const wide = (fill * 64) / Math.max(64, threads);
  return Math.ceil(Math.min(wide, Math.sqrt((terms * wide) / productsPerSum)));
}

/** Runs of positions, how many of them a workgroup adds up, and how many such slabs there are: enough to fill the device and for precision. */
export function slabsOf(device: Device, g: ConvGeometry, across: number, weightShape: Shape, threads: number, longest: number) {
  const lines = g.samples * g.small[0] * g.small[1];
  const width = g.small[2];
  const segments = Math.max(1, Math.ceil(width / longest));
  const segment = Math.max(1, Math.ceil(width / segments));
  const rows = lines * segments;
  const terms = lines * width;
  const bytes = 4 * sizeOf(weightShape);
  const busy = busySlabs(device, across, terms, threads);
  // As many as precision asks for, fewer where their sums would take too much memory.
  const precise = Math.min(
    Math.ceil(terms / slabElements),
    Math.max(Math.ceil(terms / (4 * slabElements)), Math.floor(slabBytes / bytes)),
  );
  const most = Math.min(rows, Math.floor(device.maxBindingSize / bytes));
  const wanted = Math.max(1, Math.min(most, Math.max(busy, precise)));
  // At least one slab: it writes the zeros of an empty batch.
  const slab = Math.max(1, Math.ceil(rows / wanted));
  const block = Math.max(1, Math.floor(blockElements / segment));
  return { rows, segment, segments, slab, slabs: Math.max(1, Math.ceil(rows / slab)), block };
}
