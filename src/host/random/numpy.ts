/**
 * @file Host-side randomness for transforms, samplers and synthetic data: numpy's legacy `RandomState`, so that a seed gives
 * MONAI's draws. Words, integers and uniforms equal numpy's in every bit; normals go through the platform's `log` and agree to the
 * last bit or two of a float64.
 */
import { expectArguments } from "../kinds.ts";
import { ConfigError } from "../errors.ts";
import { expectIntegers } from "../integers.ts";
import { normalsInLanes } from "../simd/normals.ts";
import { nextSeed } from "./default_seed.ts";
import { MT19937, type MT19937State } from "./mt19937.ts";
import { pairsAtOnce, polarPairs, wordsPerPair } from "./polar.ts";
import { drawnWords, shuffle } from "./shuffle.ts";

/** What a random transform draws from. Methods, argument order and ranges are numpy's `RandomState`. */
export interface RandomSource {
  /** Uniform in [0, 1), 53 bits. With `size`, that many elements. */
  rand(): number;
  rand(size: number): Float64Array;
  /** Integer in [low, high), or [0, low) when only one bound is given. With `size`, that many elements. */
  randint(low: number, high?: number): number;
  randint(low: number, high: number, size: number): Float64Array;
  /** Uniform in [low, high), by default [0, 1); with `size`, that many elements. */
  uniform(low?: number, high?: number): number;
  uniform(low: number, high: number, size: number): Float64Array;
  /** Normal with mean `loc` (default 0) and standard deviation `scale` (default 1); with `size`, that many elements. */
  normal(loc?: number, scale?: number): number;
  normal(loc: number, scale: number, size: number): Float64Array;
  /** As many as `into` has, stored there: the numbers of float64, in half the memory. */
  normal<A extends Float32Array | Float64Array>(loc: number, scale: number, into: A): A;
  /** `size` indices below `n`, with probabilities `p` (sum 1) or evenly; without replacement when `replace` is false. */
  choice(n: number, size: number, options?: ChoiceOptions): number[];
  /** A shuffled copy of 0 … n − 1, or of the given array. `items` stays as it is. */
  permutation(n: number): number[];
  permutation<T>(items: readonly T[]): T[];
  /** Shuffles in place. One draw for each of `items` but the first. @param items a list, or an array of shape `[n]` */
  shuffle<T>(items: T[] | Int32Array): void;
  /** `[size]` numbers of Beta(a, b), of a source that has them, such as a log of draws; for others they are made of `rand` and `normal`, as numpy does. */
  beta?(a: number, b: number, size: number): Float64Array;
  /** The state as plain JSON; `setState` continues from it bit for bit. */
  getState(): RandomStateSnapshot;
  /** Goes on from a state that `getState` gave. @throws ConfigError if it is none */
  setState(state: RandomStateSnapshot): void;
}

/** How `choice` draws. */
export interface ChoiceOptions {
  /** Whether an index may come more than once; default true. */
  readonly replace?: boolean;
  /** Probability of each index, sum 1; default even. */
  readonly p?: readonly number[];
}

/** State of a `RandomState`; plain JSON. */
export interface RandomStateSnapshot extends MT19937State {
  /** Tells it from the states of other generators. */
  readonly kind: "numpy";
  /** The second normal of the last polar pair, or null. */
  readonly gauss: number | null;
}

/** numpy's legacy `RandomState` (MT19937, polar normals, masked rejection for integers). */
export class RandomState implements RandomSource {
  private readonly mt = new MT19937();
  /** The second normal of the last polar pair. */
  private gauss: number | null = null;

  /** @param seed integer 0 … 2^32 − 1, or several of them; without one the platform's entropy is used, or what `setDeterminism` set. */
  constructor(seed: number | readonly number[] = nextSeed()) {
    if (typeof seed !== "number") expectArguments("RandomState", "numbers", { seed });
    const words = typeof seed === "number" ? [seed] : seed;
    if (words.length === 0 || words.some((s) => !Number.isInteger(s) || s < 0 || s >= 2 ** 32)) {
      throw new ConfigError(`RandomState: seed must be an integer from 0 to 2^32 - 1 (or several), got ${String(seed)}`);
    }
    if (typeof seed === "number") this.mt.seed(seed);
    else this.mt.seedByArray(seed);
  }

  rand(): number;
  rand(size: number): Float64Array;
  rand(size?: number): number | Float64Array {
    return many(size, () => this.double());
  }

