/** @file The view Train: data, a recipe with its options, a run that is watched. */

import { useEffect } from "preact/hooks";
import { told } from "../../text/library.ts";
import { shownBytes, shownNumber, t } from "../../text/text.ts";
import { DropZone } from "../parts/drop_zone.tsx";
import { ProgressBar } from "../parts/progress.tsx";
import { LiveRun } from "./live_run.tsx";
import { Options } from "./options.tsx";
import { RunList } from "./run_list.tsx";
import * as state from "./state.ts";

export function TrainView() {
  useEffect(() => void state.loadRuns(), []);
  return (
    <div class="split">
      <div class="panel">
        <h1>{t("train.title")}</h1>
        <DataStep />
        <RecipeStep />
        <StartStep />
        <RunList />
      </div>
      {/* It scrolls, and so do keys. */}
      <div class="stage plain" tabIndex={0} role="region" aria-label={t("train.step3")}>
        <LiveRun />
      </div>
    </div>
  );
}

function DataStep() {
  const { data, busy } = state;
  const found = data.value;
  return (
    <section>
      <h2>{t("train.step1")}</h2>
      <DropZone
        id="drop-data"
        title={found ? found.name : t("drop.data")}
        hint={found ? t("train.cases", { training: found.training, test: found.test }) : t("drop.dataHint")}
        files={false}
        small={found !== null}
        disabled={busy.value}
        onPick={(picked) => void state.openPicked(picked)}
      >
        <button type="button" class="link" disabled={busy.value} onClick={() => void state.openSynthetic()}>
          {t("train.synthetic")}
        </button>
      </DropZone>
      {found && (
        <dl class="facts">
          <dt>{t("train.channels")}</dt>
          <dd>{found.channels.join(", ")}</dd>
          <dt>{t("train.structures")}</dt>
          <dd>{found.structures.join(", ")}</dd>
        </dl>
      )}
      {found?.notes.map((note) => (
        <p key={note} class="hint warn">
          {t("scan.note")}
          <span lang="en">{note}</span>
        </p>
      ))}
    </section>
  );
}

function RecipeStep() {
  const { data, recipe, fold, plan, busy } = state;
  if (!data.value) return null;
  const { recipes, folds } = data.value;
  return (
    <section>
      <h2>{t("train.step2")}</h2>
      <div class="pair">
        <label class="field">
          <span>{t("train.recipe")}</span>
          <select value={recipe.value} disabled={busy.value} onChange={(e) => void state.chooseRecipe(e.currentTarget.value)}>
            {recipes.map((r) => (
              <option key={r.name} value={r.name}>
                {r.name}
              </option>
            ))}
          </select>
        </label>
        <label class="field">
          <span>{t("train.fold")}</span>
          <select
            value={String(fold.value)}
            disabled={busy.value}
            onChange={(e) => void state.chooseFold(e.currentTarget.value === "all" ? "all" : Number(e.currentTarget.value))}
          >
            {Array.from({ length: folds }, (_, i) => (
              <option key={i} value={String(i)}>
                {i}
              </option>
            ))}
            <option value="all">{t("train.foldAll")}</option>
          </select>
        </label>
      </div>
      <p class="hint">{told(recipes.find((r) => r.name === recipe.value)?.summary ?? "")}</p>
      {plan.value && <p class="hint">{t("train.split", { train: plan.value.train, val: plan.value.val })}</p>}
      {plan.value?.notes.map((note) => (
        <p key={note} class="hint">
          {t("scan.note")}
          <span lang="en">{note}</span>
        </p>
      ))}
      <Options />
    </section>
  );
}

/** What can be ended where it is; a training has buttons of its own. */
const ends: ReadonlySet<string> = new Set(["waiting", "checking", "choosing"]);

function StartStep() {
  const { memory, name, busy, progress, training, live } = state;
  if (!state.data.value && !training.value) return null;
  const planned = memory.value;
  return (
    <section class="act">
      {planned && (
        <p class="hint">
          {t("train.planned", {
            memory: shownBytes(planned.bytes),
            parameters: shownNumber(planned.parameters),
            steps: planned.stepsPerEpoch,
          })}
        </p>
      )}
      {!training.value && (
        <>
          <label class="field">
            <span>{t("train.name")}</span>
            <input
              type="text"
              value={name.value}
              maxLength={60}
              pattern="[^\/\\]+"
              onInput={(e) => (name.value = e.currentTarget.value)}
            />
          </label>
          <div class="buttons">
            <button
              type="button"
              class="primary"
              disabled={busy.value || name.value.trim() === ""}
              onClick={() => void state.start()}
            >
              {t("train.start")}
            </button>
            <button type="button" disabled={busy.value} onClick={() => void state.planMemory()}>
              {t("train.plan")}
            </button>
          </div>
        </>
      )}
      {training.value && (
        <div class="buttons">
          <button type="button" class="primary" disabled={live.value?.state === "pausing"} onClick={() => state.pause()}>
            {live.value?.state === "pausing" ? t("train.pausing") : t("train.pause")}
          </button>
          <button type="button" disabled={live.value?.state === "pausing"} onClick={() => state.pause("stopped")}>
            {t("train.stop")}
          </button>
        </div>
      )}
      <ProgressBar progress={progress.value} onCancel={ends.has(progress.value?.what ?? "") ? state.cancel : undefined} />
    </section>
  );
}
