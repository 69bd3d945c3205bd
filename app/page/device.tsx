/** @file Whether there is a GPU to compute on, and what to do if there is none. */

import { signal } from "@preact/signals";
import { t } from "../text/text.ts";
import { call, failure, WorkerError } from "./link.ts";

interface Gpu {
  readonly state: "looking" | "ready" | "software" | "none";
  readonly name?: string;
}

export const gpu = signal<Gpu>({ state: "looking" });

/** Asks the worker, where the device is opened: a page may have WebGPU that its workers lack. */
export async function lookForGpu(): Promise<void> {
  try {
    const { name, software } = await call("device", null);
    gpu.value = { state: software ? "software" : "ready", name };
  } catch (error) {
    gpu.value = { state: "none" };
    if (error instanceof WorkerError && error.code !== "NoAdapter") failure.value = { code: error.code, message: error.message };
  }
}

export function NoGpu() {
  return (
    <section class="nogpu">
      <h1>{t("nogpu.title")}</h1>
      <p>{t("nogpu.text")}</p>
      <ul>
        <li>{t("nogpu.chrome")}</li>
        <li>{t("nogpu.firefox")}</li>
        <li>{t("nogpu.safari")}</li>
      </ul>
      <p>{t("nogpu.hint")}</p>
      <p>
        <a href="#look">{t("nogpu.look")}</a>
      </p>
    </section>
  );
}
