/** @file How often a U-Net of nnU-Net's halves each axis, and the kernels that go with it. */

import { expectArguments } from "../../host/kinds.ts";
import { ShapeError } from "../../host/errors.ts";

/** Stages of a U-Net, the highest resolution first. */
export interface Topology {
  /** How often each axis is halved. */
  readonly numPoolPerAxis: readonly number[];
  /** Stride of each stage per axis. */
  readonly poolOpKernelSizes: readonly (readonly number[])[];
  /** Kernel of each stage per axis. */
  readonly convKernelSizes: readonly (readonly number[])[];
  /** The patch, grown to multiples. In voxels. */
  readonly patchSize: readonly number[];
  /** What each axis of an image must be a multiple of. */
  readonly mustBeDivisibleBy: readonly number[];
}

/** Sizes grown to multiples of the divisors. `shape` has the sizes, `mustBeDivisibleBy` a divisor for all axes or one for each. */
export function padShape(shape: readonly number[], mustBeDivisibleBy: number | readonly number[]): number[] {
  expectArguments("padShape", "numbers", { shape });
  expectArguments("padShape", "spread", { mustBeDivisibleBy });
  return shape.map((n, a) => {
    const by = typeof mustBeDivisibleBy === "number" ? mustBeDivisibleBy : mustBeDivisibleBy[a];
    return Math.trunc(n % by === 0 ? n : n + by - (n % by));
  });
}

/**
 * nnU-Net's `get_pool_and_conv_props`: an axis is halved while its voxels are less than twice as long as the shortest and its map stays at least
 * `minFeatureMapSize` wide; kernels are 1 along axes whose voxels are still twice as long as others'.
 * @param spacing of the voxels, per axis; @param patchSize of the first patch, which need not be whole numbers
 * @throws ShapeError if the two differ in length
 * @param maxNumpool halvings of an axis at most
 */
export function getPoolAndConvProps(
  spacing: readonly number[],
  patchSize: readonly number[],
  minFeatureMapSize = 4,
  maxNumpool = 999_999,
): Topology {
  expectArguments("getPoolAndConvProps", "numbers", { spacing, patchSize });
  if (spacing.length !== patchSize.length)
    throw new ShapeError(`getPoolAndConvProps: spacing [${spacing}] and patch [${patchSize}] differ in length`);
  const axes = spacing.map((_, a) => a);
  const edges = [...spacing];
  const sizes = [...patchSize];
  const pools = axes.map(() => 0);
  const kernel = axes.map(() => 1);
  const poolOpKernelSizes = [axes.map(() => 1)];
  const convKernelSizes: number[][] = [];
  for (;;) {
    const large = axes.filter((a) => sizes[a] >= 2 * minFeatureMapSize);
    const shortest = Math.min(...large.map((a) => edges[a]));
    const halved = large.filter((a) => edges[a] / shortest < 2 && pools[a] < maxNumpool);
    if (halved.length === 0 || (halved.length === 1 && sizes[halved[0]] < 3 * minFeatureMapSize)) break;
    const least = Math.min(...edges);
    for (const a of axes) if (edges[a] / least < 2) kernel[a] = 3;
    for (const a of halved) {
      pools[a]++;
      edges[a] *= 2;
      sizes[a] = Math.ceil(sizes[a] / 2);
    }
    poolOpKernelSizes.push(axes.map((a) => (halved.includes(a) ? 2 : 1)));
    convKernelSizes.push([...kernel]);
  }
  convKernelSizes.push(axes.map(() => 3));
  const mustBeDivisibleBy = pools.map((n) => 2 ** n);
  return {
    numPoolPerAxis: pools,
    poolOpKernelSizes,
    convKernelSizes,
    patchSize: padShape(patchSize, mustBeDivisibleBy),
    mustBeDivisibleBy,
  };
}
