/** @file The runs that this browser keeps, and what can be done with each. */

import { useState } from "preact/hooks";
import type { RunSummary } from "../../protocol.ts";
import { shownScore, t } from "../../text/text.ts";
import { DropZone } from "../parts/drop_zone.tsx";
import { go } from "../route.ts";
import * as look from "../look/state.ts";
import * as state from "./state.ts";

export function RunList() {
  const { runs } = state;
  return (
    <section>
      <h2>{t("train.runs")}</h2>
      {runs.value.length === 0 && <p class="hint">{t("train.noRuns")}</p>}
      <ul class="runs">
        {runs.value.map((run) => (
          <Run key={run.name} run={run} />
        ))}
      </ul>
    </section>
  );
}

function Run({ run }: { readonly run: RunSummary }) {
  const { busy, wanted } = state;
  const [sure, setSure] = useState(false);
  const facts = [run.recipe, run.data, t("train.progress", { done: run.epochsDone, total: run.epochs })];
  if (run.dice !== undefined) facts.push(t("train.best", { dice: shownScore(run.dice) }));
  return (
    <li>
      <button type="button" class="link row-name" disabled={busy.value} onClick={() => void state.show(run)}>
        {run.name}
      </button>
      <p class="hint">{facts.join(" · ")}</p>
      <div class="buttons">
        {!run.finished && (
          <button type="button" disabled={busy.value} onClick={() => void state.resume(run)}>
            {t("train.resume")}
          </button>
        )}
        {run.hasWeights && (
          <button
            type="button"
            disabled={busy.value}
            onClick={() => {
              look.chooseRun(run.name);
              go("look");
            }}
          >
            {t("train.look")}
          </button>
        )}
        <button type="button" class="quiet" disabled={busy.value} onClick={() => void state.download(run)}>
          {t("train.download")}
        </button>
        {sure ? (
          <button
            type="button"
            class="danger"
            disabled={busy.value}
            onClick={() => void state.remove(run)}
            onBlur={() => setSure(false)}
          >
            {t("train.deleteSure")}
          </button>
        ) : (
          <button type="button" class="quiet" disabled={busy.value} onClick={() => setSure(true)}>
            {t("train.delete")}
          </button>
        )}
      </div>
      {wanted.value === run.name && (
        <DropZone
          id="drop-again"
          small
          files={false}
          title={t("train.needsData", { data: run.data })}
          hint={t("drop.dataHint")}
          onPick={(picked) => void state.resume(run, picked)}
        />
      )}
    </li>
  );
}
