/** @file What to do next: networks and kernels by their share of the time times how far they are from what the adapter can do. */

import type { KernelTime } from "../../src/index.ts";
import type { Ceiling } from "../ceiling.ts";
import { ceilingOf } from "./ceilings.ts";
import { type RunRecord, valuesOf } from "./record.ts";
import type { NetworkResult } from "./stages/networks.ts";
import type { OpResult } from "./stages/ops.ts";

export interface Next {
  readonly what: string;
  readonly kind: "network" | "kernel";
  /** Of the time of all training steps: a network's own, or a kernel's in all of them. */
  readonly timeShare: number;
  /** Part of the ceiling that is reached; undefined if nothing was measured, and then the distance counts as 1. */
  readonly reached: number | undefined;
  /** `timeShare` × (1 − `reached`): the share of the time that would go at the ceiling. */
  readonly gain: number;
}

const total = (list: readonly number[]): number => list.reduce((a, b) => a + b, 0);
/** `conv.gather TP12 TC16` → `conv.gather`. */
const programOf = (key: string): string => key.split(" ", 1)[0];
const familyOf = (key: string): string => programOf(key).split(".", 1)[0];
/** By its key: in a step in f16 some kernels work on f32. */
const elementOf = (key: string): "f32" | "f16" => (/ f16\b/.test(key) ? "f16" : "f32");
const nameOf = (key: string): string => `${programOf(key)} ${elementOf(key)}`;
const limited = (part: number): number => Math.min(1, Math.max(0, part));

/** GFLOP of a training step: the gradients of a convolution, by input and weight, cost as much as itself. */
export const stepGFLOP = ({ forwardGFLOP }: Pick<NetworkResult, "forwardGFLOP">): number => 3 * forwardGFLOP;

/** Part of the ceiling for multiply-adds that a training step reaches. */
export function reachedBy(step: NetworkResult, ceiling: Ceiling | undefined): number {
  return stepGFLOP(step) / (step.bestMs / 1000) / ceilingOf(ceiling, step.precision).gflops;
}

export const ceilingIn = (run: RunRecord): Ceiling | undefined =>
  valuesOf<Ceiling>(run, "adapter").find(([name]) => name === "ceiling")?.[1];

/**
 * Part of the ceiling by program and element type, from the operations: a kernel is taken to do the work of the forward pass, which holds for the two
 * gradients of a convolution and is less than what the gradient of anything bound by memory moves. Other kernels of a step (sums, casts) do not count.
 */
function reachedByKernels(ops: readonly OpResult[], ceiling: Ceiling | undefined): Map<string, number> {
  const sums = new Map<string, { ms: number; reached: number }>();
  for (const { gflop, gbyte, main, kernels } of ops) {
    for (const { key, milliseconds } of kernels) {
      if (main === undefined || familyOf(key) !== familyOf(main) || !(milliseconds > 0)) continue;
      const { gflops, gbps } = ceilingOf(ceiling, elementOf(key));
      const name = nameOf(key);
      const sum = sums.get(name) ?? { ms: 0, reached: 0 };
      const seconds = milliseconds / 1000;
      sum.ms += milliseconds;
      sum.reached += milliseconds * limited(Math.max(gflop / seconds / gflops, gbyte / seconds / gbps));
      sums.set(name, sum);
    }
  }
  return new Map([...sums].map(([name, { ms, reached }]) => [name, reached / ms]));
}

/** Adam reads weight, gradient and two moments of each parameter and writes all but the gradient. */
function reachedByAdam(steps: readonly NetworkResult[], ceiling: Ceiling | undefined): number | undefined {
  let [bytes, ms] = [0, 0];
  for (const { parameters, kernels } of steps) {
    const adam = kernels.filter(({ key }) => programOf(key) === "optim.adam");
    if (adam.length === 0) continue;
    bytes += 7 * 4 * parameters;
    ms += total(adam.map((k) => k.milliseconds));
  }
  return ms > 0 ? bytes / ms / 1e6 / ceilingOf(ceiling, "f32").gbps : undefined;
}

const next = (kind: Next["kind"], what: string, timeShare: number, reached: number | undefined): Next => {
  const known = reached !== undefined && Number.isFinite(reached) ? limited(reached) : undefined;
  return { what, kind, timeShare, reached: known, gain: timeShare * (1 - (known ?? 0)) };
};

/** Largest gain first. */
export function whatNext(run: RunRecord): Next[] {
  const ceiling = ceilingIn(run);
  const steps = valuesOf<NetworkResult>(run, "networks").map(([, step]) => step);
  const all = total(steps.map((s) => s.bestMs));
  const networks = steps.map((s) => next("network", `${s.network} ${s.precision}`, s.bestMs / all, reachedBy(s, ceiling)));
  const shares = new Map<string, number>();
  const timed = steps.filter((s) => s.kernels.length > 0);
  const timedMs = total(timed.map((s) => s.bestMs));
  for (const { bestMs, kernels } of timed) {
    const sum = total(kernels.map((k: KernelTime) => k.milliseconds));
    for (const { key, milliseconds } of kernels) {
      const name = nameOf(key);
      const share = sum > 0 ? (bestMs / timedMs) * (milliseconds / sum) : 0;
      shares.set(name, (shares.get(name) ?? 0) + share);
    }
  }
  const reached = reachedByKernels(
    valuesOf<OpResult>(run, "ops").map(([, op]) => op),
    ceiling,
  );
  const adam = reachedByAdam(steps, ceiling);
  if (adam !== undefined) reached.set("optim.adam f32", adam);
  const kernels = [...shares].map(([name, share]) => next("kernel", name, share, reached.get(name)));
  return [...networks, ...kernels].sort((a, b) => b.gain - a.gain);
}
