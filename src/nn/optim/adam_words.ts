/** @file The options that Adam and those after it have in common, checked, as words of their states on the device. */

import { expectArguments } from "../../host/kinds.ts";
import { requireRange } from "./optimizer.ts";

/** Decays of moments are below 1. */
const mostBeta = 1 - 1e-12;

interface Given {
  readonly lr?: number;
  readonly betas?: readonly [number, number];
  readonly eps?: number;
  readonly weightDecay?: number;
}

/** @throws ConfigError for values out of range */
export function adamWords(op: string, { lr = 1e-3, betas = [0.9, 0.999], eps = 1e-8, weightDecay = 0 }: Given) {
  expectArguments(op, "numbers", { betas });
  requireRange(op, "lr", lr, 0, Infinity);
  requireRange(op, "betas[0]", betas[0], 0, mostBeta);
  requireRange(op, "betas[1]", betas[1], 0, mostBeta);
  requireRange(op, "eps", eps, 0, Infinity);
  requireRange(op, "weightDecay", weightDecay, 0, Infinity);
  return {
    lr,
    beta1: betas[0],
    beta2: betas[1],
    one_minus_beta1: 1 - betas[0],
    one_minus_beta2: 1 - betas[1],
    epsilon: eps,
    weight_decay: weightDecay,
  };
}

interface FirstBetaWords {
  readonly beta1: number;
  readonly one_minus_beta1: number;
  readonly correction1?: number;
}

/**
 * What another first beta changes in a state after `steps` steps: words and their values. NAdam has no such correction, but momenta of its steps, which the
 * device multiplies. @throws ConfigError for a beta out of range
 */
export function firstBeta(op: string, { beta1, one_minus_beta1, correction1 }: FirstBetaWords, value: number, steps = 0) {
  requireRange(op, "betas[0]", value, 0, mostBeta);
  const corrected = correction1 === undefined ? [] : [[correction1, 1 - value ** steps] as const];
  return [[beta1, value] as const, [one_minus_beta1, 1 - value] as const, ...corrected];
}
