/**
 * @file The discrete Fourier transform of any length, of many lines at once: Stockham's algorithm (no bit reversal) with factors 2 to 31, Bluestein's
 * for lengths with a larger prime. Lines lie side by side, so that every inner loop runs over neighbors with the same twiddle factor.
 */
import { lanesOf } from "./simd/chunks.ts";
import { fourier } from "./simd/fourier.ts";
import { type Passes, passesOf, roomForLines, transformLines } from "./simd/transform_lines.ts";

/** Real and imaginary parts. */
export interface Complex {
  re: Float64Array;
  im: Float64Array;
}

/** Transforms of one length. */
export interface Fft {
  readonly length: number;
  /** What the WebAssembly kernels take, where they know the length. */
  readonly passes?: Passes;
  /**
   * Transforms `lines` lines, element i of line b at i·lines + b, in place or in the buffers of `work`, which then change places with those of `x`.
   * Forward: X[k] = Σ x[i]·e^(−2πi·ik/n), without a factor. The other direction: swap `re` and `im` before and after.
   */
  run(x: Complex, work: Complex, lines: number): void;
}

/** Larger prime factors go through Bluestein's convolution. */
const largestFactor = 31;

export const complex = (length: number): Complex => ({ re: new Float64Array(length), im: new Float64Array(length) });

const plans = new Map<number, Fft>();

/** The transform of a length; plans are kept, as an image has few different axes. */
export function fft(length: number): Fft {
  const kept = plans.get(length);
  if (kept) return kept;
  const factors = factorsOf(length);
  const plan = factors.at(-1)! > largestFactor ? bluestein(length) : stockham(length, factors);
  if (plans.size > 64) plans.clear();
  plans.set(length, plan);
  return plan;
}

/** Ascending, fours in place of pairs of twos. */
function factorsOf(length: number): number[] {
  const out: number[] = [];
  let rest = length;
  for (const f of [4, 2]) for (; rest % f === 0; rest /= f) out.push(f);
  for (let f = 3; f * f <= rest; f += 2) for (; rest % f === 0; rest /= f) out.push(f);
  if (rest > 1 || out.length === 0) out.push(rest);
  return out.sort((a, b) => a - b);
}

const lanesFor = /* @__PURE__ */ lanesOf(fourier);

function stockham(length: number, factors: readonly number[]): Fft {
  const cos = Float64Array.from({ length }, (_, i) => Math.cos((2 * Math.PI * i) / length));
  const sin = Float64Array.from({ length }, (_, i) => -Math.sin((2 * Math.PI * i) / length));
  const whole = factors.filter((r) => r > 1);
  const passes = passesOf(whole, cos, sin);
  // Elements since the beginning: who transforms few needs no kernels.
  let done = 0;
  return {
    length,
    passes,
    run(x, work, lines) {
      const fits = passes && lines % 2 === 0 && lines <= roomForLines(length);
      const lanes = fits ? lanesFor((done += length * lines)) : undefined;
      if (lanes) return transformLines(lanes, x.re, x.im, lines, passes!);
      let [stride, left] = [lines, length];
      for (const r of whole) {
        const step = byFactor.get(r) ?? passAny;
        step(x, work, stride, left, length, cos, sin, r);
        [x.re, work.re, x.im, work.im] = [work.re, x.re, work.im, x.im];
        left /= r;
        stride *= r;
      }
    },
  };
}

type Pass = (
  x: Complex,
  y: Complex,
  s: number,
  n: number,
  length: number,
  cos: Float64Array,
  sin: Float64Array,
  r: number,
) => void;

const pass2: Pass = ({ re, im }, { re: yr, im: yi }, s, n, length, cos, sin) => {
  const m = n / 2;
  for (let p = 0; p < m; p++) {
    const w = p * (length / n);
    const [c, d] = [cos[w], sin[w]];
    const [a, b, to] = [s * p, s * (p + m), 2 * s * p];
    for (let q = 0; q < s; q++) {
      const tr = re[a + q] - re[b + q];
      const ti = im[a + q] - im[b + q];
      yr[to + q] = re[a + q] + re[b + q];
      yi[to + q] = im[a + q] + im[b + q];
      yr[to + s + q] = tr * c - ti * d;
      yi[to + s + q] = tr * d + ti * c;
    }
  }
};

