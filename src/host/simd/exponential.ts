/** @file Kernels with exponentials, two elements at a time, as `exp2` and `log1pOfUnit` in ../powers.ts compute them. */
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
  load64,
  next,
  set,
  shuffleWords,
  store,
  type ValueType,
  whileBelow,
  words,
} from "./assembler.ts";
import { places } from "./places.ts";

const splat = (v: number): Code => f64x2.splat(f64.of(v));
const whole = (v: number): Code => words(v, v, v, v);
const half = 1.5 * 2 ** 52;

/** 2^x of what is in the variable `x`, which it changes, as `scaled` too; between −1022 and 1023. */
function exp2({ x, scaled }: { x: number; scaled: number }): Code {
  const fraction = (lane: 0 | 2): Code =>
    load64(i32x4.lane(i32x4.shiftLeft(bits.and(get(scaled), whole(255)), i32.of(3)), lane), places.wholes);
  const exponent = i32x4.shiftLeft(i32x4.add(i32x4.shiftRight(get(scaled), i32.of(8)), whole(1023)), i32.of(20));
  const z = f64x2.mul(f64x2.sub(get(x), f64x2.sub(get(scaled), splat(half))), splat(Math.LN2 / 256));
  const series = f64x2.add(
    splat(1),
    f64x2.mul(get(x), f64x2.add(splat(1), f64x2.mul(get(x), f64x2.add(splat(0.5), f64x2.mul(get(x), splat(1 / 6)))))),
  );
  return [
    ...set(x, f64x2.mul(get(x), splat(256))),
    // The low words of such a number are the whole part.
    ...set(scaled, f64x2.add(get(x), splat(half))),
    ...set(x, z),
    ...f64x2.mul(
      f64x2.mul(shuffleWords(whole(0), exponent, [0, 4, 0, 6]), shuffleWords(fraction(0), fraction(2), [0, 1, 4, 5])),
      series,
    ),
  ];
}

/** Four elements of what becomes of both halves, which code is given the address of. */
const four = (value: (offset: 0 | 8) => { readonly before: Code; readonly result: Code }, keep: number): Code => {
  const [low, high] = [value(0), value(8)];
  return [
    ...low.before,
    ...set(keep, f32x4.ofF64(low.result)),
    ...high.before,
    ...store(here, shuffleWords(get(keep), f32x4.ofF64(high.result), [0, 1, 4, 5])),
  ];
};

/** Times e^f, f a sum of curves (float64, `apart` bytes from one to the next) with coefficients from `terms` to `last`, the first one's curve being 1. */
export const field: Kernel<
  (from: number, to: number, terms: number, last: number, curves: number, apart: number) => void
> = () => {
  const [end, terms, last, curves, apart, term, curve, sum, scaled, keep] = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10];
  const half = (offset: 0 | 8) => ({
    before: [
      ...set(term, i32.add(get(terms), i32.of(8))),
      ...set(curve, get(curves)),
      ...set(sum, load64(get(terms))),
      ...whileBelow(get(term), get(last), [
        ...set(sum, f64x2.add(get(sum), f64x2.mul(load64(get(term)), load(get(curve), 2 * offset)))),
        ...set(curve, i32.add(get(curve), get(apart))),
        ...set(term, i32.add(get(term), i32.of(8))),
      ]),
      ...set(sum, f64x2.mul(get(sum), splat(Math.LOG2E))),
      ...set(sum, exp2({ x: sum, scaled })),
    ],
    result: f64x2.mul(f64x2.ofF32(load64(here, offset)), get(sum)),
  });
  return {
    parameters: new Array<ValueType>(6).fill("i32"),
    variables: ["i32", "i32", "v128", "v128", "v128"],
    body: whileBelow(here, get(end), [...four(half, keep), ...set(curves, i32.add(get(curves), i32.of(32))), ...next]),
  };
};

/** x + softplus(−s(x − low)) / s − softplus(s(x − high)) / s. */
export const softClip: Kernel<(from: number, to: number, sharpness: number, low: number, high: number) => void> = () => {
  const [end, s, low, high] = [1, 2, 3, 4];
  const [v, x, scaled, far, result, slices, keep] = [5, 6, 7, 8, 9, 10, 11];
  const entry = (lane: 0 | 1): Code => load(i32x4.lane(i32x4.shiftLeft(get(slices), i32.of(4)), lane), places.tables);
  const both = (word: 0 | 2): Code => shuffleWords(entry(0), entry(1), [word, word + 1, word + 4, word + 5]);
  const log1p: Code = [
    ...set(slices, f64x2.toI32(f64x2.lesser(f64x2.mul(get(x), splat(1024)), splat(1023)))),
    ...set(scaled, both(0)),
    ...set(x, f64x2.sub(f64x2.mul(f64x2.add(splat(1), get(x)), both(2)), splat(1))),
  ];
  const r = get(x);
  const series = f64x2.add(
    get(scaled),
    f64x2.mul(
      r,
      f64x2.sub(
        splat(1),
        f64x2.mul(r, f64x2.sub(splat(1 / 2), f64x2.mul(r, f64x2.sub(splat(1 / 3), f64x2.mul(r, splat(1 / 4)))))),
      ),
    ),
  );
  // Leaves softplus of the variable `v` in `x`.
  const softplus: Code = [
    ...set(far, f64x2.above(f64x2.abs(get(v)), splat(37))),
    ...set(x, f64x2.mul(f64x2.negative(f64x2.lesser(f64x2.abs(get(v)), splat(38))), splat(Math.LOG2E))),
    ...set(x, exp2({ x, scaled })),
    ...log1p,
    ...set(x, f64x2.add(f64x2.greater(get(v), splat(0)), bits.andNot(series, get(far)))),
  ];
  const factor = f64x2.splat(get(s));
  const value = (offset: 0 | 8) => {
    const element = f64x2.ofF32(load64(here, offset));
    return {
      before: [
        ...set(v, f64x2.mul(f64x2.negative(factor), f64x2.sub(element, f64x2.splat(get(low))))),
        ...softplus,
        ...set(result, f64x2.add(element, f64x2.div(get(x), factor))),
        ...set(v, f64x2.mul(factor, f64x2.sub(element, f64x2.splat(get(high))))),
        ...softplus,
      ],
      result: f64x2.sub(get(result), f64x2.div(get(x), factor)),
    };
  };
  return {
    parameters: ["i32", "i32", "f64", "f64", "f64"],
    variables: new Array<ValueType>(7).fill("v128"),
    body: whileBelow(here, get(end), [...four(value, keep), ...next]),
  };
};
