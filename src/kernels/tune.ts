/** @file A short measurement of kernel variants on the device at hand, for what the fixed rules cannot know. */

import type { Device } from "../tensor/device.ts";
import { ConfigError } from "../host/errors.ts";
import { sizeOf } from "../host/array.ts";
import { profile } from "../tensor/profile.ts";
import { scope } from "../tensor/scope.ts";
import type { Shape } from "../host/shape.ts";
import { cast } from "./cast.ts";
import { conv, convInputGradient, convWeightGradient } from "./conv/conv.ts";
import { convShape } from "./conv/shape.ts";
import { gatherProblem, gatherRule, gatherVariants, weightProblem, weightRule, weightVariants } from "./conv/variants.ts";

/** Variant by class of problem, as `device.choices` holds it. */
export type Choices = Readonly<Record<string, string>>;

export interface TuneOptions {
  /** Also convolutions of f16 tensors, where the device has them; default true. */
  readonly half?: boolean;
  readonly onProgress?: (done: number, total: number, problem: string) => void;
  /** Aborting keeps what was found so far. */
  readonly signal?: AbortSignal;
}

export interface Tuned {
  readonly choices: Choices;
  /** Of the problems where another variant than the rule's won: milliseconds of both. */
  readonly gains: readonly {
    readonly problem: string;
    readonly rule: string;
    readonly best: string;
    readonly before: number;
    readonly after: number;
  }[];
}

interface Layer {
  readonly x: Shape;
  readonly outputs: number;
  readonly taps: number;
  readonly stride: number;
}

/** Layers of encoders and decoders in two and three dimensions, whole and near the bottom. */
function layers(): Layer[] {
  const pairs = [
    [1, 16],
    [16, 16],
    [16, 32],
    [32, 32],
    [32, 64],
    [64, 64],
    [64, 128],
    [128, 128],
  ] as const;
  const all: Layer[] = [];
  for (const [size, dims, samples] of [
    [96, 2, 2],
    [24, 2, 4],
    [26, 3, 1],
    [12, 3, 2],
  ] as const) {
    for (const [inputs, outputs] of pairs) {
      if (inputs === 128 && size > 24) continue; // no network has so many channels on whole images
      const x = [samples, inputs, ...new Array<number>(dims).fill(size)];
      all.push({ x, outputs, taps: 3, stride: 1 });
      if (inputs < outputs && inputs > 1) all.push({ x, outputs, taps: 3, stride: 2 });
    }
    all.push({ x: [samples, 64, ...new Array<number>(dims).fill(size)], outputs: 4, taps: 1, stride: 1 });
  }
  return all;
}

// What has to be this much faster than the rule's choice to be noted: less is noise.
const margin = 0.93;

/**
 * Measures the variants of convolution and its gradients on a set of usual layers, sets `device.choices` to the best of each class and returns
 * them, for `useChoices` the next time. Takes seconds on a GPU, minutes on a software adapter; GPU timestamps if the device has them.
 */
export async function tune(device: Device, { half = true, onProgress, signal }: TuneOptions = {}): Promise<Tuned> {
  const types = half && device.gpu.features.has("shader-f16") && !device.software ? ([false, true] as const) : ([false] as const);
  const work = types.flatMap((f16) =>
    layers().flatMap((layer) => (["plain", "transposed", "weight"] as const).map((kind) => ({ f16, layer, kind }))),
  );
  const gains: { problem: string; rule: string; best: string; before: number; after: number }[] = [];
  const done = new Set<string>();
  for (const [i, { f16, layer, kind }] of work.entries()) {
    if (signal?.aborted) break;
    const { x, outputs, taps, stride } = layer;
    const weightShape = [outputs, x[1], ...x.slice(2).map(() => taps)];
    const g = convShape(x, weightShape, undefined, { padding: (taps - 1) / 2, stride });
    const problem = kind === "weight" ? weightProblem(g, f16) : gatherProblem(g, kind === "transposed", f16);
    onProgress?.(i, work.length, problem);
    if (done.has(problem)) continue;
    done.add(problem);
    const make = (shape: Shape) => {
      const t = device.tensor({ data: Float32Array.from({ length: sizeOf(shape) }, (_, k) => Math.sin(k * 0.37)), shape });
      return f16 ? cast(t, "f16") : t;
    };
    const [input, output] = scope(() => [make(x), make(g.outShape)]);
    const weight = device.tensor({
      data: Float32Array.from({ length: sizeOf(weightShape) }, (_, k) => Math.cos(k)),
      shape: weightShape,
    });
    const run = () => {
      if (kind === "plain") conv(input, weight, undefined, g).dispose();
      else if (kind === "transposed") convInputGradient(output, weight, g, x).dispose();
      else convWeightGradient(output, input, g, weightShape).dispose();
    };
    const measured = await race(device, problem, Object.keys(kind === "weight" ? weightVariants : gatherVariants), run);
    const [inputs, outs] = kind === "transposed" ? [outputs, x[1]] : [x[1], outputs];
    const rule = kind === "weight" ? weightRule(device, outputs, x[1]) : gatherRule(device, inputs, outs);
    const [best, after] = [...measured].reduce((a, b) => (b[1] < a[1] ? b : a));
    const before = measured.get(rule) ?? Infinity;
    if (best !== rule && after < margin * before) {
      device.choices.set(problem, best);
      gains.push({ problem, rule, best, before, after });
    } else device.choices.delete(problem);
    for (const t of [input, output, weight]) t.dispose();
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

/** Sets what `tune` found before. Names that this version does not know are ignored. Throws `ConfigError` if it is not such a record. */
export function useChoices(device: Device, choices: unknown): void {
  const entries =
    typeof choices === "object" && choices !== null && !Array.isArray(choices) ? Object.entries(choices) : undefined;
  if (!entries?.every(([, name]) => typeof name === "string"))
    throw new ConfigError("the choices of tune must be a record of names");
  device.choices.clear();
  for (const [problem, name] of entries) device.choices.set(problem, name as string);
  device.layoutVersion++;
}
