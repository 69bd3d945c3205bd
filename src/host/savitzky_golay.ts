/** @file Weights of the Savitzky-Golay filter. */
import { ConfigError } from "./errors.ts";

/**
 * The weights with which the middle of `length` places takes the value of the polynomial of degree `order` fitted to all of them (least squares).
 * @throws ConfigError for an even length and an order that is not below it
 */
export function savitzkyGolayWeights(op: string, length: number, order: number): Float64Array {
  if (!Number.isInteger(length) || length % 2 !== 1) throw new ConfigError(`${op}: the window length must be odd, got ${length}`);
  if (!(Number.isInteger(order) && order >= 0 && order < length))
    throw new ConfigError(`${op}: order must be an integer from 0 up and below the window length ${length}, got ${order}`);
  const half = (length - 1) / 2;
  const out = new Float64Array(length);
  // Polynomials of which each is orthogonal to the others on the window (Gram): the fit's value in the middle is the sum of their projections.
  let before = new Float64Array(length);
  let now = new Float64Array(length).fill(1);
  let lastNorm = 1;
  for (let n = 0; n <= order; n++) {
    const norm = now.reduce((a, v) => a + v * v, 0);
    for (let i = 0; i < length; i++) out[i] += (now[half] * now[i]) / norm;
    const beta = n === 0 ? 0 : norm / lastNorm;
    const next = now.map((v, i) => ((i - half) / Math.max(half, 1)) * v - beta * before[i]);
    [before, now, lastNorm] = [now, next, norm];
  }
  return out;
}
