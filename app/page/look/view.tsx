/** @file The view Look: truth and predictions of a run or of two folders, worst cases first. */

import { useEffect, useMemo } from "preact/hooks";
import { t } from "../../text/text.ts";
import { colorsOf, namesOf } from "../colors.ts";
import { DropZone } from "../parts/drop_zone.tsx";
import { gpu } from "../device.tsx";
import { LazyViewer } from "../parts/lazy_viewer.tsx";
import { ProgressBar } from "../parts/progress.tsx";
import { Cases } from "./cases.tsx";
import * as state from "./state.ts";

export function LookView() {
  useEffect(() => void state.loadRuns(), []);
  return (
    <div class="split">
      <div class="panel">
        <h1>{t("look.title")}</h1>
        <RunChoice />
        <ProgressBar progress={state.progress.value} onCancel={state.cancel} />
        <Cases />
        <FolderChoice />
      </div>
      <Stage />
    </div>
  );
}

function RunChoice() {
  const { runs, run, progress, wantsData } = state;
  if (runs.value.length === 0 || gpu.value.state === "none") return null;
  const chosen = runs.value.find((r) => r.name === run.value);
  return (
    <section>
      <h2>{t("look.runs")}</h2>
      <label class="field">
        <span class="hidden">{t("look.runs")}</span>
        <select value={run.value ?? ""} onChange={(e) => state.chooseRun(e.currentTarget.value)}>
          {runs.value.map(({ name }) => (
            <option key={name} value={name}>
              {name}
            </option>
          ))}
        </select>
      </label>
      <button type="button" class="primary" disabled={progress.value !== null} onClick={() => void state.evaluate()}>
        {t("look.evaluate")}
      </button>
      {wantsData.value && chosen && (
        <DropZone
          id="drop-again"
          small
          files={false}
          title={t("train.needsData", { data: chosen.data })}
          hint={t("drop.dataHint")}
          onPick={(picked) => void state.evaluate(picked)}
        />
      )}
    </section>
  );
}

const parts: readonly state.Part[] = ["truth", "prediction", "images"];

function FolderChoice() {
  const { folders, progress } = state;
  const ready = folders.value.truth.length > 0 && folders.value.prediction.length > 0;
  return (
    <section>
      <h2>{t("look.folders")}</h2>
      {parts.map((part) => (
        <DropZone
          key={part}
          id={`drop-${part}`}
          small
          title={t(`look.${part}`)}
          hint={folders.value[part].length > 0 ? t("look.chosen", { count: folders.value[part].length }) : ""}
          onPick={(picked) => state.pick(part, picked)}
        />
      ))}
      <button type="button" disabled={!ready || progress.value !== null} onClick={() => void state.compare()}>
        {t("look.compare")}
      </button>
    </section>
  );
}

const sides = ["both", "truth", "prediction"] as const;

function Stage() {
  const { comparison, loaded, side } = state;
  const found = loaded.value;
  const structures = comparison.value?.structures ?? [];
  // Both at once would hide one another in colors that are the same.
  const layers = useMemo(() => {
    if (!found) return [];
    const colors = colorsOf(structures);
    if (side.value !== "both") return [{ nifti: found[side.value], colors }];
    return [
      { nifti: found.prediction, colors },
      { nifti: found.outline, colors: colorsOf(structures, "lines") },
    ];
  }, [found, structures, side.value]);
  if (!found) return <div class="stage empty">{t("look.empty")}</div>;
  const opacity = side.value === "both" ? [0.45, 1] : [0.6];
  return (
    <div class="stage">
      <LazyViewer
        image={found.picture}
        subject={state.shownCase.value ?? ""}
        onChannel={(channel) => void state.chooseChannel(channel)}
        layers={layers}
        opacity={opacity}
        hidden={[]}
        names={namesOf(structures)}
      >
        <div class="layouts sides" role="radiogroup" aria-label={t("look.show")}>
          {sides.map((name) => (
            <label key={name}>
              <input type="radio" name="side" checked={side.value === name} onChange={() => (side.value = name)} />
              <span>{t(`look.${name}`)}</span>
            </label>
          ))}
        </div>
      </LazyViewer>
    </div>
  );
}
