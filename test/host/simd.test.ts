/** @file The WebAssembly kernels give what the loops in their place give, in every bit: long arrays go through them, their pieces do not. */
import { expect, test } from "vitest";
import { add, clamp, linear, multiply } from "../../src/data/transforms/intensity/arithmetic.ts";
import { meanAndStd } from "../../src/data/transforms/intensity/moments.ts";
import { raise } from "../../src/host/powers.ts";
import { RandomState } from "../../src/host/random/numpy.ts";
import { lanesFor } from "../../src/host/simd/chunks.ts";
import { extent } from "../../src/host/stats.ts";
import { copyView } from "../../src/host/strided.ts";

const odd = [0, -0, Infinity, -Infinity, NaN, 1e-40, -1e-40, 3.4e38, 2 ** -126];
const values = new Float32Array(new RandomState(5).normal(0.3, 40, 20_011));
const withOdd = values.slice();
withOdd.set(odd, 9_000);
const piece = 4_096;

type Change = (from: Float32Array, to: Float32Array) => void;

/** Where two arrays differ in a bit; NaN is NaN. */
function differences(x: Float32Array, y: Float32Array): number[] {
  const out: number[] = [];
  for (let i = 0; i < Math.max(x.length, y.length); i++) if (!Object.is(x[i], y[i])) out.push(i);
  return out;
}

function inPieces(change: Change): Float32Array {
  const out = new Float32Array(withOdd.length);
  for (let at = 0; at < out.length; at += piece) change(withOdd.subarray(at, at + piece), out.subarray(at, at + piece));
  return out;
}

const inPlace =
  (change: (data: Float32Array) => void): Change =>
  (from, to) => (to.set(from), change(to));

const changes: Record<string, Change> = {
  add: (from, to) => add(from, 0.1, to),
  multiply: (from, to) => multiply(from, -0.1, to),
  clamp: inPlace((data) => clamp(data, -1.1, 2.3)),
  "linear, quotient": (from, to) => linear(from, 0.3, 3, 1, 0, to),
  "linear, all of it": (from, to) => linear(from, 0.3, -7, 1.7, 0.2, to, -3, 5),
  "linear, no quotient": (from, to) => linear(from, 0.3, 1, 1.7, 0.2, to),
  "raise to 1.7": inPlace((data) => raise(data, 1.7)),
  "raise to -0.4": inPlace((data) => raise(data, -0.4)),
};

test("long arrays go through the kernels, short ones do not", () => {
  expect(lanesFor(values.length)).toBeDefined();
  expect(lanesFor(piece)).toBeUndefined();
});

for (const [name, change] of Object.entries(changes)) {
  test(`${name}: the bits of the loop`, () => {
    const out = new Float32Array(withOdd.length);
    change(withOdd, out);
    expect(differences(out, inPieces(change))).toEqual([]);
  });
}

test("extent: signs of zeros and NaN", () => {
  const of = (...some: number[]) => {
    const data = new Float32Array(10_003).fill(some[0]);
    data.set(some, 8_500);
    return extent(data);
  };
  expect(extent(values)).toEqual(extent(Array.from(values)));
  expect(of(1, 0, -0, 2)).toEqual({ min: -0, max: 2, firstNaN: -1 });
  expect(of(1, 0, 0, 2)).toEqual({ min: 0, max: 2, firstNaN: -1 });
  expect(of(-1, -0)).toEqual({ min: -1, max: -0, firstNaN: -1 });
  expect(of(-1, 0, -0)).toEqual({ min: -1, max: 0, firstNaN: -1 });
  expect(of(1, 2, NaN)).toEqual({ min: 1, max: 2, firstNaN: 8_502 });
});

test("sums: in the order of the loop", () => {
  const blocks = (of: (v: number) => number): number => {
    let sum = 0;
    for (let start = 0; start < values.length; start += 512) {
      const lanes = [0, 0, 0, 0];
      const end = Math.min(values.length, start + 512);
      const whole = end - ((end - start) % 4);
      for (let i = start; i < end; i++) lanes[i < whole ? i % 4 : 0] += of(values[i]);
      sum += lanes[0] + lanes[1] + (lanes[2] + lanes[3]);
    }
    return sum;
  };
  const mean = blocks((v) => v) / values.length;
  const std = Math.sqrt(blocks((v) => (v - mean) * (v - mean)) / values.length);
  expect(meanAndStd(values, 0)).toEqual({ mean, std, count: values.length });
});

test("rows in reverse, also of a length that is no whole vectors", () => {
  for (const width of [4, 7, 33, 160, 2_047]) {
    const rows = Math.ceil(20_000 / width);
    const data = new Float32Array(new RandomState(1).rand(rows * width));
    const { data: out } = copyView(data, [rows, width], [width, -1], width - 1);
    const expected = new Float32Array(data.length);
    for (let i = 0; i < rows; i++) expected.set(data.slice(i * width, (i + 1) * width).reverse(), i * width);
    expect(differences(out, expected)).toEqual([]);
  }
});
