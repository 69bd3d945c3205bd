/** @file Spectra and filters against their definitions, order statistics against sorting, blocks of normals against single ones, powers against Math. */
import { describe, expect, test } from "vitest";
import { type Complex, complex, fft } from "../../src/host/fft.ts";
import { filterAxis, filterNd } from "../../src/host/filter.ts";
import { exp2, raise } from "../../src/host/powers.ts";
import { selectRanks } from "../../src/host/quantile.ts";
import { RandomState } from "../../src/host/random/numpy.ts";
import { forwardReal, inverseReal } from "../../src/host/spectrum.ts";
import { columnsInLanes } from "../../src/host/simd/spectrum_lines.ts";
import { stridesOf } from "../../src/host/shape.ts";

const sizeOf = (shape: readonly number[]): number => shape.reduce((a, b) => a * b, 1);
const values = (n: number): Float32Array => new Float32Array(new RandomState(5).normal(0, 1, n));
const place = (flat: number, shape: readonly number[]): number[] =>
  stridesOf(shape).map((s, a) => Math.floor(flat / s) % shape[a]);

// Factors 2, 3, 4, 5, other primes, primes over 31 (Bluestein), one line, odd numbers of lines, length 1.
describe.each([[8], [45], [60], [37], [3, 41], [7, 11], [15, 6], [25, 9], [2, 1, 9], [1, 1]])("spectrum of %j", (...shape) => {
  const x = values(sizeOf(shape));
  test("is the sum that defines it", () => {
    const { re, im, shape: half } = forwardReal(x, shape);
    for (let k = 0; k < re.length; k++) {
      const f = place(k, half);
      let [sumRe, sumIm] = [0, 0];
      for (let i = 0; i < x.length; i++) {
        const turn = -2 * Math.PI * place(i, shape).reduce((t, n, a) => t + (n * f[a]) / shape[a], 0);
        sumRe += x[i] * Math.cos(turn);
        sumIm += x[i] * Math.sin(turn);
      }
      expect(re[k]).toBeCloseTo(sumRe, 4);
      expect(im[k]).toBeCloseTo(sumIm, 4);
    }
  });
  test("gives the image back", () => {
    const back = inverseReal(forwardReal(x, shape));
    for (let i = 0; i < x.length; i++) expect(back[i]).toBeCloseTo(x[i], 5);
  });
});

test("filterAxis sums its weights at each border rule, along every axis", () => {
  const shape = [2, 3, 5];
  const x = values(30);
  const weights = [0.5, -1, 2, 0.25, 0, 3, 1];
  const rule = {
    constant: (i: number) => i,
    edge: (i: number, n: number) => Math.min(Math.max(i, 0), n - 1),
    wrap: (i: number, n: number) => ((i % n) + n) % n,
  };
  for (const [edge, at] of Object.entries(rule)) {
    for (const axis of [0, 1, 2]) {
      const out = filterAxis(x, shape, axis, weights, edge as keyof typeof rule);
      for (let i = 0; i < x.length; i++) {
        let sum = 0;
        weights.forEach((w, k) => {
          const p = place(i, shape);
          p[axis] = at(p[axis] + k - 3, shape[axis]);
          if (p[axis] < 0 || p[axis] >= shape[axis]) return;
          sum += w * x[p.reduce((f, v, a) => f + v * stridesOf(shape)[a], 0)];
        });
        expect(out[i]).toBeCloseTo(sum, 4);
      }
    }
  }
});

test("filterNd with a product of weights is filterAxis twice", () => {
  const shape = [2, 6, 7];
  const x = values(84);
  const [a, b] = [
    [1, 2, -1],
    [0.5, 3, 1, 0, 2],
  ];
  const twice = filterAxis(filterAxis(x, shape, 1, a), shape, 2, b);
  const once = filterNd(
    x,
    shape,
    a.flatMap((u) => b.map((v) => u * v)),
    [3, 5],
  );
  for (let i = 0; i < x.length; i++) expect(once[i]).toBeCloseTo(twice[i], 4);
});

test("ranks are those of the sorted array, with repeats, infinities, both zeros and all signs", () => {
  const list = Float32Array.from([...values(500).map((v) => Math.round(v * 3) / 2), 0, -0, Infinity, -Infinity, 1e-40, -1e-40]);
  const ranks = Array.from(list, (_, i) => i);
  expect(selectRanks(list, ranks)).toEqual(Array.from(list.toSorted()));
  expect(selectRanks(Float64Array.from(list), ranks)).toEqual(Array.from(Float64Array.from(list).toSorted()));
});

