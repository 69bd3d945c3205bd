/**
 * @file A checkpoint is one safetensors file: weights, optimizer and average, the state of the device's random generator, and in its metadata
 * schedules and what the caller adds. Written between two steps, it resumes bit for bit.
 */

import { expectArguments, expectFields } from "../../host/kinds.ts";
import { dropoutGenerator } from "../../nn/layers/dropout.ts";
import type { Module } from "../../nn/module.ts";
import type { EMA } from "../../nn/optim/ema.ts";
import type { Optimizer } from "../../nn/optim/optimizer.ts";
import type { ReduceLROnPlateau } from "../../nn/optim/schedulers.ts";
import type { StateDict } from "../../nn/state_dict.ts";
import type { HostArray } from "../../host/array.ts";
import { CheckpointError, NonFiniteError } from "../../host/errors.ts";
import type { Device } from "../../tensor/device.ts";
import { readSafetensors, writeSafetensors } from "../../weights/safetensors.ts";

/** What a checkpoint holds. Several networks and their optimizers are records under the same names. */
export interface CheckpointParts {
  /** The network or networks. */
  readonly model: Module | Readonly<Record<string, Module>>;
  /** What trains them: moments and counters are kept too. */
  readonly optimizer?: Optimizer | Readonly<Record<string, Optimizer>> | undefined;
  /** Its `steps` are kept (`Scheduler` and what is like it), or its `state` (`ReduceLROnPlateau`). */
  readonly scheduler?: { steps: number } | Pick<ReduceLROnPlateau, "state"> | undefined;
  /** Averages of the weights. */
  readonly ema?: EMA | undefined;
}

const version = "2";

/** Something with a state, and the prefix of its names in the file. */
interface Stateful {
  readonly prefix: string;
  readonly part: Pick<EMA, "stateDict" | "loadStateDict">;
}

/** An only one has no name of its own: `model.conv.weight`; of several: `model/coronal.conv.weight`. */
function prefixed<T extends object>(
  prefix: string,
  one: T | Readonly<Record<string, T>> | undefined,
  isOne: (v: object) => boolean,
) {
  if (!one) return [];
  if (isOne(one)) return [{ prefix: `${prefix}.`, part: one as T }];
  return Object.entries(one as Readonly<Record<string, T>>).map(([name, part]) => ({ prefix: `${prefix}/${name}.`, part }));
}

const hasState = (v: object): boolean => typeof (v as Partial<EMA>).stateDict === "function";
const modelsOf = ({ model }: CheckpointParts) => prefixed<Module>("model", model, hasState);
const optimizersOf = ({ optimizer }: CheckpointParts) => prefixed<Optimizer>("optimizer", optimizer, hasState);
const averagesOf = ({ ema }: CheckpointParts) => prefixed<EMA>("ema", ema, hasState);

function deviceOf(parts: CheckpointParts): Device {
  for (const { part } of modelsOf(parts)) for (const [, t] of part.namedTensors()) return t.device;
  throw new CheckpointError("a checkpoint needs a model with at least one tensor");
}

/**
 * The bytes of a checkpoint of what training consists of, as it is now.
 * @param extra plain data that `restoreCheckpoint` gives back: where the run stands, its config
 * @throws NonFiniteError if a weight is not finite: such a checkpoint must not replace a good one
 */
export async function saveCheckpoint(parts: CheckpointParts & { readonly extra?: unknown }): Promise<Uint8Array> {
  expectArguments("saveCheckpoint", "object", { parts });
  const all: Stateful[] = [...modelsOf(parts), ...optimizersOf(parts), ...averagesOf(parts)];
  // All of it is taken, and copies ordered, before the first await, so that it belongs to one moment.
  const { scheduler, extra = null } = parts;
  const metadata = new Map([
    ["voxgrad", version],
    ["extra", JSON.stringify(extra)],
    ...(scheduler ? [schedulerEntry(scheduler)] : []),
  ]);
  const [dropout, ...states] = await Promise.all([
    dropoutGenerator(deviceOf(parts)).data(),
    ...all.map(({ part }) => part.stateDict()),
  ]);
  const tensors: StateDict = new Map();
  states.forEach((state, i) => {
    for (const [name, value] of state) {
      if (all[i].prefix.startsWith("model") && !isFinite(value))
        throw new NonFiniteError(`${all[i].prefix}${name} is not finite; lower the learning rate or check the data`);
      tensors.set(all[i].prefix + name, value);
    }
  });
  tensors.set("dropout", { data: dropout, shape: [dropout.length] });
  return writeSafetensors(tensors, metadata);
}

