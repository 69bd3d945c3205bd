/** @file Where a training crop lies: around a nodule, away from all of them, or in the middle of the scan. */

import { expectNames } from "../../host/options.ts";
import { ConfigError } from "../../host/errors.ts";
import type { RandomSource } from "../../host/random/numpy.ts";
import type { NoduleBox } from "./prepare.ts";

/** What a crop shows. */
export type CropKind = "around" | "negative" | "centered";

/** How crops are drawn. */
export interface NoduleCropOptions {
  /** Per axis x, y, z; default 96×96×48. */
  readonly size?: readonly number[];
  /** Of around, negative and centered crops; default 0.5, 0.4, 0.1. */
  readonly probabilities?: readonly number[];
  /** A nodule's box begins at most this share of the crop behind its first voxel; default 0.3. */
  readonly leftTopRatio?: number;
  /** A centered crop's middle is at most this share of the scan away from the scan's, both sides together; default ½, ½, ⅓. */
  readonly centerScope?: readonly number[];
}

/** The options with their defaults, checked. */
export type CropPlan = Required<NoduleCropOptions>;

const kinds: readonly CropKind[] = ["around", "negative", "centered"];

/** @throws ConfigError for options out of range */
export function cropPlan(options: NoduleCropOptions = {}): CropPlan {
  const defaults = { size: [96, 96, 48], probabilities: [0.5, 0.4, 0.1], leftTopRatio: 0.3, centerScope: [1 / 2, 1 / 2, 1 / 3] };
  const plan = { ...defaults, ...options };
  expectNames("NoduleDataset", options, Object.keys(defaults));
  const { size, probabilities: p } = plan;
  if (size.length !== 3 || !size.every((n) => Number.isInteger(n) && n > 0))
    throw new ConfigError(`NoduleDataset: size is [${size}]; expected three whole numbers above 0`);
  if (p.length !== 3 || !p.every((v) => v >= 0) || Math.abs(p[0] + p[1] + p[2] - 1) > 1e-6)
    throw new ConfigError(`NoduleDataset: probabilities are [${p}]; expected three numbers with sum 1`);
  return plan;
}

/** The first voxel of a crop, which may be so near the end of a small scan that the crop has to be padded there. */
export function placeCrop(
  shape: readonly number[],
  nodule: NoduleBox,
  all: readonly NoduleBox[],
  { size, probabilities, leftTopRatio, centerScope }: CropPlan,
  random: RandomSource,
): { readonly kind: CropKind; readonly start: number[] } {
  const kind = kinds[random.choice(3, 1, { p: probabilities })[0]];
  const last = shape.map((n, a) => Math.max(0, n - size[a]));
  const inside = (start: readonly number[]) => start.map((s, a) => Math.min(last[a], Math.max(0, Math.round(s))));
  const anywhere = () => last.map((n) => random.randint(n + 1));
  if (kind === "around")
    return { kind, start: inside(nodule.box.map(([from], a) => from - random.uniform(0, leftTopRatio * size[a]))) };
  if (kind === "centered")
    return { kind, start: inside(shape.map((n, a) => n / 2 + (random.uniform() - 0.5) * n * centerScope[a] - size[a] / 2)) };
  let start = anywhere();
  const meets = ({ box }: NoduleBox) => box.every(([from, to], a) => from < start[a] + size[a] && to > start[a]);
  // A small scan may have no crop without a nodule.
  for (let tries = 0; tries < 20 && all.some(meets); tries++) start = anywhere();
  return { kind, start };
}
