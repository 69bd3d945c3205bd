/** @file The view Segment: a scan, a model, a result. */

import { useEffect, useMemo } from "preact/hooks";
import type { ModelInfo, ScanFacts } from "../../protocol.ts";
import { toldError } from "../../text/library.ts";
import { language, shownBytes, t } from "../../text/text.ts";
import { colorsOf, hiddenLabels, namesOf } from "../colors.ts";
import { DropZone, useDrop } from "../parts/drop_zone.tsx";
import { LazyViewer } from "../parts/lazy_viewer.tsx";
import { ProgressBar } from "../parts/progress.tsx";
import { Results } from "./results.tsx";
import * as state from "./state.ts";

export function SegmentView() {
  useEffect(() => void state.loadModels(), []);
  return (
    <div class="split">
      <div class="panel">
        <h1>{t("segment.title")}</h1>
        <ScanStep />
        <ModelStep />
        <RunStep />
        <Results />
      </div>
      <Stage />
    </div>
  );
}

function ScanStep() {
  const { scans, scan, facts, busy, unreadable } = state;
  const any = scans.value.length > 0;
  return (
    <section>
      <h2>{t("segment.step1")}</h2>
      <DropZone
        id="drop-scan"
        title={t("drop.scan")}
        hint={t("drop.scanHint")}
        small={any}
        disabled={busy.value}
        onPick={(picked) => void state.addScans(picked)}
      >
        {!any && (
          <button type="button" class="link" disabled={busy.value} onClick={() => void state.addSample()}>
            {t("drop.sample")}
          </button>
        )}
      </DropZone>
      {any && (
        <fieldset class="list">
          <legend class="hidden">{t("scan.list")}</legend>
          {scans.value.map(({ key, name, format, files, problems, made }) => (
            <label key={key} class="row">
              <input
                type="radio"
                name="scan"
                checked={scan.value === key}
                disabled={busy.value}
                onChange={() => void state.chooseScan(key)}
              />
              <span class="row-main">
                <span class="row-name">{made ? t("scan.sample") : name}</span>
                <span class="hint">
                  {made ? t("scan.made") : format}
                  {files > 1 && ` · ${t("scan.files", { count: files })}`}
                  {scan.value === key && facts.value && ` · ${sizeOf(facts.value)}`}
                </span>
                {unreadable.value.has(key) && <span class="hint bad">{t("scan.unreadable")}</span>}
                {[...problems, ...((scan.value === key && facts.value?.notes) || [])].map((text) => (
                  <span key={text} class="hint warn">
                    {t("scan.note")}
                    <span lang="en">{text}</span>
                  </span>
                ))}
              </span>
            </label>
          ))}
        </fieldset>
      )}
      <UnevenSlices />
    </section>
  );
}

/** Says what is wrong, and lets the user go on all the same. */
function UnevenSlices() {
  const { uneven, busy } = state;
  if (uneven.value === null) return null;
  return (
    <div class="warning" role="alert">
      <p>{toldError(uneven.value) ?? uneven.value}</p>
      <p>{t("scan.uneven")}</p>
      <button type="button" disabled={busy.value} onClick={() => void state.showAsItIs()}>
        {t("scan.asItIs")}
      </button>
    </div>
  );
}

function sizeOf({ shape: [channels, ...size], spacing, picture }: ScanFacts): string {
  const shown = `${channels > 1 ? `${channels} × ` : ""}${(picture.flat ? size.slice(0, 2) : size).join(" × ")}`;
  if (picture.flat) return t("scan.pixels", { size: shown });
  const distances = spacing.map((s) => s.toLocaleString(language.value, { maximumFractionDigits: 3 }));
  return t("scan.size", { size: shown, spacing: distances.join(" × ") });
}

