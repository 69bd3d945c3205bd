/** @file What is odd about an image for runs that are to segment it: they would do it, and the labels would be wrong. */

import { millimetersOf, type Volume } from "../../data/volume.ts";
import { extent } from "../../host/stats.ts";
import type { Context, Recipe } from "../recipes/recipe.ts";
import { anotherSize, shownSize } from "./odd_cases.ts";

/**
 * The axes of prepared images along which a network sees voxels of the size in which they are stored: none where a recipe prepares on another grid, from which
 * it brings back what it finds, or resizes its slices; across slices no size counts.
 */
export function storedAxes({ restore, postprocess }: Recipe, config: object): readonly number[] {
  const { fit, sliceAxis } = config as { readonly fit?: string; readonly sliceAxis?: number };
  return restore || postprocess || fit === "resize" ? [] : [0, 1, 2].filter((axis) => axis !== sliceAxis);
}

/**
 * @param runs with their recipes
 * @param image in the orientation of the runs
 * @returns a sentence for each thing
 */
export function sourceNotes(runs: readonly { readonly recipe: Recipe; readonly context: Context }[], image: Volume): string[] {
  const unit = millimetersOf(image);
  const size = image.spacing.map((s) => s * unit);
  const notes = new Set<string>();
  for (const { recipe, context } of runs) {
    const { spacing, config, channels } = context;
    if (anotherSize(size, spacing, storedAxes(recipe, config)))
      notes.add(
        `its voxels are [${shownSize(size)}] mm, those that were trained on [${shownSize(spacing)}]: recipe ${recipe.name} does not resample; bring the image to that size first`,
      );
    const { window = [] } = config as { readonly window?: readonly number[] };
    const hounsfield = window.length > 0 && (window[0] < 0 || channels.every((name) => name.toLowerCase() === "ct"));
    if (hounsfield && !(extent(image.data).min < 0))
      notes.add(
        `it has no value below 0, and the run takes Hounsfield units, in which air is at -1000 (window ${window.join(" to ")}): its zero may be another`,
      );
  }
  return [...notes];
}