test("a block of normals is as many single ones, and leaves the same state", () => {
  for (const n of [1, 2, 7, 1000]) {
    const [block, single] = [new RandomState(9), new RandomState(9)];
    single.normal();
    block.normal();
    expect([...block.normal(1, 2, n)]).toEqual(Array.from({ length: n }, () => single.normal(1, 2)));
    expect(block.getState()).toEqual(single.getState());
  }
});

test("powers to nine digits, with zero, negative and tiny values", () => {
  for (let x = -30; x < 30; x += 0.37) expect(exp2(x) / 2 ** x).toBeCloseTo(1, 9);
  for (const g of [0.5, 1.7, 3, -0.4]) {
    const data = Float32Array.of(0.3, 1, 7.5, 1e-20, 0, -2, 1e-40, 3e30, NaN);
    const expected = data.map((v) => v ** g);
    raise(data, g);
    data.forEach((v, i) =>
      Number.isFinite(expected[i]) ? expect(v / expected[i] || 1).toBeCloseTo(1, 6) : expect(v).toBe(expected[i]),
    );
  }
});

test("lines that the WebAssembly kernels transform have the bits of those in loops", () => {
  for (const length of [2, 3, 30, 160, 480]) {
    const [lines, random] = [16, new RandomState(length)];
    const plan = fft(length);
    const all: Complex = { re: random.normal(0, 1, length * lines), im: random.normal(0, 1, length * lines) };
    const line = (b: number, part: Float64Array) => part.filter((_, i) => i % lines === b);
    // Odd numbers of lines go through the loops.
    const alone = Array.from({ length: lines }, (_, b) => ({ re: line(b, all.re), im: line(b, all.im) }));
    for (const x of alone) plan.run(x, complex(length), 1);
    // Only those who transform much use the kernels.
    const spent = complex(length * lines);
    for (let n = 0; n <= 8192; n += length * lines) plan.run(spent, complex(length * lines), lines);
    plan.run(all, complex(length * lines), lines);
    for (let b = 0; b < lines; b++)
      expect([line(b, all.re), line(b, all.im)], `${length}, line ${b}`).toEqual([alone[b].re, alone[b].im]);
  }
});

test("half spectra by the WebAssembly kernels have the bits of the loops, and become the lines again", () => {
  for (const shape of [
    [64, 135],
    [511, 30],
    [3, 40, 81],
    [2048, 8],
  ]) {
    const image = values(sizeOf(shape));
    // What is float64 goes through the loops.
    const [kernels, loops] = [forwardReal(image, shape), forwardReal(Float64Array.from(image), shape)];
    expect(kernels).toEqual(loops);
    const back = inverseReal(kernels);
    expect(back.every((v, i) => Math.abs(v - image[i]) < 1e-5)).toBe(true);
  }
});

test("a spectrum of which some frequencies are wanted has these as the whole one does, and gives the image of them", () => {
  const shape = [40, 9, 81];
  const wanted = (f: number): boolean => f < 7 || f > 33;
  const x = values(sizeOf(shape));
  const [part, whole] = [forwardReal(x, shape, wanted), forwardReal(x, shape)];
  const plane = whole.re.length / shape[0];
  for (const values of [part.re, part.im, whole.re, whole.im])
    for (let f = 0; f < shape[0]; f++) if (!wanted(f)) values.fill(0, f * plane, (f + 1) * plane);
  expect(part).toEqual(whole);
  expect(inverseReal(part, wanted)).toEqual(inverseReal(whole));
});

test("columns by the WebAssembly kernels have the bits of those in loops", () => {
  // Also odd numbers of columns, and more than fit at a time.
  for (const [blocks, length, inner] of [
    [3, 64, 81],
    [1, 512, 151],
    [2, 480, 70],
  ]) {
    const plan = fft(length);
    const [re, im] = [1, 2].map((seed) => new Float32Array(new RandomState(seed).normal(0, 1, blocks * length * inner)));
    const [all, other] = [re.slice(), im.slice()];
    const begins = Array.from({ length: blocks }, (_, b) => b * length * inner);
    expect(columnsInLanes(all, other, inner, plan.passes, begins)).toBe(inner);
    for (let column = 0; column < blocks * inner; column++) {
      const at = (i: number) => (Math.floor(column / inner) * length + i) * inner + (column % inner);
      const x = complex(length);
      for (let i = 0; i < length; i++) [x.re[i], x.im[i]] = [re[at(i)], im[at(i)]];
      // Single lines go through the loops.
      plan.run(x, complex(length), 1);
      const same = x.re.every((v, i) => Math.fround(v) === all[at(i)] && Math.fround(x.im[i]) === other[at(i)]);
      expect(same, `column ${column} of ${length}`).toBe(true);
    }
  }
});
