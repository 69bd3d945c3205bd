/** @file Weights of one-dimensional Gaussian filters, in the three ways that MONAI knows. */
import { ConfigError } from "./errors.ts";
import { expectWord } from "./words.ts";

/** "erf": the integral over each element; "sampled": the density at its center; "scalespace": the discrete analog (modified Bessel functions). */
export type GaussianApprox = "erf" | "sampled" | "scalespace";

/**
 * The 2·tail + 1 weights of a Gaussian with `sigma` in elements, cut at `truncated` sigmas; their sum is not made 1.
 * @throws ConfigError for a sigma that is negative or not finite, and an unknown `approx`
 */
export function gaussianWeights(op: string, sigma: number, approx: GaussianApprox = "erf", truncated = 4): Float64Array {
  if (!(sigma >= 0 && sigma < Infinity)) throw new ConfigError(`${op}: sigma must be 0 or more, got ${sigma}`);
  expectWord(op, "approx", approx, gaussianWays);
  const tail = Math.floor(Math.max(sigma * truncated, 0.5) + 0.5);
  if (sigma === 0) return Float64Array.from({ length: 2 * tail + 1 }, (_, i) => (i === tail ? 1 : 0));
  const half = gaussianWays[approx](sigma, tail);
  return Float64Array.from({ length: 2 * tail + 1 }, (_, i) => half[Math.abs(i - tail)]);
}

/** The density at the 2·tail + 1 places around the middle, of sum 1. */
export function normalizedGaussian(sigma: number, tail: number): Float64Array {
  const weights = Float64Array.from({ length: 2 * tail + 1 }, (_, i) => Math.exp(-0.5 * ((i - tail) / sigma) ** 2));
  const sum = weights.reduce((a, v) => a + v, 0);
  return weights.map((v) => v / sum);
}

/** The weights of the center and of one side. */
export const gaussianWays: Readonly<Record<GaussianApprox, (sigma: number, tail: number) => number[]>> = {
  erf: (sigma, tail) => {
    const edge = (x: number): number => erf((Math.SQRT1_2 / sigma) * x);
    return side(tail, (x) => Math.max(0.5 * (edge(x + 0.5) - edge(x - 0.5)), 0));
  },
  sampled: (sigma, tail) => side(tail, (x) => Math.exp((-0.5 * x * x) / (sigma * sigma)) / (Math.sqrt(2 * Math.PI) * sigma)),
  scalespace: (sigma, tail) => besselI(sigma * sigma, tail).map((v) => v * Math.exp(-sigma * sigma)),
};

const side = (tail: number, at: (x: number) => number): number[] => Array.from({ length: tail + 1 }, (_, x) => at(x));

/** Modified Bessel functions of the first kind, orders 0 … `last`, of x > 0: downward recurrence (Miller), scaled so that I0 + 2·(I1 + I2 + …) = eˣ. */
function besselI(x: number, last: number): number[] {
  const start = 2 * (last + Math.ceil(Math.sqrt(40 * (last + 1))) + Math.ceil(x));
  const out = new Array<number>(start + 2).fill(0);
  out[start] = Number.MIN_VALUE * 2 ** 100;
  for (let n = start; n > 0; n--) {
    out[n - 1] = out[n + 1] + ((2 * n) / x) * out[n];
    if (out[n - 1] > 1e250) for (let k = n - 1; k <= start; k++) out[k] *= 1e-250;
  }
  const sum = out.reduce((a, v) => a + 2 * v, -out[0]);
  return out.slice(0, last + 1).map((v) => (v / sum) * Math.exp(x));
}

/** Error function by its power series; beyond 5 it is 1 to float64's last digit but four, more than a filter weight needs. */
function erf(x: number): number {
  if (Math.abs(x) > 5) return Math.sign(x);
  let term = x;
  let sum = x;
  for (let n = 1; Math.abs(term) > 1e-17 * Math.abs(sum); n++) {
    term *= -(x * x) / n;
    sum += term / (2 * n + 1);
  }
  return (2 / Math.sqrt(Math.PI)) * sum;
}
