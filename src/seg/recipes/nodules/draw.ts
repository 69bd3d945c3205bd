/** @file Which nodules an epoch shows, and how often. */

import type { RandomSource } from "../../../host/random/numpy.ts";

/** Shares of 1 in proportion to 1 / diameter^`power`. Diameters in mm, above 0. */
export function sharesOf(diameters: readonly number[], power: number): number[] {
  const weights = diameters.map((d) => d ** -power);
  const sum = weights.reduce((a, b) => a + b, 0);
  return weights.map((w) => w / sum);
}

/**
 * The entries of an epoch in their order, as many as `shares`. Of n places entry i gets n × its share, rounded up or down: with chance, since one offset for
 * all decides it, so that over epochs nothing is lost to rounding (systematic sampling, Madow 1944). Without shares each entry comes once.
 */
export function drawEntries(count: number, random: RandomSource, shares?: readonly number[]): number[] {
  const order = random.permutation(count);
  if (!shares) return order;
  const drawn: number[] = [];
  const offset = random.uniform();
  let reached = 0;
  for (const entry of order) {
    reached += shares[entry] * count;
    while (drawn.length < count && drawn.length + offset < reached) drawn.push(entry);
  }
  // Sums of shares may end a rounding error short of the last place.
  while (drawn.length < count) drawn.push(order[count - 1]);
  return random.permutation(drawn);
}
