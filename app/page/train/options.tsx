/** @file The options of a recipe as a form: each with its name in the page's language, what it is for and what it must be. */

import type { OptionInfo } from "../../protocol.ts";
import { told } from "../../text/library.ts";
import { t } from "../../text/text.ts";
import * as state from "./state.ts";

export function Options() {
  const { options, given, busy } = state;
  if (options.value.length === 0) return null;
  const changed = Object.keys(given.value).length > 0;
  return (
    <details class="more">
      <summary>{t("train.settings")}</summary>
      <p class="hint">{t("train.settingsHint")}</p>
      <form
        class="options"
        onSubmit={(event) => {
          event.preventDefault();
          void state.applyOptions();
        }}
      >
        {options.value.map((option) => (
          <OptionField key={option.name} option={option} />
        ))}
        <button type="submit" disabled={busy.value || !changed}>
          {t("train.apply")}
        </button>
      </form>
    </details>
  );
}

const textOf = (value: unknown): string => (Array.isArray(value) ? value.join(",") : String(value ?? ""));

function OptionField({ option: { name, help, expects, value, choices } }: { readonly option: OptionInfo }) {
  const shown = state.given.value[name] ?? value;
  const disabled = state.busy.value;
  const set = (next: unknown): void => state.setOption(name, next);
  if (typeof value === "boolean")
    return (
      <label class="check" title={told(help)}>
        <input type="checkbox" checked={shown === true} disabled={disabled} onChange={(e) => set(e.currentTarget.checked)} />
        <Name name={name} />
      </label>
    );
  // A list of choices says itself what may be chosen.
  return (
    <label class="field" title={choices ? told(help) : `${told(help)} (${told(expects)})`}>
      <Name name={name} />
      {choices ? (
        <select value={textOf(shown)} disabled={disabled} onChange={(e) => set(e.currentTarget.value)}>
          {choices.map((choice) => (
            <option key={String(choice)} value={String(choice)}>
              {String(choice)}
            </option>
          ))}
        </select>
      ) : (
        <input
          type="text"
          value={textOf(shown)}
          disabled={disabled}
          spellcheck={false}
          onInput={(e) => set(e.currentTarget.value)}
        />
      )}
      <span class="hint">{told(help)}</span>
    </label>
  );
}

/** By which the option is found in the documentation too, whatever the page's language. */
function Name({ name }: { readonly name: string }) {
  const shown = told(name);
  return (
    <span>
      {shown}
      {shown !== name && (
        <>
          {" "}
          <code lang="en">{name}</code>
        </>
      )}
    </span>
  );
}
