/** @file Training in the page: data opened, options chosen from them, memory planned, and a run that pauses, goes on and survives a lost device. */

import { ConfigError, DeviceLostError } from "voxgrad";
import {
  configure,
  fit,
  folderOptions,
  type NewRun,
  type Option,
  planTraining,
  readConfig,
  readRunInfo,
  type Recipe,
  recipes,
  type RunEvent,
  type RunOptions,
  type RunStore,
  runOptionTable,
} from "voxgrad/seg";
import type { DataInfo, DataSource, MemoryPlan, OptionInfo, RunPlan } from "../protocol.ts";
import { alone, device } from "./gpu.ts";
import { closeModel } from "./models.ts";
import { type OpenData, openData } from "./run_data.ts";
import { holding, recipeNamed, rememberData, rememberedData, storeOf } from "./runs.ts";
import type { CallContext } from "./serve.ts";

type Config = RunOptions & Readonly<Record<string, unknown>>;

interface Prepared {
  readonly recipe: Recipe;
  readonly run: NewRun<object>;
  readonly fold: number | "all";
}

let data: { readonly source: DataSource; readonly opened: OpenData } | undefined;
let prepared: Prepared | undefined;

export async function openTrainingData(
  { source }: { readonly source: DataSource },
  { tell }: CallContext<"openData">,
): Promise<DataInfo> {
  tell({ kind: "progress", what: "reading", done: 0, total: 1 });
  prepared = undefined;
  const opened = await openData(source);
  data = { source, opened };
  return infoOf(opened);
}

function infoOf({ index, splits, name }: OpenData): DataInfo {
  const structures = index.labels.filter((l) => !l.ignore && !l.values.includes(0)).map((l) => l.name);
  return {
    name,
    training: index.training.length,
    test: index.test.length,
    channels: index.modality,
    structures,
    folds: splits.length,
    notes: index.notes ?? [],
    recipes: recipes.map((r) => ({ name: r.name, summary: r.summary })),
  };
}

function dataOpen(): NonNullable<typeof data> {
  if (data) return data;
  throw new ConfigError("choose data first");
}

/** What a page may know better than a recipe: a class waits for its first picture, and a tab may be closed at any time. */
const forPages = { validateEvery: 1, checkpointSeconds: 30 };
/** Pictures in a run, about: of few cases an epoch is a few steps, beside which each validation would take longest. */
const mostPictures = 50;

/** What data that are made train with in a minute or two, also without a GPU. */
const forSynthetic: Readonly<Record<string, Readonly<Record<string, unknown>>>> = {
  slices2d: {
    epochs: 6,
    batchSize: 8,
    samplesPerVolume: 8,
    patchSize: [64, 64],
    channels: [8, 16, 32],
    numResUnits: 1,
    lr: 5e-3,
    augment: "none",
  },
  patches3d: { epochs: 6, batchSize: 1, samplesPerVolume: 2, patchSize: [32, 32, 32], channels: [8, 16, 32] },
  nnunet: { timeLimit: 2 },
};

export async function configureRun(
  {
    recipe: name,
    fold,
    given,
  }: { readonly recipe: string; readonly fold: number | "all"; readonly given: Readonly<Record<string, unknown>> },
  { tell, signal }: CallContext<"configureRun">,
): Promise<RunPlan> {
  const { source } = dataOpen();
  const recipe = recipeNamed(name);
  prepared = undefined;
  const readable = readGiven(recipe, given);
  const opened = await openData(source, folderOptions(recipe, readable));
  const cases = opened.fold(fold);
  const made = source.kind === "synthetic" ? forSynthetic[name] : undefined;
  const notes: string[] = [];
  const found = await configure(
    recipe,
    cases,
    { ...forPages, ...made, ...readable, data: opened.name, fold },
    {
      onProgress: (done, total) =>
        tell(
          done < total
            ? { kind: "progress", what: "checking", done, total }
            : { kind: "progress", what: "choosing", done: 0, total: 1 },
        ),
      device,
      log: (text) => void notes.push(text),
      signal,
    },
  );
  const { epochs, validateEvery } = found.config;
  const every = "validateEvery" in readable ? validateEvery : Math.max(1, Math.floor(epochs / mostPictures));
  const run = { ...found, config: { ...found.config, validateEvery: every } };
  data = { source, opened };
  prepared = { recipe, run, fold };
  const options = optionsOf(recipe, run.config as Config);
  return { data: infoOf(opened), options, train: cases.train.length, val: cases.val.length, notes };
}

const tableOf = (recipe: Recipe) => ({ ...runOptionTable, ...recipe.options }) as Readonly<Record<string, Option<unknown>>>;

/** Text of a form as values. */
function readGiven(recipe: Recipe, given: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const table = tableOf(recipe);
  return Object.fromEntries(
    Object.entries(given).map(([name, value]) => [
      name,
      typeof value === "string" && table[name]?.read ? table[name].read(value) : value,
    ]),
  );
}

/** Chosen elsewhere on the page, or without effect in one. */
export const notShown: ReadonlySet<string> = new Set(["recipe", "data", "fold", "numWorkers"]);

/** Where data do not suit a recipe as it stands, the form is what makes it suit: it shows the standard values then. */
export const recipeOptions = (name: string): OptionInfo[] => {
  const recipe = recipeNamed(name);
  const standard = Object.entries(tableOf(recipe)).map(([option, { standard: value }]) => [option, value] as const);
  return optionsOf(recipe, Object.fromEntries(standard) as Partial<Config>);
};

const optionsOf = (recipe: Recipe, config: Partial<Config>): OptionInfo[] =>
  Object.entries(tableOf(recipe))
    .filter(([name, { file, path }]) => !notShown.has(name) && !file && !path)
    .map(([name, { help, expects, choices }]) => ({ name, help, expects, choices, value: config[name] }));

