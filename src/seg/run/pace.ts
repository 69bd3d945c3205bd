/** @file Speed and time left of a training. */

import { formatRate } from "../../host/text.ts";
import type { EpochMetrics, EpochTiming } from "./files.ts";

/**
 * The first step waits for data: the time left is judged by the steps after it, and by one such wait per epoch until one has passed.
 */
export class Pace {
  private readonly started = performance.now();
  private first: { readonly step: number; readonly time: number; readonly wait: number } | undefined;
  private samples = 0;
  private waiting = 0;
  private trained = 0;
  private validation = 0;

  /** Seconds since the epoch, or its rest, began. */
  get seconds(): number {
    return (performance.now() - this.started) / 1000;
  }

  /** Takes one more step; returns samples, seconds and the time left in seconds, `between` the steps included, NaN after the first step. */
  step(
    { samples, waited, step }: { readonly samples: number; readonly waited: number; readonly step: number },
    stepsLeft: number,
    epochsLeft: number,
    between = 0,
  ): { samples: number; seconds: number; eta: number } {
    const now = performance.now();
    this.samples += samples;
    this.waiting += waited;
    this.trained = (now - this.started) / 1000;
    this.first ??= { step, time: now, wait: now - this.started };
    const perStep = (now - this.first.time) / (step - this.first.step);
    const eta = (perStep * stepsLeft + epochsLeft * this.first.wait) / 1000 + between;
    return { samples: this.samples, seconds: this.seconds, eta };
  }

  /** What is done from here on is validation. */
  validated(since: number): void {
    this.validation = this.seconds - since;
  }

  get timing(): EpochTiming {
    const { samples, trained: training, waiting, validation } = this;
    return { samples, training, waiting, validation };
  }
}

/** Seconds of the validations that follow after `epoch` epochs, each as long as the last of those before; 0 before the first. */
export function validationsLeft(
  before: readonly EpochMetrics[],
  { epochs, validateEvery }: { readonly epochs: number; readonly validateEvery: number },
  epoch: number,
): number {
  const last = before.findLast((e) => e.dice !== undefined && e.timing !== undefined);
  const count = Math.ceil(epochs / validateEvery) - Math.floor(epoch / validateEvery);
  return count * (last?.timing?.validation ?? 0);
}

/** Speed of a whole training. */
export interface TrainingSpeed {
  /** Mean of all epochs. */
  readonly secondsPerEpoch: number;
  /** Of the time in training steps. */
  readonly samplesPerSecond: number;
  /** Seconds of a validation. */
  readonly validation: number;
  /** Share of the time in training steps in which the loop waited for data. */
  readonly waiting: number;
}

/** The speed of some epochs; undefined without any that was timed. */
export function speedOf(epochs: readonly EpochMetrics[]): TrainingSpeed | undefined {
  const timed = epochs.filter((e) => e.timing !== undefined);
  if (timed.length === 0) return undefined;
  const sum = (of: (e: EpochMetrics & { timing: EpochTiming }) => number): number =>
    timed.reduce((total, e) => total + of(e as EpochMetrics & { timing: EpochTiming }), 0);
  const training = sum((e) => e.timing.training);
  const validations = timed.filter((e) => e.dice !== undefined).length;
  return {
    secondsPerEpoch: sum((e) => e.seconds) / timed.length,
    samplesPerSecond: sum((e) => e.timing.samples) / training,
    validation: validations === 0 ? 0 : sum((e) => e.timing.validation) / validations,
    waiting: sum((e) => e.timing.waiting) / training,
  };
}

/** A line such as `12 samples/s, 4.1 s per epoch, 1.2 s per validation, 3 % of training waiting for data`. */
export function speedLine({ secondsPerEpoch, samplesPerSecond, validation, waiting }: TrainingSpeed): string {
  const parts = [`${formatRate(samplesPerSecond)} samples/s`, `${secondsPerEpoch.toFixed(1)} s per epoch`];
  if (validation > 0) parts.push(`${validation.toFixed(1)} s per validation`);
  return [...parts, `${Math.round(100 * waiting)} % of training waiting for data`].join(", ");
}
