/** @file What is chosen and done in the view Train. */

import { batch, computed, signal } from "@preact/signals";
import type {
  DataInfo,
  DataSource,
  EpochInfo,
  MemoryPlan,
  OptionInfo,
  RunPlan,
  RunSummary,
  Tile,
  TrainEvent,
} from "../../protocol.ts";
import type { Picked } from "../files.ts";
import { attempt, call, save, WorkerError } from "../link.ts";
import { task, type TaskHooks } from "../task.ts";

export const data = signal<DataInfo | null>(null);
export const recipe = signal<string>("slices2d");
export const fold = signal<number | "all">(0);
export const plan = signal<RunPlan | null>(null);
/** Of the recipe: as the data have it, or before that its standard. */
export const options = signal<readonly OptionInfo[]>([]);
export const memory = signal<MemoryPlan | null>(null);
export const name = signal("");
export const runs = signal<readonly RunSummary[]>([]);
/** What the user changed of the options, as text. */
export const given = signal<Readonly<Record<string, unknown>>>({});
/** A run that waits for its data. */
export const wanted = signal<string | null>(null);

/** A run as it is seen while it trains, or after it was paused. */
export interface Live {
  readonly name: string;
  readonly state: "training" | "pausing" | "paused" | "stopped" | "finished";
  readonly steps: readonly (readonly [step: number, loss: number])[];
  readonly epochs: readonly EpochInfo[];
  readonly structures: readonly string[];
  readonly total: number;
  readonly epochsTotal: number;
  readonly rate: number;
  readonly eta: number;
  readonly lost: boolean;
  readonly tiles: readonly Tile[];
  readonly notes: readonly string[];
}

export const live = signal<Live | null>(null);
const { progress, run: working, cancel } = task();
export { cancel, progress };
export const training = signal(false);
export const busy = computed(() => progress.value !== null || training.value);

export function loadRuns(): Promise<boolean> {
  return attempt(async () => {
    runs.value = await call("runs", null);
  });
}

const sourceOf = ({ files, name, folder }: Picked): DataSource => ({ kind: "files", files, name, ...(folder && { folder }) });

const synthetic: DataSource = { kind: "synthetic", cases: 12, seed: 7 };

export const openPicked = (picked: Picked): Promise<boolean> => openData(sourceOf(picked));
export const openSynthetic = (): Promise<boolean> => openData(synthetic);

function openData(source: DataSource): Promise<boolean> {
  return working(async (hooks) => {
    const { onEvent } = hooks;
    batch(() => {
      plan.value = null;
      memory.value = null;
      given.value = {};
      fold.value = 0;
    });
    data.value = await call("openData", { source }, { onEvent });
    name.value = freeName(data.value.name);
    if (data.value.folds === 0) fold.value = "all";
    await configure(hooks);
  });
}

/** A name that no run has. */
function freeName(base: string): string {
  const plain = base.replace(/[^\p{L}\p{N}_-]+/gu, "_") || "run";
  const taken = new Set(runs.value.map((r) => r.name));
  for (let i = 1; ; i++) if (!taken.has(`${plain}_${i}`)) return `${plain}_${i}`;
}

async function configure({ onEvent, signal: ending }: TaskHooks): Promise<void> {
  memory.value = null;
  if (plan.value === null) options.value = await call("recipeOptions", { recipe: recipe.value });
  const configured = await call(
    "configureRun",
    { recipe: recipe.value, fold: fold.value, given: given.value },
    { onEvent, signal: ending },
  );
  batch(() => {
    plan.value = configured;
    options.value = configured.options;
    data.value = configured.data;
  });
}

export function chooseRecipe(chosen: string): Promise<boolean> {
  return working(async (hooks) => {
    recipe.value = chosen;
    given.value = {};
    plan.value = null;
    await configure(hooks);
  });
}

export function chooseFold(chosen: number | "all"): Promise<boolean> {
  return working(async (hooks) => {
    fold.value = chosen;
    await configure(hooks);
  });
}

export function setOption(option: string, value: unknown): void {
  given.value = { ...given.value, [option]: value };
}

export const applyOptions = (): Promise<boolean> => working(configure);

export function planMemory(): Promise<boolean> {
  return working(async (hooks) => {
    await configure(hooks);
    memory.value = await call("planRun", null, hooks);
  });
}

const mostSteps = 20_000;