  randint(low: number, high?: number): number;
  randint(low: number, high: number, size: number): Float64Array;
  randint(low: number, high?: number, size?: number): number | Float64Array {
    const [from, to] = high === undefined ? [0, low] : [low, high];
    if (!Number.isSafeInteger(from) || !Number.isSafeInteger(to) || from >= to) {
      throw new ConfigError(`RandomState.randint: expected integers with low < high, got low ${from}, high ${to}`);
    }
    if (size !== undefined && to - from <= 2 ** 31) return this.integers(new Float64Array(size), from, to - from - 1);
    return many(size, () => from + this.below(to - from - 1));
  }

  uniform(low?: number, high?: number): number;
  uniform(low: number, high: number, size: number): Float64Array;
  uniform(low = 0, high = 1, size?: number): number | Float64Array {
    const range = high - low;
    if (size === undefined) return low + range * this.double();
    const out = new Float64Array(size);
    for (let at = 0; at < size; at += drawnWords.length / 2) {
      const words = drawnWords.subarray(0, 2 * Math.min(drawnWords.length / 2, size - at));
      this.mt.fill(words);
      for (let k = 0; k < words.length; k += 2)
        out[at + (k >> 1)] = low + range * (((words[k] >>> 5) * 2 ** 26 + (words[k + 1] >>> 6)) / 2 ** 53);
    }
    return out;
  }

  normal(loc?: number, scale?: number): number;
  normal(loc: number, scale: number, size: number): Float64Array;
  normal<A extends Float32Array | Float64Array>(loc: number, scale: number, into: A): A;
  normal(loc = 0, scale = 1, size?: number | Float32Array | Float64Array): number | Float32Array | Float64Array {
    if (!(scale >= 0)) throw new ConfigError(`RandomState.normal: scale must be 0 or more, got ${scale}`);
    if (size === undefined) return loc + scale * this.polar();
    const out = typeof size === "number" ? new Float64Array(size) : size;
    this.fillNormal(out, loc, scale);
    return out;
  }

  choice(n: number, size: number, { replace = true, p }: ChoiceOptions = {}): number[] {
    expectIntegers("RandomState.choice", { n }, 1);
    expectIntegers("RandomState.choice", { size }, 0);
    if (p) checkProbabilities(p, n);
    if (replace) {
      if (!p) return Array.from({ length: size }, () => this.below(n - 1));
      const cdf = cumulative(p);
      return Array.from({ length: size }, () => firstAbove(cdf, this.double()));
    }
    if (size > n || (p && p.filter((v) => v > 0).length < size)) {
      throw new ConfigError(`RandomState.choice: cannot take ${size} of ${n} without replacement; lower size or set replace`);
    }
    return p ? this.choiceOnce(p, size) : this.permutation(n).slice(0, size);
  }

  permutation(n: number): number[];
  permutation<T>(items: readonly T[]): T[];
  permutation<T>(items: number | readonly T[]): number[] | T[] {
    const out = typeof items === "number" ? Array.from({ length: items }, (_, i) => i) : [...items];
    this.shuffle<unknown>(out);
    return out as number[] | T[];
  }

  shuffle<T>(items: T[] | Int32Array): void {
    shuffle(this.mt, items);
  }

  getState(): RandomStateSnapshot {
    return { kind: "numpy", gauss: this.gauss, ...this.mt.getState() };
  }

  setState(state: RandomStateSnapshot): void {
    if (state.kind !== "numpy")
      throw new ConfigError(`RandomState.setState: expected a state of kind "numpy", got "${String(state.kind)}"`);
    this.mt.setState(state);
    this.gauss = state.gauss;
  }

  /** 53 bits: 27 of one word, 26 of the next. */
  private double(): number {
    const a = this.mt.next() >>> 5;
    const b = this.mt.next() >>> 6;
    return (a * 2 ** 26 + b) / 2 ** 53;
  }

  /** What `below` draws one after the other, plus `from`. As many words are taken as integers are wanted still, of which each gives one at most. */
  private integers(out: Float64Array, from: number, max: number): Float64Array {
    if (max === 0) return out.fill(from);
    for (let at = 0; at < out.length;) {
      const words = drawnWords.subarray(0, Math.min(drawnWords.length, out.length - at));
      this.mt.fill(words);
      const count = keepUpTo(words, max);
      for (let k = 0; k < count; k++) out[at + k] = from + words[k];
      at += count;
    }
    return out;
  }

