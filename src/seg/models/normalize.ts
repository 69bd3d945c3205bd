/** @file Scaling of images for networks that come without a description. */

import { expectWord } from "../../host/words.ts";
import { NormalizeIntensity, ScaleIntensity } from "../../data/transforms/index.ts";
import type { HostArray } from "../../host/array.ts";
import { brainchopInput } from "../recipes/brainchop.ts";
import type { Normalization } from "./model.ts";

const brainchop =
  (quantileNorm: boolean) =>
  (image: HostArray): HostArray => {
    const { data, shape } = brainchopInput(image, { quantileNorm });
    return { data, shape: shape.slice(1) };
  };

const ways: Readonly<Record<Normalization, (image: HostArray) => HostArray>> = {
  none: ({ data, shape }) => ({ data: Float32Array.from(data), shape }),
  zscore: (image) => new NormalizeIntensity({ channelWise: true }).apply(image),
  minmax: (image) => new ScaleIntensity({ channelWise: true }).apply(image),
  brainchop: brainchop(false),
  "brainchop-quantile": brainchop(true),
};

/** Their names. */
export const normalizations: readonly string[] = Object.keys(ways);

/** An image `[C, x, y, z]` as the network takes it. @throws ConfigError for an unknown way, what the way throws */
export function normalizedBy(way: Normalization, image: HostArray): HostArray {
  expectWord("openModel", "normalization", way, ways);
  return ways[way](image);
}
