/** @file Beta-distributed numbers as numpy's legacy `RandomState.beta` draws them: of uniforms and normals alone, so that any `RandomSource` can. */
import { ConfigError } from "../errors.ts";
import type { RandomSource } from "./numpy.ts";

/**
 * `size` numbers of Beta(a, b). A source that has a `beta` of its own is asked; others draw what numpy does: Jöhnk's pairs of powers where a and b are at most 1
 * (Devroye, Non-Uniform Random Variate Generation, IX.3.5), else quotients of gammas.
 * @throws ConfigError unless a and b are above 0
 */
export function drawBeta(random: RandomSource, a: number, b: number, size: number): Float64Array {
  if (!(a > 0 && b > 0)) throw new ConfigError(`beta: a and b must be above 0, got ${a} and ${b}`);
  return random.beta?.(a, b, size) ?? Float64Array.from({ length: size }, () => one(random, a, b));
}

function one(random: RandomSource, a: number, b: number): number {
  if (a > 1 || b > 1) {
    const x = gamma(random, a);
    return x / (x + gamma(random, b));
  }
  for (;;) {
    const [u, v] = [random.rand(), random.rand()];
    const [x, y] = [u ** (1 / a), v ** (1 / b)];
    if (x + y > 1) continue;
    if (x + y > 0) return x / (x + y);
    // Both powers are too small for a float64: by their logarithms.
    return 1 / (1 + Math.exp(Math.log(v) / b - Math.log(u) / a));
  }
}

const exponential = (random: RandomSource): number => -Math.log(1 - random.rand());

/** Gamma of scale 1: Ahrens and Dieter's way below 1, Marsaglia and Tsang's above. */
function gamma(random: RandomSource, shape: number): number {
  if (shape === 1) return exponential(random);
  if (shape < 1) {
    for (;;) {
      const [u, v] = [random.rand(), exponential(random)];
      const y = u <= 1 - shape ? 0 : -Math.log((1 - u) / shape);
      const x = (u <= 1 - shape ? u : 1 - shape + shape * y) ** (1 / shape);
      if (x <= v + y) return x;
    }
  }
  const d = shape - 1 / 3;
  const c = 1 / Math.sqrt(9 * d);
  for (;;) {
    const x = random.normal();
    const v = (1 + c * x) ** 3;
    if (v <= 0) continue;
    const u = random.rand();
    if (u < 1 - 0.0331 * x ** 4 || Math.log(u) < 0.5 * x * x + d * (1 - v + Math.log(v))) return d * v;
  }
}
