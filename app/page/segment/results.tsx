/** @file What was found: a table of structures with their volumes, and files to save. */

import { useEffect, useRef } from "preact/hooks";
import type { Result } from "../../protocol.ts";
import { shownNumber, t } from "../../text/text.ts";
import { Swatch } from "../parts/swatch.tsx";
import { said } from "../said.ts";
import * as state from "./state.ts";

const isEmpty = ({ structures }: Result): boolean => structures.every((s) => s.voxels === 0);
const doneIn = ({ model, seconds }: Result): string => t("segment.done", { model, seconds: seconds.toFixed(1) });

/** Of a picture the pixels: it does not say how large they are. */
const volumeOf = ({ milliliters, voxels }: Result["structures"][number]): string =>
  milliliters === null ? t("result.pixels", { value: shownNumber(voxels) }) : t("result.ml", { value: shownNumber(milliliters) });

/** All of it in a line. */
function summary(found: Result): string {
  const parts = found.structures.filter((s) => s.voxels > 0).map((s) => `${s.name} ${volumeOf(s)}`);
  return [doneIn(found), isEmpty(found) ? t("result.none") : parts.join(", ")].join(". ");
}

export function Results() {
  const { result, hidden, opacity } = state;
  const found = result.value;
  const section = useRef<HTMLElement>(null);
  // It may lie below what the panel shows.
  useEffect(() => section.current?.scrollIntoView({ block: "nearest" }), [found?.key]);
  useEffect(() => {
    if (found) said.value = summary(found);
  }, [found?.key]);
  if (!found) return null;
  const empty = isEmpty(found);
  return (
    <section ref={section} class="results">
      <h2>{t("segment.step3")}</h2>
      <p class="hint">{doneIn(found)}</p>
      {found.notes.map((text) => (
        <p key={text} class="hint warn" role="alert">
          {t("scan.note")}
          <span lang="en">{text}</span>
        </p>
      ))}
      {empty && <p>{t("result.none")}</p>}
      <table class="structures">
        <thead>
          <tr>
            <th scope="col">{t("result.structure")}</th>
            <th scope="col" class="number">
              {t(found.structures.some((s) => s.milliliters === null) ? "result.area" : "result.volume")}
            </th>
            <th scope="col">
              <span class="hidden">STL</span>
            </th>
          </tr>
        </thead>
        <tbody>
          {found.structures.map((structure, i) => {
            const { name, colors, voxels } = structure;
            return (
              <tr key={name} class={voxels === 0 ? "absent" : undefined}>
                <th scope="row">
                  <label class="check">
                    <input
                      type="checkbox"
                      checked={!hidden.value.has(i)}
                      disabled={voxels === 0}
                      aria-label={t("result.show", { name })}
                      onChange={() => state.toggleStructure(i)}
                    />
                    <Swatch colors={colors} />
                    <span>{name}</span>
                  </label>
                </th>
                <td class="number">{volumeOf(structure)}</td>
                <td class="number">
                  <button
                    type="button"
                    class="quiet"
                    disabled={voxels === 0}
                    aria-label={t("result.stl", { name })}
                    onClick={() => void state.saveSurface(i)}
                  >
                    STL
                  </button>
                </td>
              </tr>
            );
          })}
        </tbody>
      </table>
      <label class="slider">
        <span>{t("result.opacity")}</span>
        <input
          type="range"
          min="0"
          max="1"
          step="0.05"
          value={opacity.value}
          onInput={(e) => (opacity.value = Number(e.currentTarget.value))}
        />
      </label>
      <div class="buttons">
        <button type="button" onClick={() => void state.saveLabels()}>
          {t("result.nifti")}
        </button>
        {found.dicom && (
          <>
            <button type="button" onClick={() => void state.saveObject("seg")}>
              {t("result.seg")}
            </button>
            <button type="button" onClick={() => void state.saveObject("rtstruct")}>
              {t("result.rtstruct")}
            </button>
          </>
        )}
        <button type="button" onClick={() => void state.saveVolumes()}>
          {t("result.csv")}
        </button>
      </div>
    </section>
  );
}
