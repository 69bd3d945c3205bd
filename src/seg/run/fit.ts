/**
 * @file The training of a run, on any platform. Everything that decides the next step is in the checkpoint, so a run that was killed or interrupted goes
 * on bit for bit. An epoch is one pass of each network over its samples, one network after the other.
 */

import { ConfigError, NonFiniteError } from "../../host/errors.ts";
import { seedDropout } from "../../nn/layers/dropout.ts";
import { manualSeed } from "../../nn/init.ts";
import { expectRecipe } from "../recipes/expect_recipe.ts";
import { expectOptions } from "../../host/options.ts";
import { nanMean } from "../../host/stats.ts";
import { counted } from "../../host/text.ts";
import { type Context, type Networks, onlyNetwork, type Recipe } from "../recipes/recipe.ts";
import { restoreCheckpoint, saveCheckpoint } from "../training/checkpoint.ts";
import type { ProgressState } from "../training/progress.ts";
import type { StepReport } from "../training/trainer.ts";
import {
  checkpointOf,
  contextOf,
  type EpochMetrics,
  files,
  readRunInfo,
  restoreMetrics,
  type SampleScores,
  writeConfig,
  writeRunInfo,
  writeWeights,
} from "./files.ts";
import type { RunEvent } from "./event.ts";
import { type InitialWeights, initialize } from "./initial_weights.ts";
import { Pace, validationsLeft } from "./pace.ts";
import { SampleScoring } from "./sample_scores.ts";
import { writeSession } from "./sessions.ts";
import { after, decisive, meanLoss, nextEpoch, scored, type Standing, standingIn, start } from "./standing.ts";
import { expectSameData } from "./same_data.ts";
import { type RunStore, expectStore } from "./store.ts";
import { prepareTraining, type Training, type TrainingOptions } from "./training.ts";
import { Validation } from "./validation.ts";
import type { AbortSignal } from "../../host/platform.ts";

/** Options and description of the run are as `configure` gives them, or as the run's files have them. */
export interface FitOptions<C extends object> extends TrainingOptions<C> {
  /** Where the run is kept. */
  readonly store: RunStore;
  /** Go on from the store's checkpoint; without it a store that has one is refused. */
  readonly resume?: boolean | undefined;
  /** Weights to begin with, taken as far as names and shapes agree; each network gets all of them. */
  readonly init?: InitialWeights | undefined;
  /** Aborting stops after the step in flight, or at once in a validation, and keeps a checkpoint. */
  readonly signal?: AbortSignal | undefined;
  /** Told of everything that happens, as it happens. */
  readonly onEvent?: ((event: RunEvent) => void) | undefined;
}

/** What `fit` did. */
export interface FitResult {
  /** False if the run was interrupted and can be resumed. */
  readonly finished: boolean;
  /** What each epoch came to, those before a resumption too. */
  readonly epochs: readonly EpochMetrics[];
}

/**
 * Trains the networks of a recipe, validates them and keeps checkpoints, metrics and weights in the store.
 * @throws ConfigError if the store holds a run and `resume` is not set, or the options are not those of the run; DataError, FormatError, ShapeError for
 *   bad data; CheckpointError, FormatError for a checkpoint that does not fit; NonFiniteError, DeviceLostError during training, with the last
 *   checkpoint intact
 */
export async function fit<C extends object>(recipe: Recipe<C>, options: FitOptions<C>): Promise<FitResult> {
  expectOptions("fit", options, "store resume init signal onEvent device:object! data:object! config:object! info:object!");
  expectRecipe("fit", recipe);
  const unlock = await expectStore("fit", options.store).lock?.();
  try {
    return await trainRun(recipe, options);
  } finally {
    await unlock?.();
  }
}

async function trainRun<C extends object>(recipe: Recipe<C>, options: FitOptions<C>): Promise<FitResult> {
  const { device, data, store, config, info, resume = false, init } = options;
  const saved = await checkpointOf(options);
  if (saved) expectSameData(recipe, { config, info: await readRunInfo(store) }, data);
  const context = contextOf(recipe, config, info);
  manualSeed(config.seed);
  seedDropout(device, config.seed);
  const networks = recipe.networks(device, context);
  const run = new Run(recipe, options, context, networks);
  try {
    if (init && !resume) run.log(initialize(networks, init));
    await run.open(saved);
    const { train, val } = data;
    run.log(
      `${counted(train.length, "training case")}, ${counted(val.length, "validation case")}; ${counted(parametersOf(networks), "parameter")}; ` +
        `${counted(run.training.stepsPerEpoch, "step")} per epoch of ${counted(config.batchSize, "sample")}`,
    );
    return await run.train();
  } finally {
    await run.close();
  }
}