function ModelStep() {
  const { models, model, busy } = state;
  const described = ({ from, description }: ModelInfo): string => {
    const text = description?.[language.value] ?? description?.en;
    return text ? t("model.described", { text, from: t(`model.${from}`) }) : t(`model.${from}`);
  };
  return (
    <section>
      <h2>{t("segment.step2")}</h2>
      {models.value.length === 0 && <p class="hint">{t("model.noModel")}</p>}
      {models.value.length > 0 && (
        <fieldset class="list">
          <legend class="hidden">{t("model.title")}</legend>
          {models.value.map((m) => (
            <label key={m.key} class="row">
              <input
                type="radio"
                name="model"
                checked={model.value === m.key}
                disabled={busy.value}
                onChange={() => state.chooseModel(m.key)}
              />
              <span class="row-main">
                <span class="row-name">{m.name}</span>
                <span class="hint">{described(m)}</span>
              </span>
            </label>
          ))}
        </fieldset>
      )}
      {state.bare.value && <InputChoice />}
      <details class="more">
        <summary>{t("drop.model")}</summary>
        <DropZone
          id="drop-model"
          small
          title={t("drop.model")}
          hint={t("drop.modelHint")}
          filesLabel={t("drop.modelFile")}
          folderLabel={t("drop.modelFolder")}
          disabled={state.busy.value}
          onPick={(picked) => void state.addModel(picked)}
        />
      </details>
    </section>
  );
}

const normalizations = ["none", "zscore", "minmax", "brainchop", "brainchop-quantile"] as const;

function InputChoice() {
  const { input, busy } = state;
  const { normalization, axes } = input.value;
  return (
    <div class="pair">
      <label class="field">
        <span>{t("model.normalization")}</span>
        <select
          value={normalization}
          disabled={busy.value}
          onChange={(e) => (input.value = { axes, normalization: normalizations[e.currentTarget.selectedIndex] })}
        >
          {normalizations.map((name) => (
            <option key={name} value={name}>
              {t(`model.${name}`)}
            </option>
          ))}
        </select>
      </label>
      <label class="field">
        <span>{t("model.axes")}</span>
        <select
          value={axes}
          disabled={busy.value}
          onChange={(e) => (input.value = { normalization, axes: e.currentTarget.selectedIndex === 0 ? "xyz" : "zyx" })}
        >
          <option value="xyz">x, y, z</option>
          <option value="zyx">z, y, x</option>
        </select>
      </label>
    </div>
  );
}

function RunStep() {
  const { facts, model, busy, progress, plan, cancelable, result } = state;
  const detail = plan.value
    ? t("segment.plan", { windows: plan.value.windows, memory: shownBytes(plan.value.bytes) })
    : undefined;
  return (
    <section class="act">
      <button
        type="button"
        class="primary"
        disabled={busy.value || facts.value === null || model.value === null}
        onClick={() => void state.segment()}
      >
        {result.value ? t("segment.again") : t("segment.run")}
      </button>
      <ProgressBar progress={progress.value} detail={detail} onCancel={cancelable.value ? state.cancel : undefined} />
    </section>
  );
}

function Stage() {
  const { picture, result, opacity, hidden } = state;
  const found = result.value;
  const layers = useMemo(() => (found ? [{ nifti: found.overlay, colors: colorsOf(found.structures) }] : []), [found]);
  // Where people drop scans too: it is the largest place, and says that they appear there.
  const { over, on } = useDrop(state.busy.value, (picked) => void state.addScans(picked));
  const held = over ? " over" : "";
  if (!picture.value)
    return (
      <div class={`stage empty${held}`} {...on}>
        {t("scan.empty")}
      </div>
    );
  return (
    <div class={`stage${held}`} {...on}>
      <LazyViewer
        image={picture.value}
        subject={state.scan.value ?? ""}
        onChannel={(channel) => void state.chooseChannel(channel)}
        layers={layers}
        opacity={[opacity.value]}
        hidden={found ? hiddenLabels(found.structures, hidden.value) : []}
        names={found ? namesOf(found.structures) : []}
      />
    </div>
  );
}
