/** @file Scored cases, worst first; choosing one shows it. */

import { toldError } from "../../text/library.ts";
import { shownScore, t } from "../../text/text.ts";
import { Swatch } from "../parts/swatch.tsx";
import * as state from "./state.ts";

export function Cases() {
  const { comparison, shownCase, reported } = state;
  const found = comparison.value;
  if (!found) return null;
  return (
    <section>
      <h2>{t("look.worst")}</h2>
      <p class="hint">{t("look.count", { count: found.cases.length })}</p>
      {state.side.value === "both" && <p class="hint">{t("look.legend")}</p>}
      <div class="scroll" tabIndex={0} role="region" aria-label={t("look.worst")}>
        <table class="cases">
          <thead>
            <tr>
              <th scope="col">{t("look.case")}</th>
              <th scope="col" class="number">
                {t("look.mean")}
              </th>
              {found.structures.map((s) => (
                <th key={s.name} scope="col" class="number">
                  <Swatch colors={s.colors} /> {state.side.value === "both" && <Swatch colors={s.lines} outlined />} {s.name}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {found.cases.map(({ id, mean, dice }) => (
              <tr key={id} class={shownCase.value === id ? "chosen" : undefined}>
                <th scope="row">
                  <button
                    type="button"
                    class="link"
                    aria-pressed={shownCase.value === id}
                    onClick={() => void state.openCase(id)}
                  >
                    {id}
                  </button>
                </th>
                <td class="number">{shownScore(mean)}</td>
                {dice.map((d, i) => (
                  <td key={found.structures[i].name} class="number">
                    {shownScore(d)}
                  </td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      {found.failed.map(({ id, reason }) => (
        <p key={id} class="hint warn">
          {t("look.failed", { id, reason: toldError(reason) ?? reason })}
        </p>
      ))}
      {reported.value && (
        <button type="button" onClick={() => void state.saveReport()}>
          {t("look.report")}
        </button>
      )}
    </section>
  );
}