const parametersOf = (networks: Networks): number =>
  Object.values(networks).reduce((sum, model) => sum + model.parameterCount, 0);

class Run<C extends object> {
  training!: Training;
  private readonly recipe: Recipe<C>;
  private readonly options: FitOptions<C>;
  private readonly context: Context<C>;
  private readonly networks: Networks;
  private readonly validation: Validation<C>;
  private readonly scoring: SampleScoring<C> | undefined;
  private at = start;
  private epochs: EpochMetrics[] = [];

  constructor(recipe: Recipe<C>, options: FitOptions<C>, context: Context<C>, networks: Networks) {
    this.recipe = recipe;
    this.options = options;
    this.context = context;
    this.networks = networks;
    this.validation = new Validation(recipe, context, options.device, networks, options.data);
    if (recipe.online && !recipe.counts)
      throw new ConfigError(`recipe ${recipe.name} validates by samples (online), so it needs counts`);
    this.scoring = recipe.counts && new SampleScoring(recipe, context, networks, options);
  }

  log(text: string): void {
    this.options.onEvent?.({ kind: "log", text });
  }

  private progress(state: ProgressState): void {
    this.options.onEvent?.({ kind: "progress", state });
  }

  private get stopped(): boolean {
    return this.options.signal?.aborted ?? false;
  }

  /** Optimizers and loaders, and where the run stands. */
  async open(saved: Uint8Array | undefined): Promise<void> {
    const { store, config } = this.options;
    const { recipe, context, networks, options } = this;
    this.training = await prepareTraining(recipe, context, networks, options);
    if (saved) this.at = this.restore(saved);
    this.epochs = await restoreMetrics(store, this.at);
    const { epoch, stepInEpoch } = this.at;
    const where = `epoch ${epoch + 1}, step ${stepInEpoch} of ${this.training.stepsPerEpoch}`;
    if (!saved) return;
    const text = epoch < config.epochs ? `resumed at ${where}` : "the run is finished; reporting on it again";
    this.options.onEvent?.({ kind: "resumed", text });
  }

  private restore(saved: Uint8Array): Standing {
    const { store, config } = this.options;
    const [checkpoint, options] = [files.checkpoint, files.config].map((file) => `${store.name}/${file}`);
    const extra = restoreCheckpoint(saved, this.parts, checkpoint);
    return standingIn(extra, { config, stepsPerEpoch: this.training.stepsPerEpoch, checkpoint, options });
  }

  private get parts() {
    const { networks, training } = this;
    // An only network's weights have no name before theirs.
    const only = networks[onlyNetwork];
    if (only && Object.keys(networks).length === 1) return { model: only, optimizer: training.optimizers[onlyNetwork] };
    return { model: networks, optimizer: training.optimizers };
  }

  private async checkpoint(): Promise<void> {
    const { store, config } = this.options;
    const bytes = await saveCheckpoint({ ...this.parts, extra: { progress: this.at, config: decisive(config) } }).catch(
      (error: unknown) => {
        if (error instanceof NonFiniteError)
          throw new NonFiniteError(`after step ${this.at.step}, ${error.message}`, { cause: error });
        throw error;
      },
    );
    await store.write(files.checkpoint, bytes);
  }

  async train(): Promise<FitResult> {
    const { config, store, info } = this.options;
    const plan = this.at.epoch < config.epochs ? await this.compile() : undefined;
    // Behind all that may refuse the run, and the description first: by it a run is known that is killed before its first checkpoint.
    await writeRunInfo(store, info);
    await writeConfig(store, config);
    if (plan) await this.beginSession(plan);
    while (this.at.epoch < config.epochs && !this.stopped) {
      const pace = new Pace();
      if (this.at.stepInEpoch < this.training.stepsPerEpoch && !(await this.steps(pace))) break;
      if (!(await this.finishEpoch(pace))) break;
    }
    const finished = this.at.epoch >= config.epochs;
    if (finished) await writeWeights(store, files.weights, this.networks);
    return { finished, epochs: this.epochs };
  }

  /** Bytes that a step takes. */
  private async compile(): Promise<number> {
    const plans = await this.training.compile(this.at, (done, total) =>
      this.progress({ label: "compiling kernels", done, total }),
    );
    const bytes = plans.reduce((sum, p) => sum + p.peakBytes, 0);
    const dispatches = plans.reduce((sum, p) => sum + p.dispatches, 0);
    this.log(`planned GPU memory of a step: ${(bytes / 2 ** 20).toFixed(1)} MiB in ${dispatches} dispatches`);
    return bytes;
  }

