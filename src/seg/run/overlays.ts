/** @file Pictures of segmented cases: prediction filled, truth outlined. */

import { withGeometryOf } from "../../data/volume.ts";
import type { HostArray, TypedArray } from "../../host/array.ts";
import type { Picture } from "../../host/bytes/png.ts";
import { caseColumns } from "../pictures/case_columns.ts";
import { caseStrip } from "../pictures/case_strip.ts";
import { sliceMontage } from "../pictures/pictures.ts";
import { oriented } from "../recipes/prepared.ts";
import type { Context } from "../recipes/recipe.ts";
import type { OpenedRun, Segmented } from "./segment.ts";

type Drawable = Pick<Segmented, "id" | "source" | "labels">;

/** What of a run its pictures depend on. */
export type Pictured = Pick<OpenedRun, "recipe" | "context">;

/** Slices all through a case, or those where something is in columns, as the recipe says. */
export function overlayOf(segmented: Drawable, run: Pictured): Picture {
  const { image, ...rest } = drawn(segmented, run);
  return run.recipe.pictures === "columns" ? caseColumns(image, rest) : sliceMontage(image, rest);
}

/** A few slices where something is. */
export function stripOf(segmented: Drawable, run: Pictured): Picture {
  const { image, ...rest } = drawn(segmented, run);
  return caseStrip(image, rest);
}

function drawn({ id, source, labels: stored }: Drawable, { recipe, context }: Pictured) {
  const { image, label } = oriented(source, context.orientation);
  const { image: labels } = oriented({ id, image: withGeometryOf(source.image, stored) }, context.orientation);
  const size = image.shape.slice(1);
  const voxels = size.reduce((a, b) => a * b, 1);
  // Colors go by class, whatever the values that stand for it.
  const flat = (a: HostArray | undefined) => a && { data: classesOf(a, context).subarray(0, voxels), shape: size };
  const axis = recipe.pictureAxis?.(context) ?? coarsest(context.spacing);
  return { image: { data: image.data.subarray(0, voxels), shape: size }, label: flat(label), pred: flat(labels), axis };
}

function classesOf(a: HostArray, { outputs }: Context): TypedArray {
  if (outputs.kind !== "regions") return outputs.target(a).data;
  return outputs.ignore === undefined ? a.data : a.data.map((v) => (v === outputs.ignore ? 0 : v));
}

const coarsest = (spacing: readonly number[]): number => spacing.reduce((best, s, i) => (s >= spacing[best] ? i : best), 0);