const pass4: Pass = ({ re, im }, { re: yr, im: yi }, s, n, length, cos, sin) => {
  const m = n / 4;
  for (let p = 0; p < m; p++) {
    const w = p * (length / n);
    const [c1, d1, c2, d2, c3, d3] = [cos[w], sin[w], cos[2 * w], sin[2 * w], cos[3 * w], sin[3 * w]];
    const [a, b, c, d] = [s * p, s * (p + m), s * (p + 2 * m), s * (p + 3 * m)];
    const to = 4 * s * p;
    for (let q = 0; q < s; q++) {
      const sumR = re[a + q] + re[c + q];
      const sumI = im[a + q] + im[c + q];
      const difR = re[a + q] - re[c + q];
      const difI = im[a + q] - im[c + q];
      const oddR = re[b + q] + re[d + q];
      const oddI = im[b + q] + im[d + q];
      // −i · (b − d)
      const turnR = im[b + q] - im[d + q];
      const turnI = re[d + q] - re[b + q];
      yr[to + q] = sumR + oddR;
      yi[to + q] = sumI + oddI;
      const r1 = difR + turnR;
      const i1 = difI + turnI;
      yr[to + s + q] = r1 * c1 - i1 * d1;
      yi[to + s + q] = r1 * d1 + i1 * c1;
      const r2 = sumR - oddR;
      const i2 = sumI - oddI;
      yr[to + 2 * s + q] = r2 * c2 - i2 * d2;
      yi[to + 2 * s + q] = r2 * d2 + i2 * c2;
      const r3 = difR - turnR;
      const i3 = difI - turnI;
      yr[to + 3 * s + q] = r3 * c3 - i3 * d3;
      yi[to + 3 * s + q] = r3 * d3 + i3 * c3;
    }
  }
};

const pass3: Pass = ({ re, im }, { re: yr, im: yi }, s, n, length, cos, sin) => {
  const m = n / 3;
  const half = Math.sqrt(3) / 2;
  for (let p = 0; p < m; p++) {
    const w = p * (length / n);
    const [c1, d1, c2, d2] = [cos[w], sin[w], cos[2 * w], sin[2 * w]];
    const [a, b, c, to] = [s * p, s * (p + m), s * (p + 2 * m), 3 * s * p];
    for (let q = 0; q < s; q++) {
      const sumR = re[b + q] + re[c + q];
      const sumI = im[b + q] + im[c + q];
      const difR = (re[b + q] - re[c + q]) * half;
      const difI = (im[b + q] - im[c + q]) * half;
      const midR = re[a + q] - sumR / 2;
      const midI = im[a + q] - sumI / 2;
      yr[to + q] = re[a + q] + sumR;
      yi[to + q] = im[a + q] + sumI;
      const r1 = midR + difI;
      const i1 = midI - difR;
      yr[to + s + q] = r1 * c1 - i1 * d1;
      yi[to + s + q] = r1 * d1 + i1 * c1;
      const r2 = midR - difI;
      const i2 = midI + difR;
      yr[to + 2 * s + q] = r2 * c2 - i2 * d2;
      yi[to + 2 * s + q] = r2 * d2 + i2 * c2;
    }
  }
};

const pass5: Pass = ({ re, im }, { re: yr, im: yi }, s, n, length, cos, sin) => {
  const m = n / 5;
  const [ca, cb] = [Math.cos((2 * Math.PI) / 5), Math.cos((4 * Math.PI) / 5)];
  const [sa, sb] = [Math.sin((2 * Math.PI) / 5), Math.sin((4 * Math.PI) / 5)];
  for (let p = 0; p < m; p++) {
    const w = p * (length / n);
    const [c1, d1, c2, d2] = [cos[w], sin[w], cos[2 * w], sin[2 * w]];
    const [c3, d3, c4, d4] = [cos[3 * w], sin[3 * w], cos[4 * w], sin[4 * w]];
    const [a, b, c, d, e] = [0, 1, 2, 3, 4].map((k) => s * (p + k * m));
    const to = 5 * s * p;
    for (let q = 0; q < s; q++) {
      const outerR = re[b + q] + re[e + q];
      const outerI = im[b + q] + im[e + q];
      const innerR = re[c + q] + re[d + q];
      const innerI = im[c + q] + im[d + q];
      const outerDR = re[b + q] - re[e + q];
      const outerDI = im[b + q] - im[e + q];
      const innerDR = re[c + q] - re[d + q];
      const innerDI = im[c + q] - im[d + q];
      yr[to + q] = re[a + q] + outerR + innerR;
      yi[to + q] = im[a + q] + outerI + innerI;
      const evenR = re[a + q] + ca * outerR + cb * innerR;
      const evenI = im[a + q] + ca * outerI + cb * innerI;
      const oddR = sa * outerDI + sb * innerDI;
      const oddI = -sa * outerDR - sb * innerDR;
      const even2R = re[a + q] + cb * outerR + ca * innerR;
      const even2I = im[a + q] + cb * outerI + ca * innerI;
      const odd2R = sb * outerDI - sa * innerDI;
      const odd2I = sa * innerDR - sb * outerDR;
      yr[to + s + q] = (evenR + oddR) * c1 - (evenI + oddI) * d1;
      yi[to + s + q] = (evenR + oddR) * d1 + (evenI + oddI) * c1;
      yr[to + 2 * s + q] = (even2R + odd2R) * c2 - (even2I + odd2I) * d2;
      yi[to + 2 * s + q] = (even2R + odd2R) * d2 + (even2I + odd2I) * c2;
      yr[to + 3 * s + q] = (even2R - odd2R) * c3 - (even2I - odd2I) * d3;
      yi[to + 3 * s + q] = (even2R - odd2R) * d3 + (even2I - odd2I) * c3;
      yr[to + 4 * s + q] = (evenR - oddR) * c4 - (evenI - oddI) * d4;
      yi[to + 4 * s + q] = (evenR - oddR) * d4 + (evenI - oddI) * c4;
    }
  }
};

