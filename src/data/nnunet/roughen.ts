/**
 * @file What nnU-Net does to the first stage's label map when it trains the second: grown, shrunk, holes closed, thin parts gone, small parts missing, so that
 * the second stage does not learn to trust it.
 */

import { connectedComponents, paintComponents } from "../../host/grid/components.ts";
import { distanceTransformEdt } from "../../host/grid/distance.ts";
import type { HostArray } from "../../host/array.ts";
import type { RandomSource } from "../../host/random/numpy.ts";

const reshaped = { prob: 0.4, radius: [1, 8] } as const;
// Where maps are changed at all, each label is with this probability.
const perLabel = 0.5;
// Parts that cover less of a sample than this may be left out.
const lost = { prob: 0.2, share: 0.15 } as const;

type Mask = HostArray<Uint8Array>;

function inverse({ data, shape }: Mask): Mask {
  const out = new Uint8Array(data.length);
  for (let i = 0; i < out.length; i++) out[i] = 1 - data[i];
  return { data: out, shape };
}

/** What is farther from the outside of a mask than a radius: erosion by a ball. What lies beyond the grid counts as inside. */
function eroded(mask: Mask, radius: number): Mask {
  const { data: distance } = distanceTransformEdt(mask);
  const out = new Uint8Array(distance.length);
  for (let i = 0; i < out.length; i++) if (distance[i] > radius) out[i] = 1;
  return { data: out, shape: mask.shape };
}

const dilated = (mask: Mask, radius: number): Mask => inverse(eroded(inverse(mask), radius));

const operators = [
  dilated,
  eroded,
  (mask: Mask, radius: number): Mask => eroded(dilated(mask, radius), radius),
  (mask: Mask, radius: number): Mask => dilated(eroded(mask, radius), radius),
];

/**
 * Label numbers 0 … `labels` `[1, …]`, changed at random. With probability 0.4 every second label or so is dilated, eroded, closed or opened by a ball of 1 to 8
 * voxels, in random order, what grows taking the place of others; with 0.2 every second one loses one of its small components.
 * @param random draws `rand` and, where it acts, a permutation, `rand` for each label, and `randint` for those that are changed
 */
export function roughened(numbers: HostArray<Float32Array>, labels: number, random: RandomSource): HostArray<Float32Array> {
  const out = { data: numbers.data.slice(), shape: numbers.shape };
  const shape = numbers.shape.slice(1);
  const maskOf = (label: number): Mask => {
    const data = new Uint8Array(out.data.length);
    for (let i = 0; i < data.length; i++) if (out.data[i] === label) data[i] = 1;
    return { data, shape };
  };
  const someInOrder = () =>
    random
      .permutation(labels)
      .map((k) => k + 1)
      .filter(() => random.rand() < perLabel);
  if (random.rand() < reshaped.prob) {
    for (const label of someInOrder()) {
      const operator = operators[random.randint(operators.length)];
      const radius = random.randint(reshaped.radius[0], reshaped.radius[1] + 1);
      const { data } = operator(maskOf(label), radius);
      for (let i = 0; i < data.length; i++) {
        if (data[i] !== 0) out.data[i] = label;
        else if (out.data[i] === label) out.data[i] = 0;
      }
    }
  }
  if (random.rand() < lost.prob) {
    for (const label of someInOrder()) {
      const components = connectedComponents(maskOf(label).data, shape);
      const { count, sizes } = components;
      const small = Array.from({ length: count }, (_, i) => i + 1).filter((i) => sizes[i] < lost.share * out.data.length);
      if (small.length === 0) continue;
      const one = small[random.randint(small.length)];
      paintComponents(
        components,
        Uint8Array.from(sizes, (_, i) => (i === one ? 1 : 0)),
        out.data,
        0,
      );
    }
  }
  return out;
}
