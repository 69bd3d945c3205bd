/** @file What is chosen and done in the view Look. */

import { batch, signal } from "@preact/signals";
import type { ComparedCase, Comparison, DataSource, PickedFile, RunSummary } from "../../protocol.ts";
import type { Picked } from "../files.ts";
import { attempt, call, save } from "../link.ts";
import { task } from "../task.ts";

export const runs = signal<readonly RunSummary[]>([]);
export const run = signal<string | null>(null);
export const folders = signal<Readonly<Record<Part, readonly PickedFile[]>>>({ truth: [], prediction: [], images: [] });
export const comparison = signal<Comparison | null>(null);
export const shownCase = signal<string | null>(null);
export const loaded = signal<ComparedCase | null>(null);
export const side = signal<"truth" | "prediction" | "both">("both");
/** The run that is compared has a report. */
export const reported = signal<string | null>(null);
export const wantsData = signal(false);

export type Part = "truth" | "prediction" | "images";

const { progress, run: working, cancel } = task();
export { cancel, progress };

export function loadRuns(): Promise<boolean> {
  return attempt(async () => {
    const found = (await call("runs", null)).filter((r) => r.hasWeights);
    batch(() => {
      runs.value = found;
      if (!found.some((r) => r.name === run.value)) run.value = found[0]?.name ?? null;
    });
  });
}

export function chooseRun(name: string): void {
  run.value = name;
  wantsData.value = false;
}

function take(found: Comparison): Promise<void> {
  opened++;
  batch(() => {
    comparison.value = found;
    shownCase.value = null;
    loaded.value = null;
  });
  return found.cases.length > 0 ? open(found, found.cases[0].id) : Promise.resolve();
}

/** Segments and scores the validation cases of the run. */
export async function evaluate(picked?: Picked): Promise<void> {
  const chosen = runs.value.find((r) => r.name === run.value);
  if (!chosen) return;
  if (!chosen.dataReady && !picked) {
    wantsData.value = true;
    return;
  }
  wantsData.value = false;
  const source: DataSource | undefined = picked && {
    kind: "files",
    files: picked.files,
    name: picked.name,
    ...(picked.folder && { folder: picked.folder }),
  };
  await working(async (options) => {
    const found = await call("reportRun", { name: chosen.name, ...(source && { source }) }, options);
    reported.value = chosen.name;
    await take(found);
  });
}

export function pick(part: Part, { files }: Picked): void {
  folders.value = { ...folders.value, [part]: files };
}

export function compare(): Promise<boolean> {
  return working(async (options) => {
    const found = await call("compareFolders", folders.value, options);
    reported.value = null;
    await take(found);
  });
}

let opened = 0;

/** The row is chosen once its images are there; of several that are asked for, the last is shown, whichever comes first. */
async function open({ key }: Comparison, id: string, channel?: number | "color"): Promise<void> {
  const mine = ++opened;
  const found = await call("comparedCase", { key, id, channel });
  if (mine !== opened) return;
  batch(() => {
    shownCase.value = id;
    loaded.value = found;
  });
}

export const openCase = (id: string): Promise<boolean> => attempt(() => open(comparison.value!, id));
export const chooseChannel = (channel: number | "color"): Promise<boolean> =>
  attempt(() => open(comparison.value!, shownCase.value!, channel));
export const saveReport = (): Promise<boolean> => attempt(async () => save(await call("reportFile", { name: reported.value! })));
