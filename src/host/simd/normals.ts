/** @file Kernels of normal numbers by Marsaglia's polar method: points from words, those inside of the circle, and what is made of them. */
import {
  bits,
  type Code,
  f32x4,
  f64,
  f64x2,
  type Kernel,
  get,
  here,
  i32,
  i32x4,
  load,
  next,
  set,
  shuffleWords,
  store,
  type ValueType,
  whileBelow,
  words,
} from "./assembler.ts";
import { logarithms, logarithmTerms } from "../logarithm.ts";
import { lanesOf } from "./chunks.ts";
import { places } from "./places.ts";

const splat = (v: number): Code => f64x2.splat(f64.of(v));

/** Two uniforms of 53 bits of four words, in −1 … 1, and their squares' sum; the next point takes the place of one outside. How many bytes of squares. */
const points: Kernel<(from: number, to: number) => number> = () => {
  const [count, x, square] = [2, 3, 4];
  const shifted = (from: number, by: number): Code =>
    f64x2.ofU32(i32x4.shiftRightUnsigned(shuffleWords(load(here), load(here), [from, from + 2, from, from + 2]), i32.of(by)));
  const sum = f64.add(f64x2.lane(get(square), 0), f64x2.lane(get(square), 1));
  return {
    parameters: ["i32", "i32"],
    variables: ["i32", "v128", "v128"],
    result: "i32",
    body: [
      ...whileBelow(here, get(1), [
        // In whole numbers and powers of two: every step is exact.
        ...set(
          x,
          f64x2.sub(f64x2.mul(f64x2.add(f64x2.mul(shifted(0, 5), splat(2 ** 26)), shifted(1, 6)), splat(2 ** -52)), splat(1)),
        ),
        ...set(square, f64x2.mul(get(x), get(x))),
        ...store(i32.add(get(count), get(count)), get(x), places.points),
        ...f64.store(get(count), sum, places.squares),
        ...set(
          count,
          i32.add(get(count), i32.shiftLeft(i32.and(f64.below(sum, f64.of(1)), f64.differ(sum, f64.of(0))), i32.of(3))),
        ),
        ...next,
      ]),
      ...get(count),
    ],
  };
};

/** loc + scale · √(−2 · log(r²) / r²) · (y, x) as float32 of points whose squares' sums are below 1, two at a time; the logarithm as in ../logarithm.ts. */
const polar: Kernel<(squares: number, end: number, points: number, to: number, loc: number, scale: number) => void> = () => {
  const [end, at, to, loc, scale] = [1, 2, 3, 4, 5];
  const [square, first, second, r, f] = [6, 7, 8, 9, 10];
  const high = (v: number): Code => words(0, v, 0, v);
  const entry = (lane: 1 | 3): Code =>
    load(i32x4.lane(bits.and(i32x4.shiftRightUnsigned(get(square), i32.of(8)), high(0xff0)), lane), places.logarithms);
  const exponents = i32x4.shiftRight(i32x4.add(get(square), high(0x80000)), i32.of(20));
  const exponent = f64x2.sub(f64x2.ofI32(shuffleWords(exponents, exponents, [1, 3, 1, 3])), splat(1023));
  const mantissa = bits.or(bits.and(get(square), words(-1, 0xfffff, -1, 0xfffff)), high(0x3ff00000));
  const [last, ...others] = logarithmTerms.toReversed();
  const series = others.reduce((sum, term) => f64x2.add(splat(term), f64x2.mul(get(r), sum)), splat(last));
  const logarithm = f64x2.add(
    f64x2.add(f64x2.mul(exponent, splat(Math.LN2)), shuffleWords(get(first), get(second), [2, 3, 6, 7])),
    f64x2.add(get(r), f64x2.mul(f64x2.mul(get(r), get(r)), series)),
  );
  const normal = (k: 0 | 1): Code => {
    const point = load(get(at), 16 * k);
    const factor = shuffleWords(get(f), get(f), [2 * k, 2 * k + 1, 2 * k, 2 * k + 1]);
    const standard = f64x2.mul(factor, shuffleWords(point, point, [2, 3, 0, 1]));
    return f32x4.ofF64(f64x2.add(f64x2.splat(get(loc)), f64x2.mul(f64x2.splat(get(scale)), standard)));
  };
  return {
    parameters: ["i32", "i32", "i32", "i32", "f64", "f64"],
    variables: new Array<ValueType>(5).fill("v128"),
    body: whileBelow(here, get(end), [
      ...set(square, load(here)),
      ...set(first, entry(1)),
      ...set(second, entry(3)),
      ...set(r, f64x2.sub(f64x2.mul(mantissa, shuffleWords(get(first), get(second), [0, 1, 4, 5])), splat(1))),
      ...set(f, f64x2.sqrt(f64x2.div(f64x2.mul(splat(-2), logarithm), get(square)))),
      ...store(get(to), shuffleWords(normal(0), normal(1), [0, 1, 4, 5])),
      ...set(at, i32.add(get(at), i32.of(32))),
      ...set(to, i32.add(get(to), i32.of(16))),
      ...next,
    ]),
  };
};

const lanesFor = /* @__PURE__ */ lanesOf({ points, polar });

/** Points that are made at a time. */
const pointsAtOnce = 512;

/**
 * Pairs of normals from `at` on, as long as two are missing; gives the place behind the last, `at` itself for short arrays and where the kernels are not to be
 * had. `draw` fills in words of the generator, of which there are never more than the missing pairs need if no point is rejected.
 */
export function normalsInLanes(
  draw: (words: Uint32Array) => void,
  out: Float32Array,
  at: number,
  loc: number,
  scale: number,
): number {
  const lanes = lanesFor(out.length);
  if (!lanes) return at;
  const { kernels } = lanes;
  const { buffer } = lanes.memory;
  new Float64Array(buffer, places.logarithms, logarithms.length).set(logarithms);
  const words = new Uint32Array(buffer, places.words, 4 * pointsAtOnce);
  const normals = new Float32Array(buffer, places.normals, 2 * pointsAtOnce);
  let to = at;
  while (to + 1 < out.length) {
    const count = Math.min(pointsAtOnce, (out.length - to) >> 1);
    draw(count === pointsAtOnce ? words : words.subarray(0, 4 * count));
    const bytes = kernels.points(places.words, places.words + 16 * count);
    kernels.polar(places.squares, places.squares + bytes, places.points, places.normals, loc, scale);
    out.set(normals.subarray(0, bytes / 4), to);
    to += bytes / 4;
  }
  return to;
}
