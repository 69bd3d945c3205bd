/** @file What suits trainings that see each case some dozens of times, where published recipes see it thousands of times. */

import { cosineAnnealing, type Schedule, warmUp } from "../../nn/optim/rates.ts";

/**
 * Up from a tenth of the optimizer's rate in the first tenth of the epochs, at least one, then down to nothing on a half cosine: Adam takes a larger rate
 * once its moments are known, and what a short run ends at is mostly what its last, small steps settle (Loshchilov and Hutter 2017; Smith and Topin 2019).
 */
export function shortSchedule(epochs: number): Schedule {
  if (epochs < 3) return (_, base) => base;
  const steps = Math.max(1, Math.round(epochs / 10));
  return warmUp(cosineAnnealing({ tMax: epochs - steps }), { steps, startFactor: 0.1 });
}

/**
 * How often a training must see each of its cases for mirror images to pay. To a network these are other cases, in volumes 8 times as many; where there are
 * few passes it learns more from those that occur, and needs no mirror images when it predicts.
 */
export const passesToMirror = 100;
