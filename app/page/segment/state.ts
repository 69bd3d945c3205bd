/** @file What is chosen and done in the view Segment. */

import { batch, computed, signal } from "@preact/signals";
import type { ModelInfo, NetworkInput, Picture3d, Result, ScanFacts, ScanInfo } from "../../protocol.ts";
import type { Picked } from "../files.ts";
import { attempt, call, save } from "../link.ts";
import { task } from "../task.ts";

export const scans = signal<readonly ScanInfo[]>([]);
export const scan = signal<string | null>(null);
export const facts = signal<ScanFacts | null>(null);
export const models = signal<readonly ModelInfo[]>([]);
export const model = signal<string | null>(null);
export const result = signal<Result | null>(null);
export const plan = signal<{ readonly windows: number; readonly bytes: number } | null>(null);
export const opacity = signal(0.55);
/** Structures that are not shown, by number. */
export const hidden = signal<ReadonlySet<number>>(new Set());

/** What is wrong with the slices of the chosen scan, which are read if the user wants them all the same. */
export const uneven = signal<string | null>(null);
/** Scans that could not be read. */
export const unreadable = signal<ReadonlySet<string>>(new Set());

const { progress, run, cancel } = task();
export { cancel, progress };
export const busy = computed(() => progress.value !== null);
/** Whether what is running can be ended: a scan that is read cannot. */
export const cancelable = signal(false);

/** Networks that say nothing of the images that they take. */
export const bare = computed(() => ["onnx", "tfjs"].includes(models.value.find((m) => m.key === model.value)?.kind ?? ""));
export const input = signal<NetworkInput>({ normalization: "none", axes: "xyz" });

/** The image that the viewer has; the same object while it is the same scan. */
export const picture = computed<Picture3d | null>(() => facts.value?.picture ?? null);

export function addScans({ files }: Picked): Promise<boolean> {
  return run(async ({ onEvent }) => {
    const found = await call("addScans", { files }, { onEvent });
    const keys = new Set(found.map((f) => f.key));
    scans.value = [...found, ...scans.value.filter((s) => !keys.has(s.key))];
    await show(found[0].key);
  });
}

export function addSample(): Promise<boolean> {
  return run(async () => {
    const found = await call("addSample", null);
    scans.value = [found, ...scans.value];
    await show(found.key);
  });
}

async function show(key: string, asItIs = false): Promise<void> {
  batch(() => {
    uneven.value = null;
    scan.value = key;
    result.value = null;
    facts.value = null;
    plan.value = null;
  });
  try {
    const found = await call("showScan", { scan: key, asItIs });
    if ("uneven" in found) uneven.value = found.uneven;
    else facts.value = found;
  } catch (error) {
    unreadable.value = new Set([...unreadable.value, key]);
    throw error;
  }
}

let asked = 0;

/** Another channel of what is shown; of several that are asked for, the last. */
export const chooseChannel = (channel: Picture3d["channel"]): Promise<boolean> =>
  attempt(async () => {
    const [mine, key] = [++asked, scan.value!];
    const picture = await call("scanPicture", { scan: key, channel });
    if (mine === asked && scan.value === key && facts.value) facts.value = { ...facts.value, picture };
  });

export const showAsItIs = (): Promise<boolean> => run(() => show(scan.value!, true));
export const chooseScan = (key: string): Promise<boolean> => run(() => show(key));

/** Asks for the models; a choice that is still there stays. */
export async function loadModels(): Promise<void> {
  await attempt(async () => {
    const found = await call("models", { site: document.baseURI });
    batch(() => {
      models.value = found;
      if (!found.some((m) => m.key === model.value)) model.value = found[0]?.key ?? null;
    });
  });
}

export function addModel({ files }: Picked): Promise<boolean> {
  return run(async () => {
    const added = await call("addModel", { files });
    batch(() => {
      models.value = [...models.value, added];
      chooseModel(added.key);
    });
  });
}

export function chooseModel(key: string): void {
  batch(() => {
    model.value = key;
    const { kind } = models.value.find((m) => m.key === key)!;
    input.value = { normalization: kind === "tfjs" ? "brainchop" : "none", axes: "xyz" };
  });
}

export async function segment(): Promise<void> {
  await run(async ({ onEvent, signal: ending }) => {
    const [from, by] = [scan.value, model.value];
    if (from === null || by === null) return;
    cancelable.value = true;
    const found = await call(
      "segment",
      { scan: from, model: by, ...(bare.value && { input: input.value }) },
      {
        signal: ending,
        onEvent(event) {
          if (event.kind === "plan") plan.value = event;
          else onEvent(event);
        },
      },
    );
    batch(() => {
      result.value = found;
      hidden.value = new Set();
    });
  });
  cancelable.value = false;
}

export function toggleStructure(index: number): void {
  const next = new Set(hidden.value);
  if (!next.delete(index)) next.add(index);
  hidden.value = next;
}

export const saveLabels = (): Promise<boolean> =>
  attempt(async () => save(await call("labelFile", { result: result.value!.key })));
export const saveObject = (kind: "seg" | "rtstruct"): Promise<boolean> =>
  attempt(async () => save(await call("objectFile", { result: result.value!.key, kind })));
export const saveVolumes = (): Promise<boolean> =>
  attempt(async () => save(await call("volumesFile", { result: result.value!.key })));
export const saveSurface = (structure: number): Promise<boolean> =>
  attempt(async () => save(await call("surfaceFile", { result: result.value!.key, structure })));
