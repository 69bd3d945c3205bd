/** @file The seed of all generators that were not given one: the platform's entropy, until a program asks for the same numbers every time. */

let base: number | undefined;
let made = 0;

/** Generators made from now on without a seed follow from this one and from how many there were before. */
export function setDefaultSeed(seed: number): void {
  base = seed;
  made = 0;
}

/** The seed that was set, or 0. */
export const defaultSeed = (): number => base ?? 0;

/** A seed for the next generator that has none. */
export function nextSeed(): number | readonly number[] {
  return base === undefined ? crypto.getRandomValues(new Uint32Array(1))[0] : [base, made++];
}
