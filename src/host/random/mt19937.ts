/**
 * @file The Mersenne Twister MT19937 (Matsumoto and Nishimura, 1998), the bit source of numpy's legacy RandomState and of
 * PyTorch's CPU generator. Only the 32-bit words are here; how each library turns words into numbers is its own file.
 */
import { ConfigError } from "../errors.ts";
import { twistInLanes } from "../simd/twist.ts";

const N = 624;
const M = 397;

/** The whole state of a generator; plain JSON. */
export interface MT19937State {
  /** 624 unsigned 32-bit words. */
  readonly key: readonly number[];
  /** Index of the next word to give out; 624 = twist first. */
  readonly pos: number;
}

/** A stream of unsigned 32-bit words with period 2^19937 − 1. */
export class MT19937 {
  private readonly key = new Uint32Array(N);
  /** What is given out of them. */
  private readonly words = new Uint32Array(N);
  private pos = N;
  /** Words since the beginning: who draws few needs no kernels. */
  private drawn = 0;

  /** Seeds as `init_genrand(s)`; numpy and PyTorch both use it for an integer seed. */
  seed(seed: number): void {
    const { key } = this;
    key[0] = seed;
    for (let i = 1; i < N; i++) {
      const prev = key[i - 1] ^ (key[i - 1] >>> 30);
      key[i] = Math.imul(1812433253, prev) + i;
    }
    this.pos = N;
  }

  /** Seeds as `init_by_array(words)`; numpy uses it for a sequence of integers. */
  seedByArray(words: readonly number[]): void {
    this.seed(19650218);
    const { key } = this;
    let i = 1;
    let j = 0;
    for (let k = Math.max(N, words.length); k > 0; k--) {
      const prev = key[i - 1] ^ (key[i - 1] >>> 30);
      key[i] = (key[i] ^ Math.imul(prev, 1664525)) + (words[j] >>> 0) + j;
      if (++i >= N) {
        key[0] = key[N - 1];
        i = 1;
      }
      if (++j >= words.length) j = 0;
    }
    for (let k = N - 1; k > 0; k--) {
      const prev = key[i - 1] ^ (key[i - 1] >>> 30);
      key[i] = (key[i] ^ Math.imul(prev, 1566083941)) - i;
      if (++i >= N) {
        key[0] = key[N - 1];
        i = 1;
      }
    }
    key[0] = 0x80000000;
    this.pos = N;
  }

  /** The next word, 0 … 2^32 − 1. */
  next(): number {
    if (this.pos >= N) this.twist();
    return this.words[this.pos++];
  }

  /** The next words, as many as `out` has. */
  fill(out: Uint32Array): void {
    for (let at = 0; at < out.length;) {
      if (this.pos >= N) this.twist();
      const count = Math.min(N - this.pos, out.length - at);
      out.set(this.words.subarray(this.pos, this.pos + count), at);
      this.pos += count;
      at += count;
    }
  }

  getState(): MT19937State {
    return { key: Array.from(this.key), pos: this.pos };
  }

  /** @throws ConfigError when `state` is not one that `getState` gave */
  setState(state: MT19937State): void {
    const { key, pos } = state;
    if (!Array.isArray(key) || key.length !== N || !Number.isInteger(pos) || pos < 0 || pos > N) {
      throw new ConfigError(
        `MT19937.setState: expected {key: 624 words, pos: 0…624}, got key of length ${key?.length}, pos ${pos}; pass what getState() gave`,
      );
    }
    this.key.set(key);
    this.temper();
    this.pos = pos;
  }

  private twist(): void {
    this.pos = 0;
    const { key } = this;
    if (twistInLanes(key, this.words, (this.drawn += N))) return;
    let high = key[0];
    // Three stretches in place of indices modulo N: the words that each reads lie after, before and around the end of the array.
    for (let i = 0; i < N - M; i++) {
      const low = key[i + 1];
      key[i] = key[i + M] ^ mixed(high, low);
      high = low;
    }
    for (let i = N - M; i < N - 1; i++) {
      const low = key[i + 1];
      key[i] = key[i + M - N] ^ mixed(high, low);
      high = low;
    }
    key[N - 1] = key[M - 1] ^ mixed(high, key[0]);
    this.temper();
  }

  private temper(): void {
    const { key, words } = this;
    for (let i = 0; i < N; i++) {
      let y = key[i];
      y ^= y >>> 11;
      y ^= (y << 7) & 0x9d2c5680;
      y ^= (y << 15) & 0xefc60000;
      words[i] = y ^ (y >>> 18);
    }
  }
}

function mixed(high: number, low: number): number {
  return (((high & 0x80000000) | (low & 0x7fffffff)) >>> 1) ^ (-(low & 1) & 0x9908b0df);
}
