/** @file Rounding as Python, numpy and torch do it. */

/** Nearest integer, halves to the even neighbor. */
export function roundHalfEven(v: number): number {
  return Math.abs(v % 1) === 0.5 ? 2 * Math.round(v / 2) : Math.round(v);
}
