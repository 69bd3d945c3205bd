/**
 * @file PyTorch's CPU random generator: the same seed gives the same initial weights as `torch.manual_seed`. Words come from
 * MT19937; how torch makes floats, normals and integers of them is written out at each method (ATen TransformationHelper,
 * DistributionTemplates, as of torch 2.13).
 */
import { ConfigError } from "../errors.ts";
import { MT19937, type MT19937State } from "./mt19937.ts";

const f32 = Math.fround;
const twoPi = f32(2 * Math.PI);

/** State of a `TorchGenerator`; plain JSON. */
export interface TorchGeneratorState extends MT19937State {
  /** Second half of the last Box-Muller pair, or null. */
  readonly cachedNormal: number | null;
}

/** A stand-in for `torch.Generator` on the CPU. */
export class TorchGenerator {
  private readonly mt = new MT19937();
  private cachedNormal: number | null = null;

  /** @param seed integer; default 0 */
  constructor(seed = 0) {
    this.seed(seed);
  }

  /** As `torch.manual_seed(seed)`. Only the low 32 bits count, as in torch. */
  seed(seed: number): this {
    if (!Number.isSafeInteger(seed)) {
      throw new ConfigError(`TorchGenerator.seed: seed must be an integer, got ${seed}`);
    }
    // A negative seed is taken modulo 2^64 by torch; its low 32 bits are those of the modulo 2^32.
    this.mt.seed(((seed % 2 ** 32) + 2 ** 32) % 2 ** 32);
    this.cachedNormal = null;
    return this;
  }

  /**
   * `torch.empty(n).uniform_(low, high)`, bit for bit: 24 random bits over 2^24, then a float32 fused multiply-add, which torch
   * uses on every CPU of the last decade. (The float64 product of two float32 is exact, so rounding once at the store is that.)
   *
   * @param n number of elements
   * @returns float32 values in [low, high)
   */
  uniform(low: number, high: number, n: number): Float32Array {
    const from = f32(low);
    const range = f32(f32(high) - from);
    const out = new Float32Array(n);
    for (let i = 0; i < n; i++) out[i] = this.uniform24() * range + from;
    return out;
  }

  /** `torch.rand(n)`. `n` elements in [0, 1). */
  rand(n: number): Float32Array {
    return this.uniform(0, 1, n);
  }

  /**
   * `torch.empty(n).normal_(mean, std)`. Fewer than 16 elements: Box-Muller in float64, the second of a pair kept for the next
   * call. From 16 on: blocks of 16 in float32, element j with element j + 8; a ragged end redraws the last 16. The random bits
   * are torch's; log, cos and sin may differ from torch's vectorized ones in the last float32 bits.
   */
  normal(mean: number, std: number, n: number): Float32Array {
    const out = new Float32Array(n);
    if (n < 16) {
      for (let i = 0; i < n; i++) out[i] = this.normalF64() * std + mean;
      return out;
    }
    for (let i = 0; i < n; i++) out[i] = this.uniform24();
    for (let i = 0; i + 16 <= n; i += 16) boxMuller16(out, i, mean, std);
    if (n % 16 !== 0) {
      for (let i = n - 16; i < n; i++) out[i] = this.uniform24();
      boxMuller16(out, n - 16, mean, std);
    }
    return out;
  }

  /** `torch.randn(n)`. `n` elements. */
  randn(n: number): Float32Array {
    return this.normal(0, 1, n);
  }

  /** `torch.randint(low, high, (n,))`: a word modulo the range. Ranges from 2^32 up are refused. `n` elements. */
  randint(low: number, high: number, n: number): Int32Array {
    const range = high - low;
    if (!Number.isInteger(range) || range < 1 || range >= 2 ** 32) {
      throw new ConfigError(`TorchGenerator.randint: expected integers low < high < low + 2^32, got low ${low}, high ${high}`);
    }
    return Int32Array.from({ length: n }, () => (this.mt.next() % range) + low);
  }

  /** `torch.randperm(n)`. The `n` elements 0 … n − 1, shuffled. */
  randperm(n: number): Int32Array {
    const out = Int32Array.from({ length: n }, (_, i) => i);
    for (let i = 0; i < n - 1; i++) {
      const j = i + (this.mt.next() % (n - i));
      const held = out[i];
      out[i] = out[j];
      out[j] = held;
    }
    return out;
  }

  /** The state as plain JSON; `setState` continues from it bit for bit. */
  getState(): TorchGeneratorState {
    return { ...this.mt.getState(), cachedNormal: this.cachedNormal };
  }

  /** Goes on from a state that `getState` gave. @throws ConfigError if it is none */
  setState(state: TorchGeneratorState): void {
    this.mt.setState(state);
    this.cachedNormal = state.cachedNormal;
  }

  /** 24 bits as a float32 in [0, 1). */
  private uniform24(): number {
    return (this.mt.next() & 0xffffff) / 2 ** 24;
  }

  /** 53 bits as a float64 in [0, 1): low 53 of (first word · 2^32 + second word). */
  private uniform53(): number {
    const hi = this.mt.next() & 0x1fffff;
    return (hi * 2 ** 32 + this.mt.next()) / 2 ** 53;
  }

  private normalF64(): number {
    if (this.cachedNormal !== null) {
      const cached = this.cachedNormal;
      this.cachedNormal = null;
      return cached;
    }
    const u1 = this.uniform53();
    const u2 = this.uniform53();
    const r = Math.sqrt(-2 * Math.log1p(-u2));
    this.cachedNormal = r * Math.sin(2 * Math.PI * u1);
    return r * Math.cos(2 * Math.PI * u1);
  }
}

/** Turns 16 uniforms at `at` into 16 normals in place. */
function boxMuller16(data: Float32Array, at: number, mean: number, std: number): void {
  for (let j = at; j < at + 8; j++) {
    const u1 = f32(1 - data[j]); // (0, 1], so that the logarithm is finite
    const radius = f32(Math.sqrt(f32(-2 * f32(Math.log(u1)))));
    const theta = f32(twoPi * data[j + 8]);
    data[j] = f32(radius * f32(Math.cos(theta))) * f32(std) + f32(mean);
    data[j + 8] = f32(radius * f32(Math.sin(theta))) * f32(std) + f32(mean);
  }
}
