/** @file The kernel of `raise` in ../powers.ts. */
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
  whileBelow,
} from "./assembler.ts";
import { places } from "./places.ts";

/** `raise` in ../powers.ts, whose tables it reads: c1 to c3 are the terms of its series. Whether there are elements that it cannot raise. */
export const power: Kernel<(from: number, to: number, c1: number, c2: number, c3: number) => number> = () => {
  const [x, slices, exponents, odd] = [5, 6, 7, 8];
  const splat = (constantAt: number): Code => f64x2.splat(get(constantAt));
  const one: Code = f64x2.splat(f64.of(1));
  // Two elements: lanes `a` and `a + 1` of the vectors above. An entry of the first table is a power and a scale.
  const entry = (at: number): Code => load(i32x4.lane(get(slices), at), places.tables);
  const whole = (at: number): Code => load64(i32x4.lane(get(exponents), at), places.wholes);
  const pair = (a: 0 | 2): Code => {
    const [first, second, r] = [9, 10, 11];
    const digits = bits.or(bits.and(get(x), i32x4.splat(i32.of(0x7fffff))), i32x4.splat(i32.of(0x800000)));
    const low = a === 0 ? digits : shuffleWords(digits, digits, [2, 3, 2, 3]);
    const series = f64x2.add(
      f64x2.add(one, f64x2.mul(get(r), splat(2))),
      f64x2.mul(f64x2.mul(get(r), get(r)), f64x2.add(splat(3), f64x2.mul(get(r), splat(4)))),
    );
    const wholes = shuffleWords(whole(a), whole(a + 1), [0, 1, 4, 5]);
    return [
      ...set(first, entry(a)),
      ...set(second, entry(a + 1)),
      ...set(r, f64x2.sub(f64x2.mul(f64x2.ofI32(low), shuffleWords(get(first), get(second), [2, 3, 6, 7])), one)),
      ...f32x4.ofF64(f64x2.mul(f64x2.mul(wholes, shuffleWords(get(first), get(second), [0, 1, 4, 5])), series)),
    ];
  };
  const shifted = (right: number, left: number, mask: number): Code =>
    bits.and(i32x4.shiftLeft(i32x4.shiftRight(get(x), i32.of(right)), i32.of(left)), i32x4.splat(i32.of(mask)));
  return {
    parameters: ["i32", "i32", "f64", "f64", "f64"],
    variables: ["v128", "v128", "v128", "v128", "v128", "v128", "v128"],
    result: "i32",
    body: [
      ...whileBelow(here, get(1), [
        ...set(x, load(here)),
        // Zero, negative, denormal; infinite, NaN.
        ...set(
          odd,
          bits.or(
            get(odd),
            bits.or(
              i32x4.lessThan(get(x), i32x4.splat(i32.of(0x00800000))),
              i32x4.lessThan(i32x4.splat(i32.of(0x7f7fffff)), get(x)),
            ),
          ),
        ),
        ...set(slices, shifted(13, 4, 1023 << 4)),
        ...set(exponents, shifted(23, 3, 255 << 3)),
        ...store(here, shuffleWords(pair(0), pair(2), [0, 1, 4, 5])),
        ...next,
      ]),
      ...bits.any(get(odd)),
    ],
  };
};
