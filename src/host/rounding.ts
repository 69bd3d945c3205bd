/** @file Rounding as Python, numpy and torch do it. */

/** Nearest integer, halves to the even neighbor. */
export function roundHalfEven(v: number): number {
  const up = Math.round(v);
  return up - v === 0.5 && up % 2 !== 0 ? up - 1 : up;
}
