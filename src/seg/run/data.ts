/** @file The data of a run, wherever they are: cases, their folds, and how one is read; and the options that suit them. */

import { type Case, type DatasetIndex, selectFold, type Split } from "../../data/folders/decathlon.ts";
import type { Recipe as DatasetModule } from "../../data/loading/units.ts";
import { ConfigError } from "../../host/errors.ts";
import { median } from "../../host/stats.ts";
import { outputKindOf } from "../post/output_coding.ts";
import type { ReadCase } from "../recipes/prepared.ts";
import type { DataFacts, Recipe, RunConfig } from "../recipes/recipe.ts";
import { checkConfig, type RunInfo } from "./files.ts";

/** What a worker needs to build the training samples of a network. Plain data. */
export interface WorkerArgs {
  /** URL of the module that has the recipe as its default export. */
  readonly recipe: string;
  readonly cases: readonly Case[];
  readonly config: RunConfig;
  readonly info: RunInfo;
  readonly network: string;
  readonly cacheBytes: number;
}

export interface RunData {
  readonly index: DatasetIndex;
  readonly train: readonly Case[];
  readonly val: readonly Case[];
  /** Reads image and label of a case. */
  readonly read: ReadCase;
  /** Threads of this machine; 1 where data workers cannot read these data. */
  readonly threads: number;
  /** Has workers build samples. */
  readonly inWorkers?: ((args: WorkerArgs) => DatasetModule) | undefined;
}

/** The cases of a fold; "all" is every training case, for training and validation. Throws `ConfigError`, `DataError`. */
export function casesOfFold(index: DatasetIndex, splits: readonly Split[], fold: number | "all") {
  return fold === "all" ? { train: index.training, val: index.training } : selectFold(index, splits, fold);
}

// Cases looked at to know a dataset.
const looked = 20;

async function factsOf({ index, train, read }: RunData): Promise<DataFacts> {
  const step = Math.max(1, Math.floor(train.length / looked));
  const shapes: number[][] = [];
  const spacings: number[][] = [];
  for (let i = 0; i < train.length; i += step) {
    const { image } = await read(train[i]);
    shapes.push(image.shape.slice(1));
    spacings.push([...image.spacing]);
  }
  return { labels: index.labels, channels: index.modality, cases: train, shapes, spacings, read };
}

/** Options and description of a run that is to be. */
export interface NewRun<C extends object> {
  readonly config: RunConfig<C>;
  readonly info: RunInfo;
}

/**
 * The options of a new run: those given, else the recipe's suggestions for these data, else the standard ones.
 * @param say how messages call an option
 * @throws ConfigError, and what reading a few cases throws
 */
export async function configure<C extends object>(
  recipe: Recipe<C>,
  data: RunData,
  given: Readonly<Record<string, unknown>>,
  say?: (name: string) => string,
): Promise<NewRun<C>> {
  if (data.train.length === 0) throw new ConfigError("there are no training cases");
  const facts = await factsOf(data);
  const suggested = await recipe.suggest(facts);
  const numWorkers = data.inWorkers && recipe.module !== undefined ? Math.min(2, Math.max(0, data.threads - 1)) : 0;
  const config = checkConfig(recipe, { numWorkers, ...suggested, recipe: recipe.name, ...given }, "options", say);
  const { labels, channels, spacings } = facts;
  const info: RunInfo = {
    recipe: { name: recipe.name, version: recipe.version, ...(recipe.module === undefined ? {} : { module: recipe.module }) },
    labels,
    channels,
    spacing: [0, 1, 2].map((axis) => median(spacings.map((s) => s[axis]))),
    outputs: recipe.outputs?.(config, labels) ?? outputKindOf(labels),
  };
  return { config, info };
}
