/** @file Speed and time left of a training. */

/**
 * The first step waits for data: the time left is judged by the steps after it, and by one such wait per epoch until one has passed.
 */
export class Pace {
  private readonly started = performance.now();
  private first: { readonly step: number; readonly time: number; readonly wait: number } | undefined;
  private samples = 0;

  /** Seconds since the epoch, or its rest, began. */
  get seconds(): number {
    return (performance.now() - this.started) / 1000;
  }

  /** Takes one more step; returns samples, seconds and the time left in seconds, NaN after the first step. */
  step(samples: number, step: number, stepsLeft: number, epochsLeft: number): { samples: number; seconds: number; eta: number } {
    const now = performance.now();
    this.samples += samples;
    this.first ??= { step, time: now, wait: now - this.started };
    const perStep = (now - this.first.time) / (step - this.first.step);
    return { samples: this.samples, seconds: this.seconds, eta: (perStep * stepsLeft + epochsLeft * this.first.wait) / 1000 };
  }
}