function preparedRun(): Prepared {
  if (prepared) return prepared;
  throw new ConfigError("choose data and a recipe first");
}

export function planRun(context: CallContext<"planRun">): Promise<MemoryPlan> {
  const { recipe, run, fold } = preparedRun();
  const { opened } = dataOpen();
  return alone(async () => {
    closeModel();
    const { peakBytes: bytes, ...rest } = await planTraining(
      recipe,
      { device: await device(), data: opened.fold(fold), ...run },
      (done, total) => context.tell({ kind: "progress", what: "compiling", done, total }),
    );
    return { bytes, ...rest };
  }, context);
}

type TrainContext = CallContext<"startRun"> | CallContext<"resumeRun">;

export async function startRun(name: string, context: TrainContext): Promise<{ finished: boolean; name: string }> {
  const { recipe, run, fold } = preparedRun();
  const { opened, source } = dataOpen();
  const begin = async (store: RunStore): Promise<void> => {
    if (await store.has("run.json")) throw new ConfigError(`there is a run "${name}" already; give this one another name`);
    await rememberData(store, source);
  };
  return train(await storeOf(name, true), { recipe, run, fold }, opened, { resume: false, begin }, context);
}

export async function resumeRun(
  { name, source: given }: { readonly name: string; readonly source?: DataSource },
  context: TrainContext,
): Promise<{ finished: boolean; name: string }> {
  const { store, opened, recipe, run, fold } = await openRunData(name, given);
  const begin = async (files: RunStore): Promise<void> => void (given && (await rememberData(files, given)));
  return train(store, { recipe, run, fold }, opened, { resume: true, begin }, context);
}

/** A run with its data, which the user has to give again where the browser no longer lets us have them. */
export async function openRunData(name: string, given?: DataSource) {
  const store = await storeOf(name);
  const info = await readRunInfo(store);
  const recipe = recipeNamed(info.recipe.name);
  const config = (await readConfig(store, recipe)) as Config;
  const source = given ?? (await rememberedData(name));
  if (!source) throw new ConfigError(`choose the folder of the dataset "${config.data}" again: the browser no longer has it`);
  const opened = await openData(source, folderOptions(recipe, config));
  return { store, info, recipe, config, opened, fold: config.fold, run: { config, info } as NewRun<object> };
}

// Losses in a row without an epoch between them mean that the device does not bear this run.
const mostLosses = 3;

interface Beginning {
  readonly resume: boolean;
  /** Once the run is this tab's. */
  readonly begin: (files: RunStore) => Promise<void>;
}

function train(
  store: RunStore,
  { recipe, run, fold }: Prepared,
  opened: OpenData,
  { resume, begin }: Beginning,
  context: TrainContext,
) {
  return alone(
    () =>
      holding(store, async (files) => {
        await begin(files);
        closeModel();
        const show = showing(context);
        const cases = opened.fold(fold);
        let losses = 0;
        for (let goOn = resume; ; goOn = true) {
          try {
            const onEvent = (event: RunEvent): void => {
              if (event.kind === "epoch") losses = 0;
              show(event);
            };
            const result = await fit(recipe, {
              device: await device(),
              data: cases,
              store: files,
              ...run,
              resume: goOn,
              signal: context.signal,
              onEvent,
            });
            return { finished: result.finished, name: store.name };
          } catch (error) {
            if (!(error instanceof DeviceLostError) || ++losses >= mostLosses) throw error;
            context.tell({ kind: "lost" });
          }
        }
      }),
    context,
  );
}

// Pictures of an epoch that a page shows.
const tiles = 4;

/** Tells the page what happens in a run; of the steps so many as an eye can follow. */
function showing({ tell }: TrainContext): (event: RunEvent) => void {
  let shown = 0;
  let told = 0;
  let step = 0;
  let steps: (readonly [number, number])[] = [];
  return (event) => {
    switch (event.kind) {
      case "log":
      case "resumed":
        return tell({ kind: "log", text: event.text });
      case "step":
        step = event.step;
        return void steps.push([event.step, event.loss]);
      case "progress": {
        const { label, done, total, lr = 0, eta = NaN, samples = 0, seconds = 0 } = event.state;
        if (event.state.loss === undefined)
          return tell({ kind: "progress", what: label === "validation" ? "validating" : "compiling", done, total });
        if (performance.now() - told < 100 && done < total) return;
        told = performance.now();
        tell({ kind: "steps", steps, total, lr, rate: seconds > 0 ? samples / seconds : 0, eta });
        steps = [];
        return;
      }
      case "validated": {
        if (shown++ >= tiles) return;
        const { width, height, channels, data } = event.case.picture();
        const rgba = rgbaOf(data, width * height, channels);
        const tile = { id: event.case.id, epoch: event.epoch, dice: event.case.dice, width, height, rgba };
        return tell({ kind: "tile", tile }, [rgba.buffer]);
      }
      case "epoch": {
        shown = 0;
        const { epoch, loss, dice, seconds } = event.metrics;
        return tell({ kind: "epoch", steps: steps.splice(0), epoch: { epoch, step, loss, dice, seconds }, epochs: event.epochs });
      }
    }
  };
}

function rgbaOf(data: ArrayLike<number>, pixels: number, channels: number): Uint8ClampedArray<ArrayBuffer> {
  const out = new Uint8ClampedArray(4 * pixels);
  for (let i = 0; i < pixels; i++) {
    for (let c = 0; c < 3; c++) out[4 * i + c] = data[channels * i + (channels < 3 ? 0 : c)];
    out[4 * i + 3] = 255;
  }
  return out;
}