type Scheduled = NonNullable<CheckpointParts["scheduler"]>;

// The best metric of a plateau may be infinite, for which JSON has no number.
function schedulerEntry(scheduler: Scheduled): [string, string] {
  if ("steps" in scheduler) return ["schedulerSteps", String(scheduler.steps)];
  expectFields("saveCheckpoint", "scheduler", scheduler, { state: "numbers" });
  return ["schedulerState", JSON.stringify(scheduler.state.map(String))];
}

function isFinite({ data }: HostArray): boolean {
  for (let i = 0; i < data.length; i++) if (!Number.isFinite(data[i])) return false;
  return true;
}

/** What a checkpoint says beside its tensors. Throws `FormatError` for a damaged file, `CheckpointError` for another one. */
export function readCheckpoint(bytes: Uint8Array, source: string) {
  const { tensors, metadata } = readSafetensors(bytes, source);
  if (metadata.get("voxgrad") !== version)
    throw new CheckpointError(`${source}: is no checkpoint of a run of this version of voxgrad`);
  const parsed = (name: string): unknown => {
    try {
      return JSON.parse(metadata.get(name) ?? "null");
    } catch (error) {
      throw new CheckpointError(`${source}: its metadata "${name}" are damaged`, { cause: error });
    }
  };
  return {
    tensors,
    extra: parsed("extra"),
    schedulerSteps: parsed("schedulerSteps"),
    schedulerState: parsed("schedulerState"),
  };
}

/**
 * Writes a checkpoint into what training consists of: the same model, optimizer and so on as it was made of. Nothing is changed if it does not fit.
 * @param source what the bytes came from, for messages
 * @returns the `extra` that was saved
 * @throws FormatError for a damaged file, CheckpointError for one of another model or optimizer, or one that lacks a part
 */
export function restoreCheckpoint(bytes: Uint8Array, parts: CheckpointParts, source = "the checkpoint"): unknown {
  expectArguments("restoreCheckpoint", "bytes", { bytes });
  expectArguments("restoreCheckpoint", "object", { parts });
  const { tensors, extra, ...scheduled } = readCheckpoint(bytes, source);
  const under = (prefix: string) =>
    new Map([...tensors].filter(([k]) => k.startsWith(prefix)).map(([k, v]) => [k.slice(prefix.length), v]));
  const dropout = tensors.get("dropout");
  if (dropout?.data.length !== 4) throw new CheckpointError(`${source}: the random state is missing`);
  const { scheduler } = parts;
  const restoreScheduler = scheduler && scheduleOf(scheduler, scheduled, source);
  naming(source, () => {
    // What can be checked beforehand comes first; models and averages write nothing if they do not fit.
    for (const { prefix, part } of optimizersOf(parts)) part.checkStateDict(under(prefix));
    for (const { prefix, part } of [...modelsOf(parts), ...averagesOf(parts)]) part.loadStateDict(under(prefix));
    for (const { prefix, part } of optimizersOf(parts)) part.loadStateDict(under(prefix));
  });
  restoreScheduler?.();
  const device = deviceOf(parts);
  device.write(dropoutGenerator(device), dropout);
  return extra;
}

/** What puts a scheduler where the checkpoint has it. @throws CheckpointError for one of another kind */
function scheduleOf(
  scheduler: Scheduled,
  saved: Pick<ReturnType<typeof readCheckpoint>, "schedulerSteps" | "schedulerState">,
  source: string,
) {
  if ("steps" in scheduler) {
    const steps = saved.schedulerSteps;
    if (!Number.isSafeInteger(steps)) throw new CheckpointError(`${source}: the scheduler's steps are missing`);
    return () => void (scheduler.steps = steps as number);
  }
  const state = Array.isArray(saved.schedulerState) ? saved.schedulerState.map(Number) : [];
  if (state.length < 3 || state.some(Number.isNaN)) throw new CheckpointError(`${source}: the scheduler's state is missing`);
  const [best, bad, waiting, ...rates] = state;
  return () => void (scheduler.state = [best, bad, waiting, ...rates]);
}

/** Does `load` for a file; a `CheckpointError` then names it. */
export function naming<T>(source: string, load: () => T): T {
  try {
    return load();
  } catch (error) {
    if (error instanceof CheckpointError) throw new CheckpointError(`${source}: ${error.message}`, { cause: error });
    throw error;
  }
}
