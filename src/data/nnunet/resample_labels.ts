/**
 * @file Label maps resized label by label: each label's mask is interpolated, and a voxel gets the largest label whose mask reaches one half
 * there, 0 where none does. As batchgenerators' `resize_segmentation`.
 */

import { type HostArray, sizeOf } from "../../host/array.ts";
import { resampleAxes, zoomPositions } from "../../host/spline.ts";
import { stridesOf } from "../../host/shape.ts";
import { emptyLike } from "../../host/strided.ts";

/** Whether one half itself counts. */
type Half = "reached" | "above";

/** @param half "reached" in the plane; "above" along thick slices, where nnU-Net rounds before it compares */
export function resizeLabels(x: HostArray, shape: readonly number[], order: number, half: Half = "reached"): HostArray {
  return order === 1 ? resizeLinear(x, shape, half) : resizeMasks(x, shape, order, half);
}

/** The general way, a mask per label. */
function resizeMasks(x: HostArray, shape: readonly number[], order: number, half: Half): HostArray {
  const out = emptyLike(x.data, sizeOf(shape));
  const positions = x.shape.map((n, a) => (n === shape[a] ? undefined : zoomPositions(n, shape[a])));
  const mask = new Float64Array(x.data.length);
  for (const label of labelsOf(x)) {
    for (let i = 0; i < mask.length; i++) mask[i] = x.data[i] === label ? 1 : 0;
    const { data } = resampleAxes({ data: mask, shape: x.shape }, positions, { order, mode: "nearest" });
    for (let i = 0; i < out.length; i++) if (half === "reached" ? data[i] >= 0.5 : data[i] > 0.5) out[i] = label;
  }
  return { data: out, shape: [...shape] };
}

function labelsOf({ data }: HostArray): number[] {
  const found = new Set<number>();
  let last = NaN;
  for (let i = 0; i < data.length; i++) {
    if (data[i] === last) continue;
    last = data[i];
    found.add(last);
  }
  return [...found].sort((a, b) => a - b);
}

/** The two neighbors of each output along an axis, and the weight of the first. */
interface Pair {
  readonly low: Int32Array;
  readonly high: Int32Array;
  readonly weight: Float64Array;
}

function pairsOf(from: number, to: number): Pair {
  const at = zoomPositions(from, to);
  const low = new Int32Array(to);
  const high = new Int32Array(to);
  const weight = new Float64Array(to);
  for (let i = 0; i < to; i++) {
    // The elements are brought inside, not the position: beyond the ends both are the same one.
    const before = Math.floor(at[i]);
    low[i] = Math.max(0, before);
    high[i] = Math.min(from - 1, before + 1);
    weight[i] = 1 - (at[i] - before);
  }
  return { low, high, weight };
}

/**
 * Order 1 in one pass over the outputs, for all labels at once: a mask's value is the sum of the weights of the neighbors that have the label. Added in
 * scipy's order, since a label may come to exactly one half.
 */
function resizeLinear(x: HostArray, shape: readonly number[], half: Half): HostArray {
  const dims = shape.length;
  const pairs = shape.map((n, a) => pairsOf(x.shape[a], n));
  const strides = stridesOf(x.shape);
  const corners = 2 ** dims;
  const labels = new Float64Array(corners);
  const weights = new Float64Array(corners);
  const out = emptyLike(x.data, sizeOf(shape));
  const index = new Array<number>(dims).fill(0);
  for (let to = 0; to < out.length; to++) {
    let same = true;
    for (let corner = 0; corner < corners; corner++) {
      let offset = 0;
      let weight = 1;
      for (let a = 0; a < dims; a++) {
        const { low, high, weight: w } = pairs[a];
        const i = index[a];
        const second = (corner >> (dims - 1 - a)) & 1;
        offset += (second ? high[i] : low[i]) * strides[a];
        weight *= second ? 1 - w[i] : w[i];
      }
      labels[corner] = x.data[offset];
      weights[corner] = weight;
      if (labels[corner] !== labels[0]) same = false;
    }
    out[to] = same ? labels[0] : chosen(labels, weights, half);
    for (let a = dims - 1; a >= 0; a--) {
      if (++index[a] < shape[a]) break;
      index[a] = 0;
    }
  }
  return { data: out, shape: [...shape] };
}

/** The largest label with half of the weight; 0 if there is none. */
function chosen(labels: Float64Array, weights: Float64Array, half: Half): number {
  let best = -Infinity;
  for (let c = 0; c < labels.length; c++) {
    if (labels[c] <= best) continue;
    let sum = 0;
    for (let k = 0; k < labels.length; k++) if (labels[k] === labels[c]) sum += weights[k];
    if (half === "reached" ? sum >= 0.5 : sum > 0.5) best = labels[c];
  }
  return best === -Infinity ? 0 : best;
}