  /** Integer 0 … max (inclusive): words masked to the bits of max, rejected while above it. No word is drawn for max 0. */
  private below(max: number): number {
    if (max === 0) return 0;
    if (max <= 0xffffffff) {
      const mask = 0xffffffff >>> Math.clz32(max);
      for (;;) {
        const value = (this.mt.next() & mask) >>> 0;
        if (value <= max) return value;
      }
    }
    const highMask = 0xffffffff >>> Math.clz32(Math.floor(max / 2 ** 32));
    for (;;) {
      const high = (this.mt.next() & highMask) >>> 0;
      const value = high * 2 ** 32 + this.mt.next();
      if (value <= max) return value;
    }
  }

  /** Standard normal by Marsaglia's polar method; the second of each pair is kept. */
  private polar(): number {
    if (this.gauss !== null) {
      const kept = this.gauss;
      this.gauss = null;
      return kept;
    }
    for (;;) {
      const x1 = 2 * this.double() - 1;
      const x2 = 2 * this.double() - 1;
      const r2 = x1 * x1 + x2 * x2;
      if (r2 >= 1 || r2 === 0) continue;
      const f = Math.sqrt((-2 * Math.log(r2)) / r2);
      this.gauss = f * x1;
      return f * x2;
    }
  }

  /** `polar` for a whole array: words come in blocks, and no more of them than the missing pairs need if none is rejected. */
  private fillNormal(out: Float32Array | Float64Array, loc: number, scale: number): void {
    let at = 0;
    if (this.gauss !== null && out.length > 0) out[at++] = loc + scale * this.polar();
    if (out instanceof Float32Array) at = normalsInLanes((words) => this.mt.fill(words), out, at, loc, scale);
    const words = new Uint32Array(wordsPerPair * pairsAtOnce);
    while (at + 1 < out.length) {
      const block = words.subarray(0, wordsPerPair * ((out.length - at) >> 1));
      this.mt.fill(block);
      at = polarPairs(block, out, at, loc, scale);
    }
    if (at < out.length) out[at] = loc + scale * this.polar();
  }

  /** Weighted choice without replacement: draw what is missing, drop repeats, remove the found, again. */
  private choiceOnce(p: readonly number[], size: number): number[] {
    const left = [...p];
    const found: number[] = [];
    while (found.length < size) {
      const draws = this.rand(size - found.length);
      for (const i of found) left[i] = 0;
      const cdf = cumulative(left);
      for (const i of new Set(Array.from(draws, (x) => firstAbove(cdf, x)))) found.push(i); // may be too many for arguments
    }
    return found;
  }
}

/**
 * Masks words to the bits of `max`, below 2^31, and moves those that are not above it to the front; gives how many. The next one takes the place of one that is
 * rejected, by the sign of a difference: a branch on chance would be guessed wrong as often.
 */
function keepUpTo(words: Uint32Array, max: number): number {
  const mask = 0xffffffff >>> Math.clz32(max);
  let count = 0;
  for (let k = 0; k < words.length; k++) {
    const value = words[k] & mask;
    words[count] = value;
    count += (value - max - 1) >>> 31;
  }
  return count;
}

function many(size: number | undefined, draw: () => number): number | Float64Array {
  if (size === undefined) return draw();
  const out = new Float64Array(size);
  for (let i = 0; i < size; i++) out[i] = draw();
  return out;
}

function checkProbabilities(p: readonly number[], n: number): void {
  const sum = p.reduce((a, b) => a + b, 0);
  if (p.length !== n || p.some((v) => !(v >= 0)) || Math.abs(sum - 1) > 1e-8) {
    throw new ConfigError(
      `RandomState.choice: p must be ${n} values from 0 up with sum 1, got ${p.length} values with sum ${sum}`,
    );
  }
}

/** Running sums scaled so that the last is 1. */
function cumulative(p: readonly number[]): Float64Array {
  const out = new Float64Array(p.length);
  let sum = 0;
  for (let i = 0; i < p.length; i++) out[i] = sum += p[i];
  return out.map((v) => v / sum);
}

/** Index of the first entry above x (numpy's searchsorted, side "right"). */
function firstAbove(cdf: Float64Array, x: number): number {
  let low = 0;
  let high = cdf.length;
  while (low < high) {
    const mid = (low + high) >>> 1;
    if (cdf[mid] <= x) low = mid + 1;
    else high = mid;
  }
  return low;
}