  private async beginSession(plannedBytes: number): Promise<void> {
    const { store, device, data } = this.options;
    const { epoch, step } = this.at;
    const [parameters, dataset] = [parametersOf(this.networks), data.index.name];
    const cases = { dataset, train: data.train.length, val: data.val.length };
    await writeSession(store, device, { epoch, step, parameters, plannedBytes, ...cases });
  }

  /** The rest of the epoch's steps; false if it was interrupted. */
  private async steps(pace: Pace): Promise<boolean> {
    const { config, store, signal } = this.options;
    const { stepsPerEpoch } = this.training;
    const lr = this.training.setRates(this.at.epoch);
    const validations = validationsLeft(this.epochs, config, this.at.epoch);
    const onStep = async (report: StepReport) => {
      const { loss, step, skipped } = report;
      this.at = after(this.at, report);
      const { epoch } = this.at;
      await store.append(files.metrics, `${JSON.stringify({ epoch: epoch + 1, step, loss, lr, skipped })}\n`);
      this.options.onEvent?.({ kind: "step", epoch: epoch + 1, step, loss, lr, skipped: skipped ?? false });
      this.progress({
        label: `epoch ${epoch + 1}/${config.epochs}`,
        done: step,
        total: config.epochs * stepsPerEpoch,
        loss: meanLoss(this.at),
        lr,
        ...pace.step(report, config.epochs * stepsPerEpoch - step, config.epochs - epoch - 1, validations),
      });
    };
    const checkpointEvery = { seconds: config.checkpointSeconds, save: () => this.checkpoint() };
    await this.training.epoch(this.at, { onStep, signal, checkpointEvery });
    if (this.at.stepInEpoch === stepsPerEpoch) return true;
    await this.checkpoint();
    return false;
  }

  /** Validation, metrics and checkpoint; false if it was interrupted, to be done again. */
  private async finishEpoch(pace: Pace): Promise<boolean> {
    const { config, store, onEvent } = this.options;
    const { epoch, skipped, stepInEpoch } = this.at;
    const done = epoch + 1;
    if (skipped === stepInEpoch)
      throw new NonFiniteError(
        `each of the ${skipped} steps of epoch ${done} had a loss that is zero or not finite and was skipped: nothing is learned any more; lower the learning rate or check the data`,
      );
    let next = nextEpoch(this.at);
    let [dice, improved] = [undefined as number[] | undefined, false];
    let samples: SampleScores | undefined;
    if (done % config.validateEvery === 0 || done === config.epochs) {
      const since = pace.seconds;
      await this.checkpoint(); // validation may take long, or meet a bad file
      const validated = await this.validate();
      if (!validated) return false;
      ({ dice, samples } = validated);
      pace.validated(since);
      ({ at: next, improved } = scored(next, nanMean(dice), this.recipe.online !== undefined));
    }
    const metrics: EpochMetrics = {
      epoch: done,
      loss: meanLoss(this.at),
      lr: this.training.setRates(epoch),
      seconds: pace.seconds,
      timing: pace.timing,
      ...(dice ? { dice } : {}),
      ...(samples ? { samples } : {}),
      ...(config.onBadLoss === "skip" ? { skipped } : {}),
    };
    this.at = next;
    this.epochs.push(metrics);
    if (improved) await writeWeights(store, files.best, this.networks);
    await store.append(files.metrics, `${JSON.stringify(metrics)}\n`);
    await this.checkpoint();
    onEvent?.({ kind: "epoch", metrics, epochs: config.epochs });
    return true;
  }

  private async validate(): Promise<{ dice: number[]; samples?: SampleScores | undefined } | undefined> {
    const { signal, onEvent } = this.options;
    const epoch = this.at.epoch + 1;
    try {
      if (this.recipe.online) return { dice: await this.scoring!.online(this.at.epoch, signal) };
      const dice = await this.validation.run(
        signal,
        (done, total) => this.progress({ label: "validation", done, total }),
        (validated) => onEvent?.({ kind: "validated", epoch, case: validated }),
      );
      return { dice, samples: await this.scoring?.run(signal) };
    } catch (error) {
      if (signal?.aborted && error === signal.reason) return undefined;
      throw error;
    }
  }

  async close(): Promise<void> {
    this.validation.dispose();
    await this.scoring?.close();
    await (this.training as Training | undefined)?.close();
    for (const model of Object.values(this.networks)) model.dispose();
  }
}
