/** @file From a prepared case to its label map or scores on the grid of its source: the one way, to validate and to predict. */

import { ConfigError } from "../../host/errors.ts";
import { sameShape } from "../../host/shape.ts";
import { decideScores, mappedScores, type ScoreMap, scoresInMemory } from "../inference/score_map.ts";
import type { KeepScores } from "../inference/kept_scores.ts";
import type { Segmentation, SegmentHooks, Segmenter } from "../inference/segmenter.ts";
import type { Context, LoadedCase, PreparedCase, Recipe } from "../recipes/recipe.ts";

interface Segmenting<C extends object> {
  readonly recipe: Recipe<C>;
  readonly context: Context<C>;
  readonly segmenter: Segmenter;
}

/** Whether labels are decided from scores that were brought to the source's grid. */
export const decidesOnSource = <C extends object>({ recipe }: Segmenting<C>): boolean => recipe.restore !== undefined;

/** Stored label values `[1, …]` on the source's grid, cleaned up if the recipe does that. */
export async function labelsOf<C extends object>(
  run: Segmenting<C>,
  source: LoadedCase,
  prepared: PreparedCase,
  hooks: SegmentHooks,
  keep?: KeepScores,
): Promise<Segmentation> {
  const { recipe, context, segmenter } = run;
  if (!decidesOnSource(run)) return cleanedUp(recipe, await segmenter.run(prepared.image, hooks), source, context);
  const scores = await scoresOf(run, source, prepared, hooks, keep);
  try {
    return await cleanedUp(recipe, decideScores(scores, context.outputs), source, context);
  } finally {
    scores.dispose();
  }
}

/** A label map as the recipe leaves it. */
export async function cleanedUp<C extends object>(
  recipe: Recipe<C>,
  labels: Segmentation,
  source: LoadedCase,
  context: Context<C>,
): Promise<Segmentation> {
  return (await recipe.postprocess?.(labels, source, context)) ?? labels;
}

/** Logits on the source's grid, kept where `keep` says until `dispose`. Throws `ConfigError` for recipes that have none there. */
export async function scoresOf<C extends object>(
  { recipe, context, segmenter }: Segmenting<C>,
  source: LoadedCase,
  prepared: PreparedCase,
  hooks: SegmentHooks,
  keep?: KeepScores,
): Promise<ScoreMap & { readonly dispose: () => void }> {
  if (!segmenter.scores)
    throw new ConfigError(
      `the segmenter of recipe ${recipe.name} gives labels only: no probabilities, and no ensemble but by vote`,
    );
  const kept = keep && (await segmenter.scoreMap?.(prepared.image, keep, hooks));
  const scores = kept ?? scoresInMemory(await segmenter.scores(prepared.image, hooks));
  const dispose = () => kept?.dispose();
  const shape = source.image.shape.slice(1);
  if (recipe.restore) {
    const restored = mappedScores(scores, shape, (channel) => recipe.restore!(channel, source, prepared, context));
    return { ...restored, dispose };
  }
  if (sameShape(scores.shape, shape)) return { ...scores, dispose };
  dispose();
  throw new ConfigError(
    `recipe ${recipe.name} predicts case "${source.id}" as [${scores.shape}], its image is [${shape}], and does not say how scores go from one to the ` +
      "other: no probabilities, and no ensemble but by vote",
  );
}
