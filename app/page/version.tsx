/** @file The page kept for use offline, and a newer one that waits until the user wants it: this one may be training. */

import { signal } from "@preact/signals";
import { t } from "../text/text.ts";

const waiting = signal<ServiceWorker | null>(null);

/** Has the built page kept; without a service worker it works, but only online. */
export function keepOffline(): void {
  if ("serviceWorker" in navigator && import.meta.env.PROD) void register().catch(() => undefined);
}

async function register(): Promise<void> {
  const registration = await navigator.serviceWorker.register("./sw.js", { scope: "./" });
  const look = (): void => {
    // The first of all replaces nothing.
    waiting.value = navigator.serviceWorker.controller ? registration.waiting : null;
  };
  look();
  registration.addEventListener("updatefound", () => registration.installing?.addEventListener("statechange", look));
}

function load(): void {
  navigator.serviceWorker.addEventListener("controllerchange", () => location.reload());
  waiting.value?.postMessage("go on");
}

export function NewVersion() {
  if (!waiting.value) return null;
  return (
    <p class="version" role="status">
      {t("app.update")}{" "}
      <button type="button" class="link" onClick={load}>
        {t("app.updateNow")}
      </button>
    </p>
  );
}
