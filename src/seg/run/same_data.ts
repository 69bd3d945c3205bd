/** @file Whether data are those that a run was trained on: with other classes, channels or cases its scores and reports would be of something else. */

import type { LabelClass } from "../../data/labels.ts";
import { ConfigError } from "../../host/errors.ts";
import { counted } from "../../host/text.ts";
import type { Recipe } from "../recipes/recipe.ts";
import type { NewRun, RunData } from "./data.ts";

// Ids that a message lists.
const listed = 3;

const some = (ids: readonly string[]): string => ids.slice(0, listed).join(", ") + (ids.length > listed ? ", …" : "");

const shown = (labels: readonly LabelClass[]): string => labels.map((l) => `${l.name}=${l.values.join("+")}`).join(", ");

/** What tells two lists of cases apart; undefined for the same ones in any order. */
function otherCases(kind: string, trained: readonly string[], here: readonly string[]): string | undefined {
  const [was, is] = [new Set(trained), new Set(here)];
  const missing = trained.filter((id) => !is.has(id));
  const added = here.filter((id) => !was.has(id));
  if (missing.length + added.length === 0) return undefined;
  const parts = [
    ...(missing.length > 0 ? [`lack ${missing.length} (${some(missing)})`] : []),
    ...(added.length > 0 ? [`have ${counted(added.length, "other")} (${some(added)})`] : []),
  ];
  return `of its ${counted(trained.length, `${kind} case`)} they ${parts.join(" and ")}`;
}

/**
 * Throws `ConfigError` for data of other classes, channels or cases than those of a run; where they lie does not matter. Runs of before do not say their
 * cases.
 */
export function expectSameData<C extends object>(
  recipe: Recipe<C>,
  { config, info }: NewRun<C>,
  { index, train, val }: RunData,
): void {
  const labels = recipe.labels?.(config, index.labels) ?? index.labels;
  const [classes, channels] = [shown(labels), index.modality.join(", ")];
  const ids = (cases: RunData["train"]) => cases.map((c) => c.id);
  const problems = [
    ...(classes === shown(info.labels) ? [] : [`its classes are ${shown(info.labels)}, theirs ${classes}`]),
    ...(channels === info.channels.join(", ") ? [] : [`its channels are ${info.channels.join(", ")}, theirs ${channels}`]),
    info.cases && otherCases("training", info.cases.train, ids(train)),
    info.cases && otherCases("validation", info.cases.val, ids(val)),
  ].filter((p) => p !== undefined);
  if (problems.length === 0) return;
  throw new ConfigError(
    `the data ${index.name ? `"${index.name}" ` : ""}are not those that the run was trained on: ${problems.join("; ")}. Give the run's own data, from wherever they are now, or start another run`,
  );
}