/** What an event changes. */
function advanced(now: Live, event: TrainEvent): Live {
  switch (event.kind) {
    case "log":
      return { ...now, notes: [...now.notes, event.text] };
    case "lost":
      return { ...now, lost: true };
    case "steps":
      return { ...now, steps: joined(now.steps, event.steps), total: event.total, rate: event.rate, eta: event.eta };
    case "epoch":
      return {
        ...now,
        steps: joined(now.steps, event.steps),
        epochs: [...now.epochs, event.epoch],
        epochsTotal: event.epochs,
        lost: false,
      };
    case "tile":
      return {
        ...now,
        tiles: [event.tile, ...now.tiles.filter((tile) => tile.id !== event.tile.id)].toSorted((a, b) => (a.id < b.id ? -1 : 1)),
      };
    case "progress":
      return now;
  }
}

/** Steps that were done again after a loss of the device replace what was there. */
function joined(before: Live["steps"], more: Live["steps"]): Live["steps"] {
  if (more.length === 0) return before;
  const kept = before.at(-1) && before.at(-1)![0] >= more[0][0] ? before.filter(([step]) => step < more[0][0]) : before;
  return [...kept, ...more].slice(-mostSteps);
}

async function follow(
  from: Live,
  start: (options: { onEvent: (event: TrainEvent) => void; signal: AbortSignal }) => Promise<{ finished: boolean }>,
) {
  // A second press while the first was still looking at the run.
  if (training.value) return;
  asked = "paused";
  batch(() => {
    training.value = true;
    live.value = from;
  });
  // So that the browser does not clear runs away when disks get full; it may say no. Workers cannot ask.
  void navigator.storage.persist?.().catch(() => false);
  await working(async ({ onEvent: onProgress, signal: ending }) => {
    const onEvent = (event: TrainEvent): void => {
      if (event.kind === "progress") return onProgress(event);
      onProgress(null);
      live.value = advanced(live.value!, event);
    };
    try {
      const { finished } = await start({ onEvent, signal: ending });
      live.value = { ...live.value!, state: finished ? "finished" : asked };
    } catch (error) {
      const nothingYet = error instanceof WorkerError && from.steps.length === 0 && live.value!.steps.length === 0;
      live.value = nothingYet ? null : { ...live.value!, state: "paused" };
      throw error;
    }
  });
  training.value = false;
  await loadRuns();
}

const fresh = (run: string, structures: readonly string[], epochsTotal: number): Live => ({
  name: run,
  state: "training",
  steps: [],
  epochs: [],
  structures,
  total: 0,
  epochsTotal,
  rate: 0,
  eta: NaN,
  lost: false,
  tiles: [],
  notes: [],
});

/** Trains what the form says; options that were changed and not applied are. */
export async function start(): Promise<void> {
  // A folder's name.
  const run = name.value.trim().replace(/[/\\]/g, "_");
  // What cannot be applied must not train with what was there before.
  if (!(await applyOptions()) || !plan.value || !data.value) return;
  const epochs = Number(options.value.find((o) => o.name === "epochs")?.value ?? 0);
  await follow(fresh(run, data.value.structures, epochs), (options) => call("startRun", { name: run }, options));
  name.value = freeName(data.value.name);
}

let asked: "paused" | "stopped" = "paused";

/** Ends the training after its step. To pause and to stop are the same to the run, which can always go on; the page says what one has. */
export function pause(as: typeof asked = "paused"): void {
  asked = as;
  cancel();
  if (live.value) live.value = { ...live.value, state: "pausing" };
}

/** Shows a run, and goes on with it. */
export async function resume(run: RunSummary, picked?: Picked): Promise<void> {
  if (!run.dataReady && !picked) {
    wanted.value = run.name;
    return;
  }
  wanted.value = null;
  const source = picked && sourceOf(picked);
  await attempt(async () => {
    const { steps, epochs, structures } = await call("curves", { name: run.name });
    const from = { ...fresh(run.name, structures, run.epochs), steps, epochs };
    await follow(from, (options) => call("resumeRun", { name: run.name, ...(source && { source }) }, options));
  });
}

/** Shows what a run has learned. */
export const show = (run: RunSummary): Promise<boolean> =>
  attempt(async () => {
    const { steps, epochs, structures } = await call("curves", { name: run.name });
    live.value = {
      ...fresh(run.name, structures, run.epochs),
      steps,
      epochs,
      total: steps.at(-1)?.[0] ?? 0,
      state: run.finished ? "finished" : "paused",
    };
  });

export function remove(run: RunSummary): Promise<boolean> {
  return attempt(async () => {
    await call("deleteRun", { name: run.name });
    if (live.value?.name === run.name) live.value = null;
    await loadRuns();
  });
}

export function download(run: RunSummary): Promise<boolean> {
  return working(async ({ onEvent }) => save(await call("runFile", { name: run.name }, { onEvent })));
}
