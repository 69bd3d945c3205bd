/**
 * @file The cleaning of predicted label maps as a list of steps, in JSON as in code: what a run found to help, what `voxgrad predict` was asked for. A step
 * is a row of the table here.
 */
import { expectArguments, expectItems } from "../../host/kinds.ts";
import { FillHoles } from "../../data/transforms/post/components.ts";
import { presentLabels } from "../../data/transforms/post/labels.ts";
import { voxelVolumeAt } from "../../data/volume.ts";
import type { HostArray } from "../../host/array.ts";
import { ConfigError } from "../../host/errors.ts";
import { connectedComponents, paintComponents } from "../../host/grid/components.ts";
import { removeAllButLargestComponentFromSegmentation } from "./keep_largest.ts";

/** A label map `[1, x, y, z]` and the size of its voxels in mm. */
interface Labeled {
  readonly labels: HostArray;
  /** Volume of a voxel in mm³. */
  readonly voxel: number;
}

/** A step of post-processing. */
export type PostStep =
  | {
      readonly step: "keepLargest";
      /** Labels that together are one foreground; without them each label by itself. */
      readonly labels?: readonly number[];
    }
  | {
      readonly step: "fillHoles";
      /** Labels whose holes are filled; without them all. */
      readonly labels?: readonly number[];
    }
  | {
      readonly step: "removeSmall";
      /** Components of one label below this volume go. */
      readonly mm3: number;
    };

type Step<Name extends PostStep["step"]> = Extract<PostStep, { readonly step: Name }>;

const steps: { readonly [Name in PostStep["step"]]: (x: Labeled, step: Step<Name>) => HostArray } = {
  keepLargest({ labels }, { labels: together }) {
    if (together) return removeAllButLargestComponentFromSegmentation(labels, together);
    return foregroundIn(labels).reduce<HostArray>(
      (map, label) => removeAllButLargestComponentFromSegmentation(map, label),
      labels,
    );
  },
  fillHoles: ({ labels }, { labels: only }) => new FillHoles({ appliedLabels: only ?? null, connectivity: 1 }).apply(labels),
  removeSmall({ labels, voxel }, { mm3 }) {
    const data = labels.data.slice();
    const components = connectedComponents(labels.data, labels.shape, { byValue: true });
    const small = Uint8Array.from(components.sizes, (size) => Number(size * voxel < mm3));
    paintComponents(components, small, data, 0);
    return { ...labels, data };
  },
};

const foregroundIn = (labels: HostArray): number[] => presentLabels("postprocess", labels, false).filter((v) => v !== 0);

/**
 * A label map after some steps, in their order.
 * @param labels `[1, x, y, z]`
 * @param spacing size of a voxel in mm along each axis; of a `Volume` that has it the affine counts, whose axes need not be at right angles
 */
export function postprocess(labels: HostArray, spacing: readonly number[], list: readonly PostStep[]): HostArray {
  expectArguments("postprocess", "array", { labels });
  expectArguments("postprocess", "numbers", { spacing });
  expectItems("postprocess", "steps", list, { step: "text" });
  const voxel = voxelVolumeAt(labels, spacing);
  return list.reduce<HostArray>(
    (map, step) => (steps[step.step] as (x: Labeled, s: PostStep) => HostArray)({ labels: map, voxel }, step),
    labels,
  );
}

const isLabels = (value: unknown): boolean =>
  value === undefined || (Array.isArray(value) && value.length > 0 && value.every((v) => Number.isSafeInteger(v)));

/** Steps that were read from a file. @throws ConfigError for what is none */
export function checkSteps(value: unknown, source: string): PostStep[] {
  if (!Array.isArray(value)) throw new ConfigError(`${source}: expected a list of steps, got ${JSON.stringify(value)}`);
  for (const entry of value as readonly (Record<string, unknown> | null)[]) {
    const name = entry?.step;
    const fits =
      name === "removeSmall"
        ? Number.isFinite(entry?.mm3) && (entry!.mm3 as number) > 0
        : name !== undefined && isLabels(entry?.labels);
    if (typeof name !== "string" || !Object.hasOwn(steps, name) || !fits)
      throw new ConfigError(`${source}: ${JSON.stringify(entry)} is no step; known are ${Object.keys(steps).join(", ")}`);
  }
  return value as PostStep[];
}