/** What is written out; other factors take the general way. */
const byFactor: ReadonlyMap<number, Pass> = new Map([
  [2, pass2],
  [3, pass3],
  [4, pass4],
  [5, pass5],
]);

/** An odd factor: the sum as it stands, the elements k and r − k together, since their factors are conjugates. */
const passAny: Pass = ({ re, im }, { re: yr, im: yi }, s, n, length, cos, sin, r) => {
  const m = n / r;
  const step = length / r;
  const half = (r - 1) / 2;
  const [sumR, sumI, difR, difI] = [0, 1, 2, 3].map(() => new Float64Array(half + 1));
  for (let p = 0; p < m; p++) {
    for (let q = 0; q < s; q++) {
      const first = s * p + q;
      let totalR = re[first];
      let totalI = im[first];
      for (let k = 1; k <= half; k++) {
        const a = first + s * m * k;
        const b = first + s * m * (r - k);
        totalR += sumR[k] = re[a] + re[b];
        totalI += sumI[k] = im[a] + im[b];
        difR[k] = re[a] - re[b];
        difI[k] = im[a] - im[b];
      }
      const to = s * r * p + q;
      yr[to] = totalR;
      yi[to] = totalI;
      for (let j = 1; j <= half; j++) {
        let evenR = re[first];
        let evenI = im[first];
        let oddR = 0;
        let oddI = 0;
        for (let k = 1, w = 0; k <= half; k++) {
          w += j * step;
          if (w >= length) w -= length;
          evenR += cos[w] * sumR[k];
          evenI += cos[w] * sumI[k];
          oddR -= sin[w] * difI[k];
          oddI += sin[w] * difR[k];
        }
        store(yr, yi, to + s * j, evenR + oddR, evenI + oddI, j * p * (length / n), length, cos, sin);
        store(yr, yi, to + s * (r - j), evenR - oddR, evenI - oddI, (r - j) * p * (length / n), length, cos, sin);
      }
    }
  }
};

function store(
  yr: Float64Array,
  yi: Float64Array,
  at: number,
  re: number,
  im: number,
  turn: number,
  length: number,
  cos: Float64Array,
  sin: Float64Array,
): void {
  const w = turn % length;
  yr[at] = re * cos[w] - im * sin[w];
  yi[at] = re * sin[w] + im * cos[w];
}

/** As a convolution with a chirp, of a length that is a power of two. */
function bluestein(length: number): Fft {
  const padded = 2 ** Math.ceil(Math.log2(2 * length - 1));
  const inner = fft(padded);
  // The angle of i² modulo 2n keeps its digits, that of i² does not.
  const angle = (i: number): number => (Math.PI * ((i * i) % (2 * length))) / length;
  const chirpRe = Float64Array.from({ length }, (_, i) => Math.cos(angle(i)));
  const chirpIm = Float64Array.from({ length }, (_, i) => -Math.sin(angle(i)));
  const filter = complex(padded);
  for (let i = 0; i < length; i++) {
    filter.re[i] = filter.re[(padded - i) % padded] = chirpRe[i] / padded;
    filter.im[i] = filter.im[(padded - i) % padded] = -chirpIm[i] / padded;
  }
  inner.run(filter, complex(padded), 1);
  return {
    length,
    run(x, _work, lines) {
      const [long, work] = [complex(padded * lines), complex(padded * lines)];
      multiply(x, chirpRe, chirpIm, lines, long);
      inner.run(long, work, lines);
      multiply(long, filter.re, filter.im, lines, long);
      const back = { re: long.im, im: long.re };
      inner.run(back, { re: work.im, im: work.re }, lines);
      multiply({ re: back.im, im: back.re }, chirpRe, chirpIm, lines, x);
    },
  };
}

/** out[i, b] = x[i, b] · factor[i]; for as many i as there are factors. */
function multiply({ re, im }: Complex, fr: Float64Array, fi: Float64Array, lines: number, out: Complex): void {
  for (let i = 0; i < fr.length; i++) {
    const [c, d] = [fr[i], fi[i]];
    for (let at = i * lines; at < (i + 1) * lines; at++) {
      const a = re[at];
      const b = im[at];
      out.re[at] = a * c - b * d;
      out.im[at] = a * d + b * c;
    }
  }
}
