/** @file A short measurement of kernel variants on the device at hand, for what the fixed rules cannot know. */

import type { Device } from "../tensor/device.ts";
import { ConfigError } from "../host/errors.ts";
import { profile } from "../tensor/profile.ts";
import { convTrials } from "./conv/trials.ts";
import type { Trials } from "./lib/choices.ts";
import { matmulTrials } from "./matmul.ts";
import { normTrials } from "./norm/trials.ts";
import { expectOptions } from "../host/options.ts";
import type { AbortSignal } from "../host/platform.ts";
import { expectDevice } from "../tensor/kind.ts";

/** Variant by class of problem, as `device.choices` holds it. */
export type Choices = Readonly<Record<string, string>>;

/** Options of `tune`. */
export interface TuneOptions {
  /** Also f16 tensors, where the device has them; default true. */
  readonly half?: boolean;
  /** Called before each measurement: problems `done` of `total`, and the `problem` that comes next. */
  readonly onProgress?: (done: number, total: number, problem: string) => void;
  /** Aborting keeps what was found so far. */
  readonly signal?: AbortSignal;
}

/** What `tune` found. */
export interface Tuned {
  /** Best variant by class of problem: what `useChoices` takes, plain JSON. */
  readonly choices: Choices;
  /** Of the problems where another variant than the rule's won: milliseconds of both. */
  readonly gains: readonly {
    /** Class of problem, as in `choices`. */
    readonly problem: string;
    /** Variant of the built-in rule. */
    readonly rule: string;
    /** Variant that won. */
    readonly best: string;
    /** Milliseconds of the rule's variant. */
    readonly before: number;
    /** Milliseconds of the best one. */
    readonly after: number;
  }[];
}

/** The families of kernels with variants. */
const families: readonly Trials[] = [convTrials, matmulTrials, normTrials];

// What has to be this much faster than the rule's choice to be noted: less is noise.
const margin = 0.93;

/**
 * Measures the variants of convolution and its gradients, of matrix products and of norms on usual sizes, sets `device.choices` to the best of each class
 * and returns them, for `useChoices` the next time. Takes seconds on a GPU, minutes on a software adapter; GPU timestamps if the device has them.
 */
export async function tune(device: Device, options: TuneOptions = {}): Promise<Tuned> {
  expectDevice("tune", device);
  expectOptions("tune", options, "half:boolean onProgress:function signal");
  const { half = true, onProgress, signal } = options;
  const f16 = half && device.gpu.features.has("shader-f16") && !device.software;
  const trials = families.flatMap((trialsOf) => trialsOf(device, f16));
  const gains: { problem: string; rule: string; best: string; before: number; after: number }[] = [];
  const done = new Set<string>();
  for (const [i, { problem, variants, rule, prepare }] of trials.entries()) {
    if (signal?.aborted) break;
    onProgress?.(i, trials.length, problem);
    if (done.has(problem)) continue;
    done.add(problem);
    const { run, dispose } = prepare();
    const measured = await race(device, problem, variants, run);
    const [best, after] = [...measured].reduce((a, b) => (b[1] < a[1] ? b : a));
    const before = measured.get(rule) ?? Infinity;
    if (best !== rule && after < margin * before) {
      device.choices.set(problem, best);
      gains.push({ problem, rule, best, before, after });
    } else device.choices.delete(problem);
    dispose();
  }
  device.layoutVersion++; // captured steps are traced again with what was found
  return { choices: Object.fromEntries(device.choices), gains };
}

// Least time of each variant. In turns, because other threads (the collector, the driver) come and go; who is far behind drops out.
async function race(device: Device, problem: string, variants: readonly string[], run: () => void): Promise<Map<string, number>> {
  const measured = new Map<string, number>();
  let rivals = variants;
  // Short runs are told apart from noise only by many.
  for (let round = 0; round < 3 || (round < 10 && Math.min(...measured.values()) < 10); round++) {
    for (const name of rivals) {
      device.choices.set(problem, name);
      if (round === 0) run(); // compiles
      measured.set(name, Math.min(await time(device, run), measured.get(name) ?? Infinity));
    }
    const best = Math.min(...measured.values());
    rivals = rivals.filter((name) => measured.get(name)! < (round === 0 ? 5 : 1.5) * best);
  }
  return measured;
}

async function time(device: Device, run: () => void): Promise<number> {
  if (device.gpu.features.has("timestamp-query")) {
    const kernels = await profile(device, run);
    return kernels.reduce((sum, k) => sum + k.milliseconds, 0);
  }
  await device.settle();
  const start = performance.now();
  run();
  await device.settle();
  return performance.now() - start;
}

/**
 * Sets what `tune` found before. Names that this version does not know are ignored. Throws `ConfigError` if it is not such a record.
 * @param choices as `tune` found them, perhaps read from JSON
 */
export function useChoices(device: Device, choices: unknown): void {
  expectDevice("useChoices", device);
  const entries =
    typeof choices === "object" && choices !== null && !Array.isArray(choices) ? Object.entries(choices) : undefined;
  if (!entries?.every(([, name]) => typeof name === "string"))
    throw new ConfigError("the choices of tune must be a record of names");
  device.choices.clear();
  for (const [problem, name] of entries) device.choices.set(problem, name as string);
  device.layoutVersion++;
}
