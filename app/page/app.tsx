/** @file The frame of the page: header, the view that is chosen, what goes wrong. */

import type { ComponentType } from "preact";
import { useEffect, useState } from "preact/hooks";
import { languages, chooseLanguage, language, type Language, t } from "../text/text.ts";
import { toldError } from "../text/library.ts";
import { en, type TextKey } from "../text/en.ts";
import { gpu, NoGpu } from "./device.tsx";
import { failure, notLoaded } from "./link.ts";
import { said } from "./said.ts";
import { view, type View, views } from "./route.ts";
import { NewVersion } from "./version.tsx";
import { SegmentView } from "./segment/view.tsx";

/** Those that are not shown at first are loaded when they are. */
const later: Readonly<Record<Exclude<View, "segment">, () => Promise<ComponentType>>> = {
  train: () => import("./train/view.tsx").then((m) => m.TrainView),
  look: () => import("./look/view.tsx").then((m) => m.LookView),
};

function Current() {
  const [loaded, setLoaded] = useState<Partial<Record<View, ComponentType>>>({ segment: SegmentView });
  const chosen = view.value;
  useEffect(() => {
    if (chosen !== "segment" && !loaded[chosen])
      void later[chosen]().then((component) => setLoaded((l) => ({ ...l, [chosen]: component })), notLoaded);
  }, [chosen]);
  const Component = loaded[chosen];
  return Component ? <Component /> : null;
}

export function App() {
  useEffect(() => {
    document.documentElement.lang = language.value;
    document.title = `${t(`view.${view.value}`)} · ${t("app.name")}`;
  }, [language.value, view.value]);
  return (
    <>
      <a class="skip" href="#content" onClick={(e) => (e.preventDefault(), document.getElementById("content")?.focus())}>
        {t("app.skip")}
      </a>
      <Header />
      <Failure />
      <NewVersion />
      <main id="content" tabIndex={-1}>
        {/* Comparing label maps needs no GPU. */}
        {gpu.value.state === "none" && view.value !== "look" ? <NoGpu /> : <Current />}
      </main>
      <Footer />
      <p class="hidden" role="status">
        {said.value}
      </p>
    </>
  );
}

function Header() {
  return (
    <header>
      <strong class="brand">{t("app.name")}</strong>
      <nav aria-label={t("app.views")}>
        {views.map((name) => (
          <a key={name} href={`#${name}`} aria-current={view.value === name ? "page" : undefined}>
            {t(`view.${name}`)}
          </a>
        ))}
      </nav>
      <span class="tagline">{t("app.tagline")}</span>
      <select
        aria-label={t("app.language")}
        value={language.value}
        onChange={(e) => chooseLanguage(e.currentTarget.value as Language)}
      >
        {Object.entries(languages).map(([code, name]) => (
          <option key={code} value={code} lang={code}>
            {name}
          </option>
        ))}
      </select>
    </header>
  );
}

function Failure() {
  const found = failure.value;
  if (!found) return null;
  const key = `error.${found.code}`;
  const told = toldError(found.message);
  return (
    <div class="failure" role="alert">
      <div>
        <p>
          <strong>{t(Object.hasOwn(en, key) ? (key as TextKey) : "error.title")}</strong>
        </p>
        {told && <p>{told}</p>}
        {/* The library's own words are English, by which an error is looked up. */}
        {found.message !== "" && (
          <p>
            {t("error.detail")}
            <span lang="en">{found.message}</span>
          </p>
        )}
      </div>
      <button type="button" onClick={() => (failure.value = null)}>
        {t("error.close")}
      </button>
    </div>
  );
}

function Footer() {
  const { state, name = "" } = gpu.value;
  return (
    <footer>
      <span data-gpu={state}>
        {state === "ready"
          ? t("app.device", { name })
          : state === "software"
            ? t("app.deviceSoftware", { name })
            : state === "looking"
              ? t("app.starting")
              : ""}
      </span>
      <span>{t("app.notDevice")}</span>
    </footer>
  );
}
