/** @file Kernels between rows of float32, one behind the other, and of float64. */
import {
  type Code,
  f32x4,
  f64x2,
  type Kernel,
  get,
  here,
  i32,
  load,
  load64,
  set,
  shuffleWords,
  step,
  store,
  type ValueType,
  whileBelow,
} from "./assembler.ts";

/** Twice the distance from `last` back to `at`: how far float64 are behind where float32 are. */
const behind = (at: Code, last: Code): Code => i32.shiftLeft(i32.sub(at, last), i32.of(1));

/** Rows of `width` bytes of float32, four elements or more, one behind the other, as float64 in rows that are `apart`. */
export const widenRows: Kernel<(from: number, end: number, width: number, to: number, apart: number) => void> = () => {
  const [end, width, to, apart, last, t] = [1, 2, 3, 4, 5, 6];
  const widen = (from: Code): Code => [
    ...store(get(t), f64x2.ofF32(load64(from))),
    ...store(get(t), f64x2.ofF32(load64(from, 8)), 16),
  ];
  return {
    parameters: new Array<ValueType>(5).fill("i32"),
    variables: ["i32", "i32"],
    body: whileBelow(here, get(end), [
      ...set(t, get(to)),
      ...set(last, i32.sub(i32.add(here, get(width)), i32.of(16))),
      ...whileBelow(here, get(last), [...widen(here), ...step(0, i32.of(16)), ...step(t, i32.of(32))]),
      // The end of the row, which may overlap the vectors before.
      ...set(t, i32.sub(get(t), behind(here, get(last)))),
      ...widen(get(last)),
      ...set(0, i32.add(get(last), i32.of(16))),
      ...step(to, get(apart)),
    ]),
  };
};

/** The other way around: `from` is the first row's, and `to` up to `end` where all of them go. */
export const narrowRows: Kernel<(from: number, width: number, apart: number, to: number, end: number) => void> = () => {
  const [width, apart, to, end, last, f] = [1, 2, 3, 4, 5, 6];
  const four = (from: Code): Code => shuffleWords(f32x4.ofF64(load(from)), f32x4.ofF64(load(from, 16)), [0, 1, 4, 5]);
  return {
    parameters: new Array<ValueType>(5).fill("i32"),
    variables: ["i32", "i32"],
    body: whileBelow(get(to), get(end), [
      ...set(f, here),
      ...set(last, i32.sub(i32.add(get(to), get(width)), i32.of(16))),
      ...whileBelow(get(to), get(last), [...store(get(to), four(get(f))), ...step(to, i32.of(16)), ...step(f, i32.of(32))]),
      ...store(get(last), four(i32.sub(get(f), behind(get(to), get(last))))),
      ...set(to, i32.add(get(last), i32.of(16))),
      ...step(0, get(apart)),
    ]),
  };
};
